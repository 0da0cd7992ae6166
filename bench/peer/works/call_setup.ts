import { median } from "../../support/statistics.ts";
import type { Bench, Row, Work } from "../bench.ts";
import { type Pair, startPair, waysOf } from "../peers.ts";

const ROUNDS = 7;

export const callSetup: Work = {
  name: "callsetup",
  describes: "from a call, which is answered at once, until both have heard the other",
  async measure(bench) {
    await using pairs = new AsyncDisposableStack();
    const measured: { name: string; pair: Pair; times: number[] }[] = [];
    for (const [caller, called] of waysOf(bench)) {
      const pair = pairs.use(await startPair(bench, caller, called, { av: true }));
      await pair.bob.child.order("answerCalls", { sound: "notes" });
      measured.push({ name: `${caller} to ${called}`, pair, times: [] });
    }
    for (const { pair } of measured) await setUp(bench, pair); // codecs are loaded once
    for (let round = 0; round < (bench.quick ? 3 : ROUNDS); round++) {
      for (const { pair, times } of measured) times.push(await setUp(bench, pair));
    }
    const timeOf = (way: string) => {
      const times = measured.find(({ name }) => name === way)?.times;
      return times === undefined ? null : median(times);
    };
    const theirs = timeOf("theirs to theirs");
    return measured
      .filter(({ name }) => name !== "theirs to theirs")
      .map(
        ({ name, times }): Row => ({
          ...{ work: `call to first sound, ${name}`, unit: "ms", ours: timeOf(name), theirs },
          note: `the longest of ${times.length}: ${Math.round(Math.max(...times))} ms`,
        }),
      );
  },
};

async function setUp(bench: Bench, { alice, bob }: Pair): Promise<number> {
  const calledAt = await alice.child.order("call", { sound: "notes" });
  const heard = await Promise.all([alice.child.order("firstHeardAt"), bob.child.order("firstHeardAt")]);
  await alice.child.order("hangUp");
  await bob.child.order("hangUp");
  await bench.pause(500);
  return Math.max(...heard) - calledAt;
}
