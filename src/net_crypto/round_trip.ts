/** The lowest round trip is that of the last one to two of these, in ms. */
const MINIMUM_SPAN = 5000;
const FIRST_GUESS = 200;
/** tox-bootstrapd looks at its sockets so seldom, in ms. */
const RELAY_WAIT = 30;

/** What round trips take, in ms: smoothed as TCP does (RFC 6298), and the lowest of late. */
export class RoundTrip {
  #smoothed: number | undefined;
  #variation = 0;
  #minimum = Number.POSITIVE_INFINITY;
  #previousMinimum = Number.POSITIVE_INFINITY;
  #minimumSince = 0;
  /** Whether it leads over a relay, which may let packets wait. */
  relayed = false;

  /** Undefined before anything was measured. */
  get measured(): number | undefined {
    return this.#smoothed;
  }

  get smoothed(): number {
    return this.#smoothed ?? FIRST_GUESS;
  }

  get minimum(): number {
    const minimum = Math.min(this.#minimum, this.#previousMinimum);
    return minimum === Number.POSITIVE_INFINITY ? this.smoothed : minimum;
  }

  /**
   * What a packet takes when no queue builds up: the lowest, and over a relay also what that usually lets packets wait for,
   * else the one packet that came just in time would say that hardly any need to be under way.
   */
  get usual(): number {
    return this.relayed ? Math.min(this.smoothed, this.minimum + RELAY_WAIT) : this.minimum;
  }

  /** By when nearly every answer has come. */
  get patience(): number {
    return this.#smoothed === undefined ? 2 * FIRST_GUESS : this.#smoothed + 4 * this.#variation;
  }

  sample(ms: number, now: number): void {
    if (now - this.#minimumSince >= MINIMUM_SPAN) {
      this.#previousMinimum = this.#minimum;
      this.#minimum = ms;
      this.#minimumSince = now;
    } else if (ms < this.#minimum) {
      this.#minimum = ms;
    }
    if (this.#smoothed === undefined) {
      this.#smoothed = ms;
      this.#variation = ms / 2;
      return;
    }
    this.#variation += (Math.abs(ms - this.#smoothed) - this.#variation) / 4;
    this.#smoothed += (ms - this.#smoothed) / 8;
  }
}
