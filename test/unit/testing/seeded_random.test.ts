import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../../src/testing/index.ts";
import { randomBytes } from "../../../src/util/random_numbers.ts";

describe("SeededRandom", () => {
  it("draws the same for the same seed, whatever its type, and something else for another", () => {
    expect(randomBytes(new SeededRandom(1), 99)).toEqual(randomBytes(new SeededRandom("1"), 99));
    expect(randomBytes(new SeededRandom(1), 99)).not.toEqual(randomBytes(new SeededRandom(2), 99));
  });

  it("forks by name alone", () => {
    const drawn = new SeededRandom(1);
    randomBytes(drawn, 1000);
    expect(randomBytes(drawn.fork("a"), 32)).toEqual(randomBytes(new SeededRandom(1).fork("a"), 32));
    expect(randomBytes(drawn.fork("a"), 32)).not.toEqual(randomBytes(drawn.fork("b"), 32));
    expect(randomBytes(drawn.fork("a"), 32)).not.toEqual(randomBytes(drawn.fork("a").fork("a"), 32));
  });

  it("draws every byte about as often as any other", () => {
    const counts = new Array<number>(256).fill(0);
    for (const byte of randomBytes(new SeededRandom("even"), 256_000)) counts[byte] = (counts[byte] ?? 0) + 1;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeGreaterThan(170); // 255 expected, standard deviation 22.6
    expect(chiSquare).toBeLessThan(345);
  });

  it("starts similar seeds far apart", () => {
    const firsts = Array.from({ length: 1000 }, (_, seed) => new SeededRandom(seed).nextU32());
    expect(new Set(firsts).size).toBe(1000);
    const mean = firsts.reduce((sum, value) => sum + value, 0) / firsts.length / 2 ** 32;
    expect(mean).toBeGreaterThan(0.45);
    expect(mean).toBeLessThan(0.55);
  });

  it("takes the shares and ranges it was told to", () => {
    const random = new SeededRandom("shares");
    const hits = Array.from({ length: 10_000 }, () => random.chance(0.3)).filter(Boolean).length;
    expect(hits).toBeGreaterThan(2800);
    expect(hits).toBeLessThan(3200);
    for (let i = 0; i < 1000; i++) {
      const value = random.between(5, 7);
      expect(value >= 5 && value < 7).toBe(true);
    }
    expect(random.between(5, 5)).toBe(5);
    expect(random.chance(0)).toBe(false);
    expect(random.chance(1)).toBe(true);
  });
});
