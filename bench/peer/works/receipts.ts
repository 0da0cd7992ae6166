import type { Work } from "../bench.ts";
import { inTurn, medians } from "../rounds.ts";

/** Until ours is compiled. */
const WARM_UP = 1_000;

export const receipts: Work = {
  name: "receipts",
  describes: "messages sent at once, until the last receipt",
  async measure(bench) {
    const count = bench.quick ? 10_000 : 20_000;
    for (const side of bench.sides) await (await bench.pairs.get(side)).alice.child.order("receipts", WARM_UP);
    const measured = await inTurn(bench, bench.quick ? 1 : 3, async (side) => {
      const { alice } = await bench.pairs.get(side);
      return alice.child.order("receipts", count);
    });
    return [{ work: "messages with receipts", unit: "/s", ...medians(measured, (seconds) => count / seconds) }];
  },
};
