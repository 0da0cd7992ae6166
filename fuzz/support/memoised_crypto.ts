import { Crypto } from "../../src/crypto/crypto.ts";
import type { CryptoProvider } from "../../src/crypto/provider.ts";
import type { Random } from "../../src/env/random.ts";
import { loadCryptoProvider } from "../../src/node/crypto_loader.ts";
import { SeededRandom } from "../../src/testing/seeded_random.ts";

const MAX_REMEMBERED = 200_000;

/** The same primitives, which compute each key only once: programs use the same keys again and again. */
function memoised(provider: CryptoProvider): CryptoProvider {
  const publicKeys = new Map<string, Uint8Array>(); // these two bounded by MAX_REMEMBERED
  const sharedKeys = new Map<string, Uint8Array>();
  return {
    ...provider,
    publicKey(out, secretKey) {
      const known = publicKeys.get(text(secretKey));
      if (known !== undefined) return out.set(known);
      provider.publicKey(out, secretKey);
      remember(publicKeys, text(secretKey), out.slice());
    },
    sharedKey(out, publicKey, secretKey) {
      const pair = text(publicKey) + text(secretKey);
      const known = sharedKeys.get(pair);
      if (known !== undefined) {
        out.set(known);
        return known.length > 0;
      }
      const isStrong = provider.sharedKey(out, publicKey, secretKey);
      remember(sharedKeys, pair, isStrong ? out.slice() : new Uint8Array(0));
      return isStrong;
    },
  };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function remember(keys: Map<string, Uint8Array>, name: string, key: Uint8Array): void {
  if (keys.size >= MAX_REMEMBERED) keys.clear();
  keys.set(name, key);
}

const pools = new Map<string, Uint8Array[]>(); // one for each name in the targets

/**
 * Randomness whose draws of 32 bytes, which are keys mostly, come from a row of their own: whatever else a program has
 * drawn, its nth key is the same as in every other program, so that hardly any key has to be computed.
 */
class PooledRandom implements Random {
  readonly #pool: Uint8Array[];
  readonly #keys: SeededRandom;
  readonly #others: SeededRandom;
  #next = 0;

  constructor(name: string) {
    this.#keys = new SeededRandom(`${name} keys`);
    this.#others = new SeededRandom(name);
    let pool = pools.get(name);
    if (pool === undefined) {
      pool = [];
      pools.set(name, pool);
    }
    this.#pool = pool;
  }

  fill(into: Uint8Array): void {
    if (into.length !== 32) {
      this.#others.fill(into);
      return;
    }
    const number = this.#next++;
    let key = this.#pool[number];
    if (key === undefined) {
      key = new Uint8Array(32);
      this.#keys.fork(String(number)).fill(key);
      this.#pool[number] = key;
    }
    into.set(key);
  }
}

const provider = memoised(await loadCryptoProvider());

/** The cryptography of one machine in a program; the same name draws the same. */
export function fuzzCrypto(name: string): Crypto {
  return new Crypto(provider, new PooledRandom(name));
}
