import type { Work } from "../bench.ts";
import { befriend, startTwo } from "../peers.ts";
import { inTurn, medians } from "../rounds.ts";

export const startToOnline: Work = {
  name: "start",
  waits: true,
  describes: "two instances told each other's address, until both see the other online",
  async measure(bench) {
    const rounds = bench.quick ? 1 : 5;
    const measured = await inTurn(bench, rounds, async (side, round) => {
      if (round === rounds - 1) return bench.pairs.meetingTime(side); // this pair stays for others
      await using pair = await startTwo(bench, side);
      return await befriend(pair);
    });
    return [{ work: "start to friend online", unit: "ms", ...medians(measured, (milliseconds) => milliseconds) }];
  },
};
