import { median } from "../../support/statistics.ts";
import type { Row, Work } from "../bench.ts";
import { startPair, waysOf } from "../peers.ts";

const MEBIBYTE = 2 ** 20;

/** Way by way in each round, so that all have the same weather; libtoxcore is slow in a session's first file. */
export const file: Work = {
  name: "file",
  describes: "a file from memory, from its offer until all of it is acknowledged",
  async measure(bench) {
    const size = (bench.quick ? 32 : 100) * MEBIBYTE;
    const ways = waysOf(bench);
    await using pairs = new AsyncDisposableStack();
    const measured = await Promise.all(
      ways.map(async ([sender, receiver]) => {
        const pair = pairs.use(await startPair(bench, sender, receiver));
        await pair.bob.child.order("acceptFiles");
        return { name: `${sender} to ${receiver}`, pair, rates: [] as number[] };
      }),
    );
    for (const { pair } of measured) await pair.alice.child.order("sendFile", 32 * MEBIBYTE);
    for (let round = 0; round < (bench.quick ? 2 : 5); round++) {
      for (const { pair, rates } of measured) {
        rates.push(size / MEBIBYTE / (await pair.alice.child.order("sendFile", size)));
      }
    }
    const rateOf = (way: string) => {
      const rates = measured.find(({ name }) => name === way)?.rates;
      return rates === undefined ? null : median(rates);
    };
    const theirs = rateOf("theirs to theirs");
    return measured
      .filter(({ name }) => name !== "theirs to theirs")
      .map(({ name }): Row => ({ work: `file, ${name}`, unit: "MiB/s", ours: rateOf(name), theirs }));
  },
};
