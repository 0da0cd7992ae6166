import { median } from "../../support/statistics.ts";
import type { Bench, Row, Side, Work } from "../bench.ts";
import { befriend, type Pair, startPeer } from "../peers.ts";

const MEBIBYTE = 2 ** 20;

/** Sender and receiver. libtoxcore to itself is what the others are held against. */
const WAYS = ["ours to ours", "ours to theirs", "theirs to ours"] as const;

export const file: Work = {
  name: "file",
  describes: "a file from memory, from its offer until all of it is acknowledged",
  async measure(bench) {
    const size = (bench.quick ? 32 : 100) * MEBIBYTE;
    const rounds = bench.quick ? 1 : 3;
    const theirs =
      bench.toxcore === undefined ? null : await rate(bench, await pair(bench, "theirs", "theirs"), size, rounds);
    const rows: Row[] = [];
    for (const way of WAYS) {
      if (way !== "ours to ours" && bench.toxcore === undefined) continue;
      const [sender, receiver] = way.split(" to ") as [Side, Side];
      const ours = await rate(bench, await pair(bench, sender, receiver), size, rounds);
      rows.push({ work: `file, ${way}; theirs to theirs`, unit: "MiB/s", ours, theirs });
    }
    return rows;
  },
};

async function pair(bench: Bench, sender: Side, receiver: Side): Promise<Pair> {
  const [alice, bob] = await Promise.all([startPeer(bench, sender), startPeer(bench, receiver)]);
  const both: Pair = {
    alice,
    bob,
    async [Symbol.asyncDispose]() {
      await Promise.all([alice.child.close(), bob.child.close()]);
    },
  };
  await befriend(both);
  await bob.child.order("acceptFiles");
  return both;
}

async function rate(bench: Bench, both: Pair, size: number, rounds: number): Promise<number> {
  await using pairOfPeers = both;
  const { alice } = pairOfPeers;
  await alice.child.order("sendFile", 8 * MEBIBYTE); // until ours is compiled
  const rates: number[] = [];
  for (let round = 0; round < rounds && !bench.isStopped; round++) {
    rates.push(size / MEBIBYTE / (await alice.child.order("sendFile", size)));
  }
  return median(rates);
}
