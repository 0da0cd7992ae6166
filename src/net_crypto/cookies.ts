import type { Crypto } from "../crypto/crypto.ts";
import { NONCE_SIZE, type PublicKey, type SharedKey } from "../crypto/keys.ts";
import type { Clock } from "../env/clock.ts";
import { randomBytes } from "../util/random_numbers.ts";
import type { Drop } from "../wire/drop.ts";
import {
  COOKIE_CONTENTS_SIZE,
  COOKIE_SIZE,
  decodeCookieContents,
  encodeCookieContents,
} from "../wire/net_crypto/cookie.ts";
import { COOKIE_LIFETIME } from "./limits.ts";

export interface OpenedCookie {
  /** When we made it, by our monotonic clock, in ms. */
  readonly madeAt: number;
  readonly publicKey: PublicKey;
  readonly dhtPublicKey: PublicKey;
}

/** Makes and opens cookies; keeps nothing but its key. */
export class Cookies {
  readonly #crypto: Crypto;
  readonly #clock: Clock;
  readonly #key: SharedKey;

  constructor(crypto: Crypto, clock: Clock) {
    this.#crypto = crypto;
    this.#clock = clock;
    this.#key = crypto.symmetricKey();
  }

  make(publicKey: PublicKey, dhtPublicKey: PublicKey): Uint8Array {
    const contents = new Uint8Array(COOKIE_CONTENTS_SIZE);
    encodeCookieContents(contents, { madeAt: BigInt(this.#now()), publicKey, dhtPublicKey });
    const cookie = new Uint8Array(COOKIE_SIZE);
    const nonce = randomBytes(this.#crypto.random, NONCE_SIZE);
    cookie.set(nonce, 0);
    this.#crypto.sealInto(cookie, NONCE_SIZE, contents, nonce, this.#key);
    return cookie;
  }

  /** What is in a cookie of ours that still holds. */
  open(cookie: Uint8Array, drop: Drop): OpenedCookie | undefined {
    const plain = this.#crypto.open(cookie.subarray(NONCE_SIZE), cookie.subarray(0, NONCE_SIZE), this.#key);
    if (plain === undefined) return drop("forged");
    const contents = decodeCookieContents(plain, drop);
    if (contents === undefined) return undefined;
    const madeAt = Number(contents.madeAt);
    if (this.#now() - madeAt > COOKIE_LIFETIME) return drop("expired");
    return { madeAt, publicKey: contents.publicKey, dhtPublicKey: contents.dhtPublicKey };
  }

  /** Cookies of before can no longer be opened. */
  close(): void {
    this.#crypto.wipe(this.#key);
  }

  #now(): number {
    return Math.floor(this.#clock.monotonic());
  }
}
