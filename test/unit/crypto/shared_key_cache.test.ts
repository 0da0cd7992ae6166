import { describe, expect, it } from "vitest";
import { Crypto } from "../../../src/crypto/crypto.ts";
import { KeyBudget } from "../../../src/crypto/key_budget.ts";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../../src/crypto/shared_key_cache.ts";
import type { Clock } from "../../../src/env/clock.ts";
import { sodiumProvider } from "../../../src/node/sodium_provider.ts";
import { SeededRandom } from "../../../src/testing/index.ts";
import { isAllZero, sameBytes, toHex } from "../../../src/util/bytes.ts";
import { weakPublicKeys } from "./vectors.ts";

const clock: Clock = { monotonic: () => 0, wall: () => 0, at: () => () => {} };

function counting() {
  const products = { count: 0 };
  const provider = {
    ...sodiumProvider,
    sharedKey(out: Uint8Array, publicKey: Uint8Array, secretKey: Uint8Array) {
      products.count++;
      return sodiumProvider.sharedKey(out, publicKey, secretKey);
    },
  };
  const crypto = new Crypto(provider, new SeededRandom("cache"));
  const own = crypto.keyPair();
  const strangers = (count: number): PublicKey[] => Array.from({ length: count }, () => crypto.keyPair().publicKey);
  const cacheOf = (limit: number) => new SharedKeyCache(crypto, own.secretKey, limit);
  return { crypto, own, products, strangers, cacheOf };
}

describe("SharedKeyCache", () => {
  it("makes each key once", () => {
    const { crypto, own, products, strangers, cacheOf } = counting();
    const cache = cacheOf(100);
    const keys = strangers(50);
    const hex = (key?: Uint8Array) => toHex(key ?? new Uint8Array());
    const right = keys.map((key) => hex(crypto.sharedKey(key, own.secretKey)));
    expect(keys.map((key) => hex(cache.get(key)))).toEqual(right);
    products.count = 0;
    expect(keys.map((key) => hex(cache.get(key.slice())))).toEqual(right);
    expect(products.count).toBe(0);
  });

  it("never holds more than its limit, however many ask", () => {
    const { strangers, cacheOf } = counting();
    for (const limit of [1, 2, 7, 64]) {
      const cache = cacheOf(limit);
      for (const key of strangers(300)) {
        cache.get(key);
        expect(cache.size).toBeLessThanOrEqual(limit);
      }
    }
  });

  it("keeps no key under which nothing opens, whoever asked for it", () => {
    const { crypto, own, products, strangers, cacheOf } = counting();
    const cache = cacheOf(8);
    const sealed = strangers(8).map(() => {
      const { publicKey, secretKey } = crypto.keyPair();
      const shared = crypto.sharedKey(own.publicKey, secretKey);
      const nonce = crypto.nonce();
      return { publicKey, nonce, box: crypto.seal(new Uint8Array(9), nonce, shared ?? expect.unreachable()) };
    });
    const openAll = () => sealed.map(({ publicKey, box, nonce }) => cache.open(publicKey, box, nonce));
    expect(openAll()).toEqual(sealed.map(() => new Uint8Array(9)));
    for (const stranger of strangers(100)) {
      expect(cache.open(stranger, new Uint8Array(40), new Uint8Array(24))).toBe("forged");
    }
    products.count = 0;
    openAll();
    expect(products.count).toBe(0);
  });

  it("keeps a busy key through a flood of strangers", () => {
    const { products, strangers, cacheOf } = counting();
    const cache = cacheOf(64);
    const [friend] = strangers(1);
    if (friend === undefined) return expect.unreachable();
    cache.get(friend);
    for (const [i, stranger] of strangers(500).entries()) {
      cache.get(stranger);
      if (i % 20 !== 0) continue;
      products.count = 0;
      cache.get(friend);
      expect(products.count).toBe(0);
    }
  });

  it("keeps a stranger's key once it has opened a box, and none that garbage names", () => {
    const { crypto, own, products, cacheOf } = counting();
    const cache = cacheOf(8);
    const budget = new KeyBudget(clock, { forged: 1, all: () => 1 });
    const open = (key: PublicKey, box: Uint8Array) => cache.openFromStranger(key, box, nonce, budget);
    const nonce = crypto.nonce();
    const real = Array.from({ length: 8 }, () => crypto.keyPair());
    const boxes = real.map(({ secretKey }, i) => {
      const shared = crypto.sharedKey(own.publicKey, secretKey);
      return shared === undefined ? expect.unreachable() : crypto.seal(Uint8Array.of(i), nonce, shared);
    });
    for (const [i, { publicKey }] of real.entries())
      expect(open(publicKey, boxes[i] as Uint8Array)).toEqual(Uint8Array.of(i));
    expect(cache.size).toBe(8);
    for (const { publicKey } of Array.from({ length: 50 }, () => crypto.keyPair())) {
      expect(open(publicKey, boxes[0] as Uint8Array)).toBe("forged");
      expect(open(publicKey, new Uint8Array(15))).toBe("forged");
    }
    products.count = 0;
    for (const [i, { publicKey }] of real.entries())
      expect(open(publicKey, boxes[i] as Uint8Array)).toEqual(Uint8Array.of(i));
    expect(products.count).toBe(0);
  });

  it("opens into the bytes it is given", () => {
    const { crypto, own, cacheOf } = counting();
    const { publicKey, secretKey } = crypto.keyPair();
    const shared = crypto.sharedKey(own.publicKey, secretKey);
    if (shared === undefined) return expect.unreachable();
    const nonce = crypto.nonce();
    const into = new Uint8Array(10).fill(9);
    const message = cacheOf(8).open(publicKey, crypto.seal(Uint8Array.of(1, 2), nonce, shared), nonce, into);
    expect(message).toEqual(Uint8Array.of(1, 2));
    expect(into).toEqual(Uint8Array.of(1, 2, 9, 9, 9, 9, 9, 9, 9, 9));
  });

  it("has and keeps nothing for weak keys", () => {
    const cache = counting().cacheOf(64);
    for (const key of weakPublicKeys) expect(cache.get(key)).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it("wipes what it forgets", () => {
    const { strangers, cacheOf } = counting();
    const cache = cacheOf(4);
    const [first, ...others] = strangers(8);
    const shared = cache.get(first ?? new Uint8Array(32));
    if (shared === undefined) return expect.unreachable();
    const copy = shared.slice();
    for (const key of others) cache.get(key);
    expect(sameBytes(shared, copy)).toBe(false);
    const last = cache.get(others.at(-1) ?? new Uint8Array(32));
    cache.clear();
    expect([cache.size, isAllZero(last ?? Uint8Array.of(1))]).toEqual([0, true]);
  });
});
