/** Allows `burst` things at once, and one in `interval` ms in the long run. */
export class TokenBucket {
  readonly #burst: number;
  readonly #interval: number;
  #tokens: number;
  #filledAt = 0;

  constructor(burst: number, interval: number) {
    this.#burst = burst;
    this.#interval = interval;
    this.#tokens = burst;
  }

  /** Whether one more may happen now, by a monotonic clock in ms; if so, it has. */
  take(now: number): boolean {
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** In how many ms one more may happen. */
  wait(now: number): number {
    this.#fill(now);
    return Math.max(0, 1 - this.#tokens) * this.#interval;
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#filledAt) / this.#interval);
    this.#filledAt = now;
  }
}
