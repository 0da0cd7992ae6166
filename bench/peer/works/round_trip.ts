import { median } from "../../support/statistics.ts";
import type { Work } from "../bench.ts";
import { inTurn, medians } from "../rounds.ts";

const WARM_UP = 50;

export const roundTrip: Work = {
  name: "roundtrip",
  describes: "one message there and its echo back, between friends that are online",
  async measure(bench) {
    for (const side of bench.sides) {
      const { alice, bob } = await bench.pairs.get(side);
      await bob.child.order("echo", true);
      if (side === "ours") await alice.child.order("roundTrips", WARM_UP); // until it is compiled; C is
    }
    const counts = bench.quick ? { ours: 200, theirs: 15 } : { ours: 200, theirs: 40 };
    const measured = await inTurn(bench, bench.quick ? 2 : 5, async (side) => {
      const { alice } = await bench.pairs.get(side);
      return alice.child.order("roundTrips", counts[side]);
    });
    for (const side of bench.sides) await (await bench.pairs.get(side)).bob.child.order("echo", false);
    return [{ work: "message round trip, median", unit: "ms", ...medians(measured, median) }];
  },
};
