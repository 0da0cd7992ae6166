import type { Clock } from "../env/clock.ts";
import { writeU64 } from "../util/bytes.ts";
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
  /** Number of the window ‖ data; as long as the longest so far. It stays, as native crypto takes that faster than fresh bytes. */
  #input = new Uint8Array(256);
  readonly #expected = new Uint8Array(AUTH_SIZE);

  constructor(crypto: Crypto, clock: Clock, windowSeconds: number) {
    this.#crypto = crypto;
    this.#clock = clock;
    this.#key = crypto.symmetricKey();
    this.#windowSeconds = windowSeconds;
  }

  /** The authenticator of `data` now, 32 bytes. */
  make(...data: readonly Uint8Array[]): Uint8Array {
    const auth = new Uint8Array(AUTH_SIZE);
    this.#authenticate(auth, this.#currentWindow(), this.#inputOf(data));
    return auth;
  }

  /** Whether we made `auth` for `data` in this window or the one before. Constant time. */
  check(auth: Uint8Array, ...data: readonly Uint8Array[]): boolean {
    const window = this.#currentWindow();
    const input = this.#inputOf(data);
    const current = this.#isOf(auth, window, input);
    const previous = this.#isOf(auth, window - 1, input);
    return current || previous;
  }

  /** Wipes the key; nothing made before is accepted afterwards. */
  close(): void {
    this.#crypto.random.fill(this.#key);
  }

  #currentWindow(): number {
    return Math.floor(this.#clock.monotonic() / (1000 * this.#windowSeconds)) + 1;
  }

  #isOf(auth: Uint8Array, window: number, input: Uint8Array): boolean {
    this.#authenticate(this.#expected, window, input);
    return this.#crypto.equal(auth, this.#expected);
  }

  #authenticate(out: Uint8Array, window: number, input: Uint8Array): void {
    writeU64(input, 0, BigInt(window));
    this.#crypto.provider.authenticate(out, input, this.#key);
  }

  /** The data behind eight bytes for the window. */
  #inputOf(data: readonly Uint8Array[]): Uint8Array {
    let end = WINDOW_SIZE;
    for (const part of data) end += part.length;
    if (end > this.#input.length) this.#input = new Uint8Array(end);
    let at = WINDOW_SIZE;
    for (const part of data) {
      this.#input.set(part, at);
      at += part.length;
    }
    return this.#input.subarray(0, end);
  }
}

const WINDOW_SIZE = 8;
