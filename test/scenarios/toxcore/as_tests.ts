import { describe, it } from "vitest";
import { play } from "./player.ts";
import { allScenarios } from "./scenario.ts";

/** In rough weather each scenario is played with so many seeds, from 1 on… */
const ROUGH_SEEDS = 10;
/** …but a large one with so many, which take as long as those of most small ones together. */
const LARGE_ROUGH_SEEDS = 5;
/** Of real time, in ms: a busy machine may take ten times as long as a quiet one. */
const TIMEOUT = 60_000;

/** Makes tests of the large scenarios, or of the others: once in fair weather, and many times in rough. */
export async function scenariosAsTests({ large }: { readonly large: boolean }): Promise<void> {
  for (const scenario of await allScenarios()) {
    if (scenario.large !== large) continue;
    describe(`${scenario.name}: ${scenario.tells}`, () => {
      it("in fair weather", () => play(scenario, { weather: "fair", seed: 1 }), TIMEOUT);
      for (let seed = 1; seed <= (large ? LARGE_ROUGH_SEEDS : ROUGH_SEEDS); seed++) {
        it(`in rough weather, seed ${seed}`, () => play(scenario, { weather: "rough", seed }), TIMEOUT);
      }
    });
  }
}
