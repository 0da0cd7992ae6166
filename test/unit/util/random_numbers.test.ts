import { describe, expect, it } from "vitest";
import type { Random } from "../../../src/env/random.ts";
import { SeededRandom } from "../../../src/testing/index.ts";
import {
  randomBelow,
  randomBytes,
  randomItem,
  randomU32,
  randomU64,
  shuffle,
} from "../../../src/util/random_numbers.ts";

/** Hands out the given bytes one after the other. */
const scripted = (...bytes: number[]): Random => ({
  fill(into) {
    for (let i = 0; i < into.length; i++) into[i] = bytes.shift() ?? 0;
  },
});

describe("random numbers", () => {
  it("are the bytes of the port, big-endian", () => {
    expect(randomBytes(scripted(1, 2, 3), 3)).toEqual(Uint8Array.of(1, 2, 3));
    expect(randomU32(scripted(0xff, 0, 0, 1))).toBe(0xff000001);
    expect(randomU64(scripted(0xff, 0, 0, 1, 0, 0, 0, 2))).toBe(0xff000001_00000002n);
  });

  it("below a limit throw away what would favour the small ones", () => {
    expect(randomBelow(scripted(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 7), 3)).toBe(1);
    expect(randomBelow(scripted(0xff, 0xff, 0xff, 0xff), 0x1_0000_0000)).toBe(0xffffffff);
    expect(randomBelow(scripted(0xff, 0xff, 0xff, 0xff), 1)).toBe(0);
  });

  it("below a limit are spread evenly", () => {
    const random = new SeededRandom("below");
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 7000; i++) {
      const value = randomBelow(random, 7);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    expect(counts.length).toBe(7);
    expect(Math.min(...counts)).toBeGreaterThan(880);
    expect(Math.max(...counts)).toBeLessThan(1120);
  });

  it("choose every item, and none of none", () => {
    const random = new SeededRandom("items");
    const chosen = new Set(Array.from({ length: 200 }, () => randomItem(random, ["a", "b", "c"])));
    expect([...chosen].sort()).toEqual(["a", "b", "c"]);
    expect(randomItem(random, [])).toBeUndefined();
  });

  it("shuffle into every order equally often", () => {
    const random = new SeededRandom("shuffle");
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = shuffle(random, ["a", "b", "c"]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(count > 850 && count < 1150).toBe(true);
  });
});
