import type { Clock } from "../env/clock.ts";
import { concatBytes, writeU64 } from "../util/bytes.ts";
import type { Crypto } from "./crypto.ts";
import { AUTH_SIZE, type SharedKey } from "./keys.ts";

/**
 * Authenticators that only we can make and that grow old: HMAC over the number of the current time window ‖ data. The
 * current and the previous window are accepted, so one lives between `windowSeconds` and twice that. See timed_auth.c.
 */
export class TimedAuth {
  readonly #crypto: Crypto;
  readonly #clock: Clock;
  readonly #key: SharedKey;
  readonly #windowSeconds: number;

  constructor(crypto: Crypto, clock: Clock, windowSeconds: number) {
    this.#crypto = crypto;
    this.#clock = clock;
    this.#key = crypto.symmetricKey();
    this.#windowSeconds = windowSeconds;
  }

  /** The authenticator of `data` now, 32 bytes. */
  make(...data: readonly Uint8Array[]): Uint8Array {
    return this.#inWindow(this.#currentWindow(), data);
  }

  /** Whether we made `auth` for `data` in this window or the one before. Constant time. */
  check(auth: Uint8Array, ...data: readonly Uint8Array[]): boolean {
    const window = this.#currentWindow();
    const current = this.#crypto.equal(auth, this.#inWindow(window, data));
    const previous = this.#crypto.equal(auth, this.#inWindow(window - 1, data));
    return current || previous;
  }

  /** Wipes the key; nothing made before is accepted afterwards. */
  close(): void {
    this.#crypto.random.fill(this.#key);
  }

  #currentWindow(): number {
    return Math.floor(this.#clock.monotonic() / (1000 * this.#windowSeconds)) + 1;
  }

  #inWindow(window: number, data: readonly Uint8Array[]): Uint8Array {
    const windowBytes = new Uint8Array(8);
    writeU64(windowBytes, 0, BigInt(window));
    const auth = new Uint8Array(AUTH_SIZE);
    this.#crypto.provider.authenticate(auth, concatBytes(windowBytes, ...data), this.#key);
    return auth;
  }
}
