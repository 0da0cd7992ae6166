import { describe, expect, it } from "vitest";
import { Crypto } from "../../../src/crypto/crypto.ts";
import { KeyBudget } from "../../../src/crypto/key_budget.ts";
import { SharedKeyCache } from "../../../src/crypto/shared_key_cache.ts";
import type { Clock } from "../../../src/env/clock.ts";
import { sodiumProvider } from "../../../src/node/sodium_provider.ts";
import { SeededRandom } from "../../../src/testing/index.ts";

/** A clock that only computing moves on, by as much as the test says. */
function setUp(keyCost: number, share = 0.2) {
  let now = 1000;
  const clock: Clock = { monotonic: () => now, wall: () => 0, at: () => () => {} };
  const provider = {
    ...sodiumProvider,
    sharedKey(out: Uint8Array, publicKey: Uint8Array, secretKey: Uint8Array) {
      now += keyCost;
      return sodiumProvider.sharedKey(out, publicKey, secretKey);
    },
  };
  const crypto = new Crypto(provider, new SeededRandom("budget"));
  const budget = new KeyBudget(clock, share);
  const cache = new SharedKeyCache(crypto, crypto.keyPair().secretKey);
  const key = new Uint8Array(32);
  const stranger = () => {
    crypto.random.fill(key);
    return cache.getForStranger(key, budget);
  };
  return {
    cache,
    budget,
    crypto,
    stranger,
    pass: (ms: number) => {
      now += ms;
    },
    /** How many keys are made of `tries`, `gap` ms apart. */
    made: (tries: number, gap: number) => {
      let made = 0;
      for (let i = 0; i < tries; i++) {
        now += gap;
        if (stranger() !== "rate-limited") made++;
      }
      return made;
    },
  };
}

describe("the budget for strangers' keys", () => {
  it("gives a flood of them its share of the time, and no more", () => {
    const { made } = setUp(0.05);
    made(20_000, 0.01); // what may be spent at once
    const start = 100_000;
    const count = made(start, 0.01);
    // Time passes by the gaps and by the keys: made × 0.05 is a fifth of made × 0.05 + 100,000 × 0.01.
    expect((count * 0.05) / (count * 0.05 + start * 0.01)).toBeCloseTo(0.2, 2);
  });

  it("lets a moderate number through, and what is quiet spare for later", () => {
    const { made, pass } = setUp(0.05);
    expect(made(10_000, 0.5)).toBe(10_000);
    pass(10_000);
    expect(made(1_000, 0)).toBeGreaterThan(990);
    expect(made(1_000, 0)).toBeLessThan(300);
  });

  it("allows few where keys are dear", () => {
    const { made } = setUp(2);
    made(100, 1);
    expect(made(10_000, 1)).toBeLessThan(10_000 * 0.15);
  });

  it("does not take a time in which others ran for the price of a key", () => {
    const { made } = setUp(10_000);
    expect(made(9, 0)).toBe(9);
  });

  it("neither counts nor refuses keys that are kept, nor those that we ask for ourselves", () => {
    const { cache, budget, crypto, stranger, made } = setUp(0.05, 0);
    const friend = crypto.keyPair().publicKey;
    const shared = cache.get(friend);
    made(5_000, 0);
    expect(stranger()).toBe("rate-limited");
    expect(cache.getForStranger(friend, budget)).toBe(shared);
    expect(cache.get(crypto.keyPair().publicKey)).toBeInstanceOf(Uint8Array);
  });

  it("names a weak key as such", () => {
    const { cache, budget } = setUp(0.05);
    expect(cache.getForStranger(new Uint8Array(32), budget)).toBe("weak-key");
  });
});
