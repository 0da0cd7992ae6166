import { describe, it } from "vitest";
import { play } from "./player.ts";
import { allScenarios } from "./scenario.ts";

/** In rough weather each scenario is played with so many seeds, from 1 on. */
const ROUGH_SEEDS = 20;
/** Of real time, in ms: a busy machine may take ten times as long as a quiet one. */
const TIMEOUT = 60_000;

/** Makes tests of those scenarios that `include` names: once in fair weather, and many times in rough. */
export async function scenariosAsTests(include: (name: string) => boolean): Promise<void> {
  for (const scenario of await allScenarios()) {
    if (!include(scenario.name)) continue;
    describe(`${scenario.name}: ${scenario.tells}`, () => {
      it("in fair weather", () => play(scenario, { weather: "fair", seed: 1 }), TIMEOUT);
      for (let seed = 1; seed <= ROUGH_SEEDS; seed++) {
        it(`in rough weather, seed ${seed}`, () => play(scenario, { weather: "rough", seed }), TIMEOUT);
      }
    });
  }
}
