import type { Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import { siteNumber } from "../util/endpoint.ts";

/** At once, in ms. */
const BURST = 50;
/** One key counts for this at most: the system may have run others meanwhile. */
const DEAREST_KEY = 5;
/** What one network (/24 or /48) may use of all that, while others ask as well, and of the time for forged keys. */
const NETWORKS_PART = 0.25;
/** So much of what may be used at once is for those who have not used up their part, in ms. */
const RESERVE = BURST / 2;
/** Others ask as long as one was heard in so many ms. */
const CONTENTION = 2_000;
/** A full table forgets who came first: from so many networks a flood is a distributed one. */
const MAX_NETWORKS = 1024;

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
  readonly #networks = new Map<number, Share>(); // bounded by MAX_NETWORKS
  /** Who asked last, when, and when somebody from elsewhere did. */
  #asking = Number.NaN;
  #askedAt = Number.NEGATIVE_INFINITY;
  #othersAskedAt = Number.NEGATIVE_INFINITY;
  #asker: Share | undefined;
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

  /** Somebody there asks for something, with a new key or a known one. */
  heard(from: Endpoint): void {
    this.#note(siteNumber(from), this.#clock.monotonic());
  }

  /**
   * Computes a key, unless too much time has gone into that lately. `from`: who sends the key. All of the time may go to
   * one network, but not while others ask, and never what lets others begin to ask.
   */
  spend<T>(compute: () => T, from?: Endpoint): T | "rate-limited" {
    const start = this.#clock.monotonic();
    const all = this.#shares.all();
    this.#fill(start, all);
    this.#asker = from && this.#shareOf(siteNumber(from), start, all);
    if (!this.#isAllowed(this.#asker, start)) return "rate-limited";
    const computed = compute();
    this.#lastCost = Math.min(DEAREST_KEY, this.#clock.monotonic() - start);
    this.#left -= this.#lastCost;
    if (this.#asker !== undefined) this.#asker.left = Math.max(-BURST, this.#asker.left - this.#lastCost);
    return computed;
  }

  /** Under the key that was computed last nothing opened. */
  forged(): void {
    this.#leftForForged -= this.#lastCost;
    if (this.#asker !== undefined) {
      this.#asker.leftForForged = Math.max(-BURST, this.#asker.leftForForged - this.#lastCost);
    }
    this.#lastCost = 0;
  }

  #isAllowed(asker: Share | undefined, now: number): boolean {
    const isOver = asker !== undefined && (asker.left <= 0 || asker.leftForForged <= 0);
    if (isOver && now < this.#othersAskedAt + CONTENTION) return false;
    const kept = isOver ? RESERVE : 0;
    return this.#left > kept && this.#leftForForged > kept;
  }

  #fill(now: number, all: number): void {
    const passed = now - this.#filledAt;
    this.#filledAt = now;
    this.#left = Math.min(BURST, this.#left + passed * all);
    this.#leftForForged = Math.min(BURST, this.#leftForForged + passed * this.#shares.forged);
  }

  #note(network: number, now: number): void {
    if (network !== this.#asking) {
      this.#othersAskedAt = this.#askedAt;
      this.#asking = network;
    }
    this.#askedAt = now;
  }

  #shareOf(network: number, now: number, all: number): Share {
    this.#note(network, now);
    const known = this.#networks.get(network);
    if (known !== undefined) {
      const passed = (now - known.filledAt) * NETWORKS_PART;
      known.filledAt = now;
      known.left = Math.min(RESERVE, known.left + passed * all);
      known.leftForForged = Math.min(RESERVE, known.leftForForged + passed * this.#shares.forged);
      return known;
    }
    if (this.#networks.size >= MAX_NETWORKS) {
      for (const oldest of this.#networks.keys()) {
        this.#networks.delete(oldest);
        break;
      }
    }
    const share = { left: RESERVE, leftForForged: RESERVE, filledAt: now };
    this.#networks.set(network, share);
    return share;
  }
}

/** What one network has left, in ms, as of a time. */
interface Share {
  left: number;
  leftForForged: number;
  filledAt: number;
}
