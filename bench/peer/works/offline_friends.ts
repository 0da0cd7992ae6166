import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { Bench, Row, Side, Work } from "../bench.ts";
import { Child } from "../processes/child.ts";
import type { Cost, OfflineWorldOrders } from "../processes/offline_world.ts";

const NODES = 12;
const FRIENDS = 200;
/** In seconds: until the nodes know one another, then what is measured. */
interface Windows {
  readonly network: number;
  readonly first: number;
  readonly pause: number;
  readonly later: number;
}
const QUICK: Windows = { network: 1, first: 8, pause: 34, later: 6 };
const FULL: Windows = { network: 10, first: 60, pause: 0, later: 60 };
const LONGEST_RETURN = 120_000;

interface Waited {
  /** Both sides search in haste at first. */
  readonly first: Cost;
  readonly later: Cost;
  /** In ms; none when it took too long. */
  readonly returned: number | null;
}

export const offlineFriends: Work = {
  name: "offline",
  describes: `waiting for ${FRIENDS} friends who are not there, in a network of ${NODES} nodes, until one comes`,
  waits: true,
  async measure(bench) {
    const within = ownNamespace();
    if (within === undefined) {
      return skipped("neither root nor user namespaces: an instance's datagrams cannot be told from the others'");
    }
    // both at once, as each waits most of the time
    const [ours, theirs] = await Promise.all(bench.sides.map((side) => waitFor(bench, side, within)));
    const row = (work: string, unit: string, figureOf: (waited: Waited) => number | null): Row => ({
      work: `${FRIENDS} offline friends: ${work}`,
      unit,
      ours: ours === undefined ? null : figureOf(ours),
      theirs: theirs === undefined ? null : figureOf(theirs),
    });
    const windows = bench.quick ? QUICK : FULL;
    return [
      { ...row("CPU at first", "% of a core", ({ first }) => 100 * first.cpu), note: explained(windows) },
      row("datagrams at first", "/s", ({ first }) => first.sent + first.received),
      row("CPU later", "% of a core", ({ later }) => 100 * later.cpu),
      row("datagrams later", "/s", ({ later }) => later.sent + later.received),
      row("one comes, until both see it", "ms", ({ returned }) => returned),
    ];
  },
};

async function waitFor(bench: Bench, side: Side, within: readonly string[]): Promise<Waited> {
  await using world = await bench.start(() => new Child<OfflineWorldOrders>("offline_world.ts", { within }));
  await world.order("open", NODES);
  const { network, first, pause, later } = bench.quick ? QUICK : FULL;
  await bench.pause(network * 1000);
  await world.order("wait", { side, friends: FRIENDS });
  const atFirst = await world.order("measure", first);
  await bench.pause(pause * 1000);
  const afterwards = await world.order("measure", later);
  const tooLong = delay(LONGEST_RETURN, null, { ref: false });
  return { first: atFirst, later: afterwards, returned: await Promise.race([world.order("comeBack"), tooLong]) };
}

function explained({ first, pause, later }: Windows): string {
  const begin = first + pause;
  return (
    `at first: ${first} s from when they were added; later: from ${begin} s to ${begin + later} s; ` +
    "datagrams sent and received by the one who waits"
  );
}

/** How to run a program in a network namespace of its own here. */
function ownNamespace(): string[] | undefined {
  return [
    ["unshare", "--net"],
    ["unshare", "--map-root-user", "--net"],
  ].find(([command = "", ...args]) => spawnSync(command, [...args, "ip", "link", "set", "lo", "up"]).status === 0);
}

function skipped(note: string): Row[] {
  return [{ work: `${FRIENDS} offline friends`, unit: "datagrams/s", ours: null, theirs: null, note }];
}
