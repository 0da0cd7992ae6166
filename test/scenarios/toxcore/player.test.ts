import { describe, expect, it } from "vitest";
import { play } from "./player.ts";
import { allScenarios, type Scenario } from "./scenario.ts";

const greeting: Scenario = {
  name: "greeting",
  tells: "One word",
  async play(stage) {
    const { bob, aliceSees } = await stage.twoFriends();
    aliceSees.send("good morning");
    await stage.hears(bob, "message");
  },
};

const inVain: Scenario = {
  ...greeting,
  async play(stage) {
    await greeting.play(stage);
    throw new Error("it was in vain");
  },
};

async function traceOf(scenario: Scenario, seed: number): Promise<{ hash: string | undefined; lines: string[] }> {
  const lines: string[] = [];
  const trace = (told: Iterable<string>) => void lines.push(...told);
  const { hash } = await play(scenario, { weather: "rough", seed, trace, hashed: true });
  return { hash, lines };
}

describe("the scenario player", () => {
  it("finds every scenario that there is a file for", async () => {
    const scenarios = await allScenarios();
    expect(scenarios.length).toBeGreaterThanOrEqual(23);
    for (const { name, tells } of scenarios) expect([name, tells]).toEqual([expect.stringMatching(/^\w+$/), tells]);
  });

  it("plays the same for the same seed", async () => {
    const first = await traceOf(greeting, 3);
    expect(await traceOf(greeting, 3)).toEqual(first);
    expect((await traceOf(greeting, 4)).hash).not.toBe(first.hash);
  });

  it("tells who sent what, what became of it and who heard of it, in the order of time", async () => {
    const { lines } = await traceOf(greeting, 3);
    const text = lines.join("\n");
    expect(text).toMatch(/^ +\d+\.\d {2}Alice > node 0 {2}NodesRequest 113 B$/m);
    expect(text).toMatch(/ {2}lost$/m);
    expect(text).toMatch(/^ +\d+\.\d {2}Bob hears message friend=Alice text="good morning" action=false/m);
    const times = lines.map((line) => Number.parseFloat(line));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it("says how a scenario that failed is played again, and tells its trace all the same", async () => {
    const lines: string[] = [];
    const trace = (told: Iterable<string>) => void lines.push(...told);
    await expect(play(inVain, { weather: "rough", seed: 5, trace })).rejects.toThrow(
      "it was in vain\nplay it again: npm run scenario -- greeting --weather rough --seed 5 --trace",
    );
    expect(lines.join("\n")).toContain("Bob hears message");
  });
});
