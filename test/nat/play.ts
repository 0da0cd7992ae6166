import { type Bootstrapd, startBootstrapd } from "../interop/bootstrapd.ts";
import type { ConnectionState } from "../interop/toxcore.ts";
import { Lab, type PublicHost } from "./lab/lab.ts";
import type { NatCase, Pair } from "./nat_case.ts";
import { type Person, type Place, startPerson } from "./people.ts";
import { until } from "./within.ts";

/** What one case came to with one pair. */
export interface Outcome {
  readonly name: string;
  readonly pair: Pair;
  readonly pending: string | undefined;
  /** Whether all were started, so that what went wrong went wrong between the two. */
  readonly ready: boolean;
  /** Undefined: it passed. */
  readonly wrong: string | undefined;
  /** From the friend request on, until both saw each other. */
  readonly onlineMs: number | undefined;
  /** The same, until both had a direct path. */
  readonly directMs: number | undefined;
  /** After the trouble, until all messages were there. */
  readonly healedMs: number | undefined;
  /** The path of each, at the end. */
  readonly path: string;
}

interface Node {
  readonly host: PublicHost;
  readonly daemon: Bootstrapd;
}

/** toxcore wants four nodes that see a friend at one address before it believes that address. */
const NODES = 4;
const NODE_PORT = 33_445;
const RELAY_PORT = 3_389;
const ONLINE_MS = 120_000;
/** For what is not expected to pass. */
const PENDING_MS = 60_000;
/** toxcore punches in rounds of 3 s, and needs several. */
const DIRECT_MS = 90_000;
const MESSAGES = 5;
const MESSAGE_MS = 20_000;
/** Either side gives a silent friend up after 32 s, and has to find him again. */
const HEALING_MS = 90_000;

export async function play(natCase: NatCase, pair: Pair): Promise<Outcome> {
  const pending = typeof natCase.pending === "string" ? natCase.pending : natCase.pending?.[pair];
  const times: { onlineMs?: number; directMs?: number; healedMs?: number } = {};
  let people: readonly Person[] = [];
  let ready = false;
  let wrong: string | undefined;
  let path = "-";
  try {
    using lab = new Lab({ unreserved: natCase.unreserved ?? false });
    await using stack = new AsyncDisposableStack();
    const { places, trouble, direct = true } = natCase.build(lab);
    const nodes = await startNodes(lab, stack);
    const one = stack.use(await startPerson("ours", places[0]));
    const two = stack.use(await startPerson(pair === "ours-ours" ? "ours" : "libtoxcore", places[1]));
    people = [one, two];
    await Promise.all([introduce(one, places[0], nodes), introduce(two, places[1], nodes)]);

    ready = true;
    const start = performance.now();
    await one.addFriend(two.id, "from behind a router");
    const patience = pending === undefined ? ONLINE_MS : PENDING_MS;
    await two.accept("from behind a router", patience);
    await until(patience, "online for each other", () => people.every((person) => stateOf(person) !== "none"));
    times.onlineMs = Math.max(...people.map((person) => since(person, "tcp", "udp"))) - start;
    await talk(one, two, "first", MESSAGE_MS);
    if (trouble !== undefined) {
      const before = performance.now();
      await trouble([one, two]);
      await talk(one, two, "after", HEALING_MS);
      times.healedMs = performance.now() - before;
    }
    const isDirect = () => people.every((person) => stateOf(person) === "udp");
    if (direct === true || direct === pair) await until(DIRECT_MS, "a direct path", isDirect);
    if (isDirect()) times.directMs = Math.max(...people.map((person) => since(person, "udp"))) - start;
    path = pathOf(people);
  } catch (error) {
    path = pathOf(people);
    wrong = error instanceof Error ? error.message : JSON.stringify(error);
  }
  return {
    name: natCase.name,
    pair,
    pending,
    ready,
    wrong,
    onlineMs: times.onlineMs,
    directMs: times.directMs,
    healedMs: times.healedMs,
    path,
  };
}

async function startNodes(lab: Lab, stack: AsyncDisposableStack): Promise<Node[]> {
  const nodes: Node[] = [];
  for (let count = 0; count < NODES; count++) {
    const host = lab.addPublicHost();
    const daemon = await startBootstrapd({
      netns: host.netns,
      host: host.address,
      port: NODE_PORT,
      relayPorts: [RELAY_PORT],
      ipv6: true,
      nodes: nodes.map((node) => node.daemon),
    });
    nodes.push({ host, daemon: stack.use(daemon) });
  }
  return nodes;
}

async function introduce(person: Person, { family = "ipv4" }: Place, nodes: readonly Node[]): Promise<void> {
  for (const { host, daemon } of nodes) {
    const at = { host: family === "ipv4" ? host.address : host.address6, publicKey: daemon.publicKey };
    await person.bootstrap({ ...at, port: NODE_PORT });
    await person.addRelay({ ...at, port: RELAY_PORT });
  }
}

/** Each says so many things to the other at once, and hears them in order. */
async function talk(one: Person, two: Person, word: string, timeoutMs: number): Promise<void> {
  await Promise.all([say(one, two, word, timeoutMs), say(two, one, word, timeoutMs)]);
}

async function say(from: Person, to: Person, word: string, timeoutMs: number): Promise<void> {
  const start = performance.now();
  const left = () => Math.max(0, Math.ceil(start + timeoutMs - performance.now()));
  for (let number = 1; number <= MESSAGES; number++) await sendOnce(from, to.publicKey, `${word} ${number}`, left);
  for (let number = 1; number <= MESSAGES; number++) {
    const text = await to.nextMessage(left());
    if (text !== `${word} ${number}`) throw new Error(`"${text}" came where "${word} ${number}" should`);
  }
}

/** libtoxcore refuses to send while the friend is away; a client tries again. */
async function sendOnce(from: Person, friend: string, text: string, leftMs: () => number): Promise<void> {
  for (;;) {
    try {
      return await from.send(friend, text);
    } catch (error) {
      if (leftMs() === 0 || !String((error as { code?: unknown }).code).endsWith("FRIEND_NOT_CONNECTED")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function stateOf(person: Person) {
  return person.connections.at(-1)?.state ?? "none";
}

/** When the friend was first seen in one of those states. */
function since({ connections }: Person, ...states: ConnectionState[]): number {
  return connections.find(({ state }) => states.includes(state))?.at ?? Number.NaN;
}

function pathOf(people: readonly Person[]): string {
  const states = [...new Set(people.map(stateOf))];
  return states.length === 0 ? "-" : states.join("/");
}
