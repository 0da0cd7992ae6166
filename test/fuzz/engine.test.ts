import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCampaign } from "../../fuzz/engine/campaign.ts";
import { findTargets, TARGETS } from "../../fuzz/engine/find_targets.ts";
import { minimise } from "../../fuzz/engine/minimise.ts";
import { Mutator } from "../../fuzz/engine/mutator.ts";
import { runAll } from "../../fuzz/engine/schedule.ts";
import { runWatched } from "../../fuzz/engine/watched_run.ts";
import * as needle from "./toys/needle.ts";

const TOYS = join(import.meta.dirname, "toys/");
const toy = (name: string) => join(TOYS, `${name}.ts`);

describe("the mutator", () => {
  const base = Uint8Array.from({ length: 100 }, (_, i) => i);
  const other = new Uint8Array(50).fill(0xee);
  const mutations = (seed: string, maxSize = 150) => {
    const mutator = new Mutator(seed, maxSize);
    return Array.from({ length: 500 }, () => mutator.mutate(base, other));
  };

  it("does the same with the same seed, and something else with another", () => {
    expect(mutations("1")).toEqual(mutations("1"));
    expect(mutations("1")).not.toEqual(mutations("2"));
  });

  it("keeps to the longest size, and leaves what it starts from alone", () => {
    expect(Math.max(...mutations("3", 110).map(({ length }) => length))).toBe(110);
    expect(base).toEqual(Uint8Array.from({ length: 100 }, (_, i) => i));
  });

  it("cuts, lengthens, mixes and changes in place", () => {
    const all = mutations("4");
    expect(all.some(({ length }) => length < 50)).toBe(true);
    expect(all.some(({ length }) => length > 130)).toBe(true);
    expect(all.some((bytes) => bytes.includes(0xee))).toBe(true);
    expect(all.some((bytes) => bytes.length === 100 && bytes.filter((byte, i) => byte !== i).length === 1)).toBe(true);
  });

  it("works on nothing", () => {
    const mutator = new Mutator("5", 10);
    const nothing = new Uint8Array(0);
    for (let i = 0; i < 200; i++) expect(mutator.mutate(nothing, nothing).length).toBeLessThanOrEqual(10);
  });
});

describe("the minimiser", () => {
  it("leaves out what is not needed, and makes zeros of the rest", async () => {
    const input = Uint8Array.from({ length: 300 }, (_, i) => i % 199);
    const fails = async (bytes: Uint8Array) => bytes.includes(150) && bytes.length >= 5;
    expect([...(await minimise(input, fails))].sort((a, b) => a - b)).toEqual([0, 0, 0, 0, 150]);
  });
});

describe("a campaign", () => {
  const runSeeded = async (seed: string) => {
    const { executions, finding } = await runCampaign(needle, { seed, runs: 20_000 });
    return { executions, input: finding?.input };
  };

  it("finds a planted bug and makes its input small", async () => {
    const { finding } = await runCampaign(needle, { seed: "1", runs: 20_000 });
    expect(finding?.failure.message).toBe("Error: 200 at 3");
    expect([...(finding?.input ?? [])]).toEqual([0, 0, 0, 200]);
  });

  it("does the same again with the same seed", async () => {
    const [one, other] = [await runSeeded("2"), await runSeeded("2")];
    expect(one).toEqual(other);
    expect(await runSeeded("3")).not.toEqual(one);
  });

  it("runs so often as it was told", async () => {
    const { executions, finding } = await runCampaign({ ...needle, fuzz: () => undefined }, { seed: "3", runs: 777 });
    expect([executions, finding]).toEqual([777, undefined]);
  });

  it("calls an input slow that takes too long every time", async () => {
    const { finding } = await runCampaign({ ...needle, fuzz: () => undefined, limitMs: -1 }, { seed: "4", runs: 1 });
    expect(finding?.failure.kind).toBe("slow");
  });
});

describe("a watched run", () => {
  it("climbs a ladder of branches with coverage, and not without", async () => {
    const order = { file: toy("ladder"), seed: "1", runs: 60_000 };
    expect((await runWatched(order)).finding).toBeUndefined();
    const { finding } = await runWatched({ ...order, coverage: TOYS });
    expect([...(finding?.input ?? [])]).toEqual([127, 31, 100]);
  });

  it("ends a target that hangs, and has its input", async () => {
    const { finding } = await runWatched({ file: toy("hang"), seed: "1", runs: 60_000 }, 1_000);
    expect(finding?.failure.kind).toBe("hang");
    expect(finding?.input[0]).toBe(7);
  });

  it("reports what rejects", async () => {
    const { finding } = await runWatched({ file: toy("rejects"), seed: "1", input: Uint8Array.of(1) });
    expect(finding?.failure).toMatchObject({ kind: "broken", message: "Error: too short" });
  });

  it("reports what never settles", async () => {
    const { finding } = await runWatched({ file: toy("rejects"), seed: "1", input: Uint8Array.of(1, 2, 3, 4) });
    expect(finding?.failure.kind).toBe("crash");
    expect([...(finding?.input ?? [])]).toEqual([1, 2, 3, 4]);
  });

  it("reports a module that cannot be loaded", async () => {
    const { finding } = await runWatched({ file: toy("missing"), seed: "1", runs: 1 });
    expect(finding?.failure.message).toContain("Cannot find module");
  });

  it("runs the corpus first", async () => {
    const { result, finding } = await runWatched({ file: toy("spoilt"), seed: "1", runs: 1 });
    expect([...(finding?.input ?? [])]).toEqual([0, 0]);
    expect(result?.executions).toBe(2);
  });
});

describe("a campaign over several targets", () => {
  it("leaves time for the last when the first took too long", async () => {
    const last = findTargets(TARGETS).filter(({ name }) => name === "tox_id");
    const targets = [{ name: "slow_start", file: toy("slow_start") }, ...last];
    const executions = new Map<string, number>();
    for await (const { target, report } of runAll(targets, { seed: "1", milliseconds: 1_000, lanes: 1 })) {
      executions.set(target.name, report.result?.executions ?? 0);
    }
    expect(executions.get("tox_id")).toBeGreaterThan(100);
  });
});
