import { describe, expect, it } from "vitest";
import type { Random } from "../../../src/env/random.ts";
import { nodeRandom, suppliedRandom } from "../../../src/node/random.ts";
import { randomBytes } from "../../../src/util/random_numbers.ts";

const nodeSupplied = suppliedRandom();

describe.each([
  ["nodeRandom", nodeRandom],
  ["suppliedRandom", nodeSupplied],
])("%s", (_, random) => {
  it.each([4, 24, 31, 32, 64])("fills exactly the %i bytes it is given", (length) => {
    const whole = new Uint8Array(length + 64);
    random.fill(whole.subarray(32, 32 + length));
    expect(whole.subarray(0, 32).every((byte) => byte === 0)).toBe(true);
    expect(whole.subarray(32 + length).every((byte) => byte === 0)).toBe(true);
    expect(whole.subarray(32, 32 + length).every((byte) => byte === 0)).toBe(false);
  });

  it("never gives the same twice", () => {
    const seen = new Set<string>();
    for (let i = 0; i < 5000; i++) seen.add(String(randomBytes(random, 24)));
    expect(seen.size).toBe(5000);
  });
});

describe("suppliedRandom", () => {
  /** Counts up, so that each byte's origin can be told; remembers what it was asked to fill. */
  function countingRandom(): Random & { readonly filled: Uint8Array[] } {
    let next = 0;
    const filled: Uint8Array[] = [];
    return {
      filled,
      fill(into) {
        filled.push(into);
        for (let i = 0; i < into.length; i++) into[i] = next++ % 251;
      },
    };
  }

  it("gives each byte of its source out once, in order, and keeps none that it has given", () => {
    const source = countingRandom();
    const random = suppliedRandom(source);
    const first = randomBytes(random, 8);
    const second = randomBytes(random, 24);
    expect([...first, ...second]).toEqual(Array.from({ length: 32 }, (_, i) => i));
    const supply = source.filled[0] as Uint8Array;
    expect(supply.subarray(0, 32)).toEqual(new Uint8Array(32));
    expect(supply[32]).toBe(32);
  });

  it("fetches more when what is left is too little", () => {
    const source = countingRandom();
    const random = suppliedRandom(source);
    const drawn: number[] = [];
    for (let i = 0; i < 1000; i++) drawn.push(...randomBytes(random, 24));
    const { length } = source.filled[0] as Uint8Array;
    const usable = length - (length % 24);
    const expected = Array.from({ length: 24_000 }, (_, i) => (Math.floor(i / usable) * length + (i % usable)) % 251);
    expect(drawn).toEqual(expected);
  });

  it("takes keys straight from its source", () => {
    const source = countingRandom();
    const random = suppliedRandom(source);
    random.fill(new Uint8Array(4));
    const key = new Uint8Array(32);
    random.fill(key);
    expect(source.filled[1]).toBe(key);
  });
});
