import type { Bench, Row, Side, Work } from "../bench.ts";

export const idle: Work = {
  name: "idle",
  waits: true,
  describes: "processor and memory of an instance that has one friend online and nothing to do",
  async measure(bench) {
    const seconds = bench.quick ? 8 : 40;
    for (const side of bench.sides) await bench.pairs.get(side);
    await bench.pause(bench.quick ? 1_000 : 10_000);
    // at the same time: they sleep, and do not get into each other's way
    const used = await Promise.all(bench.sides.map((side) => usedIn(bench, side, seconds)));
    const [ours, theirs] = used;
    const rows: Row[] = [
      {
        work: "idle CPU, one friend online",
        unit: "% of a core",
        ours: ours?.percent ?? null,
        theirs: theirs?.percent ?? null,
        note: "ours is the whole process; theirs is what passes within tox_iterate, without the loop that calls it",
      },
      { work: "memory, idle, one friend online", unit: "MiB", ours: ours?.mebibytes ?? null, theirs: null },
    ];
    return rows;
  },
};

async function usedIn(bench: Bench, side: Side, seconds: number) {
  const { alice } = await bench.pairs.get(side);
  const before = await alice.child.order("usage");
  await bench.pause(seconds * 1000);
  const after = await alice.child.order("usage");
  return { percent: (100 * (after.cpuSeconds - before.cpuSeconds)) / seconds, mebibytes: after.memory / 2 ** 20 };
}
