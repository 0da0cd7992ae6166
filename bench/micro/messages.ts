import { type Friend, Tox } from "../../src/core.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { type SimHost, Universe } from "../../src/testing/index.ts";
import type { Effort, Part, PartRow } from "./part.ts";
import { type Spent, spend } from "./simulated.ts";

const COUNT = 10_000;
const ROUND_TRIPS = 1_000;
const SIZES = [40, 1372];

const BATCH = 1_000;

export const messages: Part = {
  name: "messages",
  about: "two friends in a simulated network, both sides' work and the simulator's together",
  async *rows(effort) {
    const universe = new Universe({ seed: "bench", link: { latency: [0.25, 0.25] } });
    await using alice = await start(universe, universe.host("alice"));
    await using bob = await start(universe, universe.host("bob"));
    await bob.bootstrap({ host: "alice", port: alice.udpPort, publicKey: alice.dhtPublicKey });
    const toBob = await alice.addFriendWithoutRequest(bob.publicKey);
    const toAlice = await bob.addFriendWithoutRequest(alice.publicKey);
    await universe.runUntil(() => toBob.connection !== "none" && toAlice.connection !== "none");
    for (const size of SIZES) yield await receipts(universe, alice, toBob, size, effort);
    bob.on("message", ({ text }) => void toAlice.send(text));
    yield await roundTrips(universe, alice, toBob, effort);
  },
};

function start(universe: Universe, host: SimHost): Promise<Tox> {
  return universe.wait(Tox.create({ ...host.edges, crypto: sodiumProvider }));
}

/** Many at once, as an app that has much to say hands them over. */
async function receipts(
  universe: Universe,
  alice: Tox,
  toBob: Friend,
  size: number,
  { share }: Effort,
): Promise<PartRow> {
  const count = Math.ceil((COUNT * share) / BATCH) * BATCH;
  const text = "x".repeat(size);
  let delivered = 0;
  const off = alice.on("delivered", () => delivered++);
  const spent = await spend(universe, async () => {
    for (let sent = 0; sent < count; sent += BATCH) {
      for (let i = 0; i < BATCH; i++) toBob.send(text);
      await universe.runUntil(() => delivered === sent + BATCH);
    }
  });
  off();
  return { work: `messages of ${size} bytes until their receipts, 1,000 at a time`, figures: perMessage(spent, count) };
}

/** One at a time; Bob's listener answers each. */
async function roundTrips(universe: Universe, alice: Tox, toBob: Friend, { share }: Effort): Promise<PartRow> {
  const count = Math.ceil(ROUND_TRIPS * share);
  let answered = 0;
  const off = alice.on("message", () => answered++);
  const spent = await spend(universe, async () => {
    for (let asked = 1; asked <= count; asked++) {
      toBob.send("a question of forty bytes, more or less?");
      await universe.runUntil(() => answered === asked);
    }
  });
  off();
  return { work: "messages one at a time, each answered", figures: perMessage(spent, 2 * count) };
}

function perMessage({ cpuMs, bytes, datagrams, virtualMs }: Spent, count: number): PartRow["figures"] {
  return {
    "messages a CPU second": count / (cpuMs / 1000),
    "CPU µs a message": (cpuMs * 1000) / count,
    "bytes a message": bytes / count,
    "datagrams a message": datagrams / count,
    "virtual ms a message": virtualMs / count,
  };
}
