import { median } from "../../support/statistics.ts";
import type { Bench, Row, Side, Work } from "../bench.ts";
import { type NodeKind, startNetworkOf } from "../network.ts";
import { type BenchPeer, type Pair, startTwo } from "../peers.ts";
import { inTurn, type Measured, medians } from "../rounds.ts";

const KINDS = ["toxcore-ts", "tox-bootstrapd"] as const satisfies readonly NodeKind[];
const WARM_UP = 50;
const MEBIBYTE = 2 ** 20;

export const relayed: Work = {
  name: "relayed",
  describes: "messages and data between two who have no UDP, over a relay of ours and over tox-bootstrapd",
  async measure(bench) {
    const rows: Row[] = [];
    for (const kind of KINDS) {
      if (kind === "tox-bootstrapd" && !bench.hasBootstrapd) continue;
      rows.push(...(await over(bench, kind)));
    }
    return rows;
  },
};

async function over(bench: Bench, kind: NodeKind): Promise<Row[]> {
  const through = kind === "toxcore-ts" ? "a node of ours" : kind;
  await using network = await startNetworkOf(bench, kind, 2, { relay: true });
  const pairs = new Map<Side, Pair>();
  const pairOf = async (side: Side) => {
    const pair = pairs.get(side) ?? (await startRelayed(bench, side, network.addresses));
    pairs.set(side, pair);
    return pair;
  };
  try {
    const times = await roundTrips(bench, pairOf);
    const rates = await inTurn(bench, bench.quick ? 2 : 5, async (side) => rate(bench, await pairOf(side)));
    return [
      { work: `message round trip over ${through}, median`, unit: "ms", ...medians(times, median) },
      { work: `data over ${through}`, unit: "MiB/s", ...medians(rates, (one) => one) },
    ];
  } finally {
    await Promise.all([...pairs.values()].map((pair) => pair[Symbol.asyncDispose]()));
  }
}

/** Two friends who know each other's key, and nothing but relays. */
async function startRelayed(bench: Bench, side: Side, relays: readonly BenchPeer["info"]["node"][]): Promise<Pair> {
  const pair = await startTwo(bench, side, { udp: false });
  const meet = async ({ child }: BenchPeer, { info }: BenchPeer) => {
    await child.order("bootstrap", relays);
    await child.order("addRelays", relays);
    await child.order("addFriends", [info.publicKey]);
    await child.order("friendOnlineAt");
  };
  await Promise.all([meet(pair.alice, pair.bob), meet(pair.bob, pair.alice)]);
  return pair;
}

async function roundTrips(bench: Bench, pairOf: (side: Side) => Promise<Pair>): Promise<Measured<number[]>> {
  for (const side of bench.sides) {
    const { alice, bob } = await pairOf(side);
    await bob.child.order("echo", true);
    if (side === "ours") await alice.child.order("roundTrips", WARM_UP); // until it is compiled; C is
  }
  const counts = bench.quick ? { ours: 200, theirs: 15 } : { ours: 200, theirs: 40 };
  const times = await inTurn(bench, bench.quick ? 2 : 5, async (side) => {
    const { alice } = await pairOf(side);
    return alice.child.order("roundTrips", counts[side]);
  });
  for (const side of bench.sides) await (await pairOf(side)).bob.child.order("echo", false);
  return times;
}

/** What arrives, in MiB/s, once it flows. */
async function rate(bench: Bench, { alice, bob }: Pair): Promise<number> {
  await alice.child.order("flood", true);
  await bench.pause(1_500);
  const before = await bob.child.order("flooded");
  await bench.pause(bench.quick ? 2_000 : 4_000);
  const after = await bob.child.order("flooded");
  await alice.child.order("flood", false);
  await drained(bench, bob);
  return (after.bytes - before.bytes) / MEBIBYTE / ((after.at - before.at) / 1000);
}

/** Waits until what was queued has come, so that the next round does not see it. */
async function drained(bench: Bench, bob: BenchPeer): Promise<void> {
  for (let left = 40, last = -1; left > 0; left--) {
    const { bytes } = await bob.child.order("flooded");
    if (bytes === last) return;
    last = bytes;
    await bench.pause(500);
  }
}
