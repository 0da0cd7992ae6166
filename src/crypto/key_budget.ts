import type { Clock } from "../env/clock.ts";

/** At once, in ms. */
const BURST = 50;
/** One key counts for this at most: the system may have run others meanwhile. */
const DEAREST_KEY = 5;

/**
 * How much time goes into shared keys with strangers. Anybody can make us compute one with a datagram of garbage, and
 * 20,000 of those a second would keep a core from everything else. Time is counted instead of keys, since they are dear
 * without native crypto and cheap on a fast machine.
 */
export class KeyBudget {
  readonly #clock: Clock;
  readonly #share: number;
  #left = BURST;
  #filledAt: number;

  /** `share`: of the time, 0–1. */
  constructor(clock: Clock, share: number) {
    this.#clock = clock;
    this.#share = share;
    this.#filledAt = clock.monotonic();
  }

  /** Computes, unless too much time has gone into that lately. */
  spend<T>(compute: () => T): T | "rate-limited" {
    const start = this.#clock.monotonic();
    this.#left = Math.min(BURST, this.#left + (start - this.#filledAt) * this.#share);
    this.#filledAt = start;
    if (this.#left <= 0) return "rate-limited";
    const computed = compute();
    this.#left -= Math.min(DEAREST_KEY, this.#clock.monotonic() - start);
    return computed;
  }
}
