import { describe, expect, it } from "vitest";
import { runCampaign } from "../../fuzz/engine/campaign.ts";
import { findTargets, TARGETS } from "../../fuzz/engine/find_targets.ts";
import type { FuzzTarget } from "../../fuzz/target.ts";

/** Few, and always the same; fewer where a target has not done them within that time. `npm run fuzz` is for the rest. */
const MUTATIONS = 300;
const MILLISECONDS = 700;

describe("the fuzz targets", () => {
  it.each(findTargets(TARGETS))("take their corpus and some mutations of it: $name", async ({ file }) => {
    const target: FuzzTarget = await import(file);
    const inputs = [...target.corpus()];
    expect(inputs.length).toBeGreaterThan(0);
    const untimed = { fuzz: target.fuzz, corpus: () => inputs, limitMs: Number.POSITIVE_INFINITY };
    const { finding, executions } = await runCampaign(untimed, {
      seed: "suite",
      runs: inputs.length + MUTATIONS,
      milliseconds: MILLISECONDS,
    });
    expect(finding).toBeUndefined();
    expect(executions).toBeGreaterThanOrEqual(inputs.length);
  });

  it("give the same input the same verdict, and leave it as it is", async () => {
    for (const { file } of findTargets(TARGETS)) {
      const target: FuzzTarget = await import(file);
      for (const input of target.corpus()) {
        const before = input.slice();
        await target.fuzz(input);
        await target.fuzz(input);
        expect(input).toEqual(before);
      }
    }
  });
});
