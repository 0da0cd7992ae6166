import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { guessPorts, MAX_PORTS } from "../../../src/dht/port_guesses.ts";
import { SeededRandom } from "../../../src/testing/index.ts";

const random = new SeededRandom(1);

describe("guesses of a friend's port", () => {
  it("are the one port that all see, whichever it is", () => {
    for (const port of [53, 33445, 65535]) expect(guessPorts([port, port, port], 0, random)).toEqual([port]);
    expect(guessPorts([], 0, random)).toEqual([]);
  });

  it("begin with what is seen, then go on where the NAT will", () => {
    expect(guessPorts([5003, 5001, 5000], 0, random).slice(0, 7)).toEqual([5003, 5001, 5000, 5004, 5005, 5006, 5007]);
    expect(guessPorts([5004, 5002, 5008], 0, random).slice(3, 6)).toEqual([5010, 5012, 5014]);
  });

  it("have what was given out in between", () => {
    expect(guessPorts([5000, 5009], 0, random)).toEqual(expect.arrayContaining([5001, 5004, 5008]));
  });

  it("walk around ports far apart, farther each round", () => {
    const near = guessPorts([9000, 40_000], 0, random);
    expect(near).toEqual(expect.arrayContaining([9001, 8999, 40_001, 39_999]));
    const far = guessPorts([9000, 40_000], 3, random);
    expect(far.slice(2)).not.toEqual(expect.arrayContaining([9001]));
    expect(Math.max(...far)).toBeGreaterThan(Math.max(...near));
  });

  it("are drawn in part when nothing helps", () => {
    const guesses = guessPorts([9000, 40_000], 6, random);
    const apart = guesses.filter((port) => Math.abs(port - 9000) > 200 && Math.abs(port - 40_000) > 200);
    expect(apart.length).toBeGreaterThan(15);
  });

  it("are each there once, at most 48, none of them a service's", () => {
    const port = fc.integer({ min: 1, max: 65535 });
    fc.assert(
      fc.property(fc.array(port, { maxLength: 16 }), fc.nat(1000), (told, round) => {
        const guesses = guessPorts(told, round, random);
        expect(guesses.length).toBeLessThanOrEqual(MAX_PORTS);
        expect(new Set(guesses).size).toBe(guesses.length);
        for (const guess of guesses) {
          expect(guess >= 1024 || told.includes(guess)).toBe(true);
          expect(guess).toBeLessThanOrEqual(65535);
        }
      }),
    );
  });
});
