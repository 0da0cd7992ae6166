import { describe, expect, it } from "vitest";
import { Crypto } from "../../../src/crypto/crypto.ts";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../../src/crypto/shared_key_cache.ts";
import { sodiumProvider } from "../../../src/node/sodium_provider.ts";
import { SeededRandom } from "../../../src/testing/index.ts";
import { isAllZero, toHex } from "../../../src/util/bytes.ts";
import { weakPublicKeys } from "./vectors.ts";

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
    const firsts = keys.map((key) => cache.get(key));
    expect(firsts.map((key) => toHex(key ?? new Uint8Array()))).toEqual(
      keys.map((key) => toHex(crypto.sharedKey(key, own.secretKey) ?? new Uint8Array())),
    );
    products.count = 0;
    for (const [i, key] of keys.entries()) expect(cache.get(key.slice())).toBe(firsts[i]);
    expect(products.count).toBe(0);
  });

  it("never holds more than its limit, however many ask", () => {
    const { strangers, cacheOf } = counting();
    for (const limit of [1, 2, 7, 64]) {
      const cache = cacheOf(limit);
      for (const key of strangers(300)) {
        cache.get(key);
        expect(cache.size).toBeLessThanOrEqual(Math.max(limit, 2));
      }
    }
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
    expect(isAllZero(shared)).toBe(false);
    for (const key of others) cache.get(key);
    expect(isAllZero(shared)).toBe(true);
    const last = cache.get(others.at(-1) ?? new Uint8Array(32));
    cache.clear();
    expect([cache.size, isAllZero(last ?? Uint8Array.of(1))]).toEqual([0, true]);
  });
});
