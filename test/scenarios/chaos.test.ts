import { describe, expect, it } from "vitest";
import { type ChaosOptions, playChaos } from "../support/chaos/chaos.ts";

/** `TOX_CHAOS=1234` plays one story alone and tells it; `TOX_CHAOS=1000-2000` plays as many as that. */
const asked = process.env.TOX_CHAOS;
const [first = 0, last = first] = (asked ?? "").split("-").map(Number);
const seeds = asked === undefined ? upTo(1, 20) : upTo(first, last);
const told: ChaosOptions = seeds.length === 1 ? { log: console.log } : {};
/** In virtual ms, once the network is whole. What may take so long: a session that is given up after 32 s. */
const RECOVERY = 120_000;
/** The slowest app takes so long for a message. */
const SLOWEST = 150_000;

function upTo(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

describe("whatever the network does, and whoever crashes", () => {
  it.each(seeds)("no message is lost or shown twice, and friends find each other again (seed %i)", async (seed) => {
    const { problems, onlineAfter, deliveredAfter } = await playChaos(seed, told);
    expect(problems).toEqual([]);
    expect(onlineAfter).toBeLessThan(RECOVERY);
    expect(deliveredAfter).toBeLessThan(RECOVERY + SLOWEST);
  });

  it("the same seed tells the same story", async () => {
    const options: ChaosOptions = { people: 2, crowd: 2, events: 6 };
    expect(await playChaos(4711, options)).toEqual(await playChaos(4711, options));
  });
});
