import type { Clock } from "../env/clock.ts";

/** At once, in ms. */
const BURST = 50;
/** One key counts for this at most: the system may have run others meanwhile. */
const DEAREST_KEY = 5;

/** For keys under which nothing opens. */
const FORGED_SHARE = 0.15;
/**
 * For all of them, in the DHT and as much in the onion, where there are friends whose packets would wait. A key costs about
 * as much again until its packet is answered.
 */
const SHARE_BESIDE_FRIENDS = 0.15;

/** Of the time, 0–1. */
export interface KeyShares {
  /** For keys under which nothing opened. */
  readonly forged: number;
  /** For all keys of strangers. It may change from packet to packet; 1 sets no limit. */
  readonly all: () => number;
}

/**
 * The shares of somebody who serves strangers: with friends, found yet or not, these come first. `alone`: the share of all
 * keys where there are none.
 */
export function servingShares(hasFriends: () => boolean, alone: number): KeyShares {
  return { forged: FORGED_SHARE, all: () => (hasFriends() ? SHARE_BESIDE_FRIENDS : alone) };
}

/**
 * How much time goes into shared keys with strangers. Anybody can make us compute one with a datagram of garbage, and
 * 20,000 of those a second would keep a core from everything else. Who has sealed a real box has computed a key as well, and
 * knowing him his next packets are as cheap as anybody's: such keys are limited only where somebody would miss the time.
 * Time is counted instead of keys, since they are dear without native crypto and cheap on a fast machine.
 */
export class KeyBudget {
  readonly #clock: Clock;
  readonly #shares: KeyShares;
  #left = BURST;
  #leftForForged = BURST;
  #lastCost = 0;
  #filledAt: number;

  constructor(clock: Clock, shares: KeyShares) {
    this.#clock = clock;
    this.#shares = shares;
    this.#filledAt = clock.monotonic();
  }

  /** Computes a key, unless too much time has gone into that lately. */
  spend<T>(compute: () => T): T | "rate-limited" {
    const start = this.#clock.monotonic();
    const passed = start - this.#filledAt;
    this.#filledAt = start;
    this.#left = Math.min(BURST, this.#left + passed * this.#shares.all());
    this.#leftForForged = Math.min(BURST, this.#leftForForged + passed * this.#shares.forged);
    if (this.#left <= 0 || this.#leftForForged <= 0) return "rate-limited";
    const computed = compute();
    this.#lastCost = Math.min(DEAREST_KEY, this.#clock.monotonic() - start);
    this.#left -= this.#lastCost;
    return computed;
  }

  /** Under the key that was computed last nothing opened. */
  forged(): void {
    this.#leftForForged -= this.#lastCost;
    this.#lastCost = 0;
  }
}
