import { Crypto } from "../../src/crypto/crypto.ts";
import { hsalsa20 } from "../../src/crypto/hsalsa20.ts";
import { AUTH_SIZE, MAC_SIZE, SHA512_SIZE, SHARED_KEY_SIZE } from "../../src/crypto/keys.ts";
import { nobleProvider } from "../../src/crypto/noble.ts";
import type { CryptoProvider } from "../../src/crypto/provider.ts";
import { SharedKeyCache } from "../../src/crypto/shared_key_cache.ts";
import { TimedAuth } from "../../src/crypto/timed_auth.ts";
import { nodeRandom } from "../../src/node/random.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { randomBytes } from "../../src/util/random_numbers.ts";
import { callRows, type Part } from "./part.ts";
import { random, stillClock } from "./quiet.ts";

/** A DHT ping's payload, and the longest data of a session. */
const SIZES = [9, 1373];

export const crypto: Part = {
  name: "crypto",
  about: "the primitives of both providers, and what stands right on them",
  async *rows(effort) {
    for (const provider of [sodiumProvider, nobleProvider]) yield* callRows(effort, primitives(provider));
    yield* callRows(effort, composed());
  },
};

function primitives(provider: CryptoProvider): Record<string, () => unknown> {
  const { name } = provider;
  const crypto = new Crypto(provider, random);
  const [ours, theirs] = [crypto.keyPair(), crypto.keyPair()];
  const [key, nonce] = [crypto.symmetricKey(), crypto.nonce()];
  const calls: Record<string, () => unknown> = {};
  for (const size of SIZES) {
    const message = randomBytes(random, size);
    const opened = new Uint8Array(size);
    const boxed = crypto.seal(message, nonce, key);
    const into = new Uint8Array(size + MAC_SIZE);
    calls[`${name}: seal ${size} bytes`] = () => provider.seal(into, message, nonce, key);
    calls[`${name}: open ${size} bytes`] = () => provider.open(opened, boxed, nonce, key);
  }
  const forged = crypto.seal(new Uint8Array(SIZES[1] ?? 0), nonce, key).fill(0, 0, MAC_SIZE);
  const opened = new Uint8Array(forged.length - MAC_SIZE);
  calls[`${name}: refuse ${opened.length} forged bytes`] = () => provider.open(opened, forged, nonce, key);
  const shared = new Uint8Array(SHARED_KEY_SIZE);
  calls[`${name}: shared key (X25519, HSalsa20)`] = () => provider.sharedKey(shared, theirs.publicKey, ours.secretKey);
  calls[`${name}: public key (X25519)`] = () => provider.publicKey(shared, ours.secretKey);
  const auth = new Uint8Array(AUTH_SIZE);
  const announced = randomBytes(random, 59);
  calls[`${name}: HMAC of a ping id`] = () => provider.authenticate(auth, announced, key);
  const hash = new Uint8Array(SHA512_SIZE);
  const cookie = randomBytes(random, 112);
  calls[`${name}: SHA-512 of a cookie`] = () => provider.sha512(hash, cookie);
  return calls;
}

function composed(): Record<string, () => unknown> {
  const crypto = new Crypto(sodiumProvider, random);
  const { secretKey, publicKey } = crypto.keyPair();
  const known = Array.from({ length: 1000 }, () => randomBytes(random, 32));
  const cache = new SharedKeyCache(crypto, secretKey);
  for (const key of known) cache.get(key);
  let next = 0;
  const auth = new TimedAuth(crypto, stillClock(), 300);
  const address = randomBytes(random, 19);
  const pingId = auth.make(publicKey, address);
  const stranger = new Uint8Array(32);
  const nonce = new Uint8Array(24);
  const product = randomBytes(random, 32);
  return {
    "shared key cache: one of 1,000 that are known": () => cache.get(known[next++ % known.length] as Uint8Array),
    "shared key cache: a new one": () => {
      new DataView(stranger.buffer).setUint32(0, ++next);
      return cache.get(stranger);
    },
    HSalsa20: () => hsalsa20(stranger, product),
    "random nonce from the system": () => nodeRandom.fill(nonce),
    "random nonce from the supply": () => random.fill(nonce),
    "ping id: make": () => auth.make(publicKey, address),
    "ping id: check": () => auth.check(pingId, publicKey, address),
  };
}
