import type { Clock } from "../../env/clock.ts";
import { Alarm } from "./alarm.ts";

/** What waits for its turn to send. */
export interface Searching {
  /** Sends one request, and answers whether it has more to send. */
  step(): boolean;
}

/** Requests a second for all searches together, and how many may leave at once after a quiet time. */
const RATE = 40;
const BURST = 100;
/** After a pause so many leave at once: to wake up for each costs more than the request. */
const TOGETHER = 4;
/** For how long to hold back when too much is under way, in ms. */
const BUSY_PAUSE = 100;
/** One friend hurries as much as he likes; of many, each retries only so seldom: this many ms times their number. */
const HURRY_SHARE = 50;
const CROWD = 16;
/** The same for those whom only we look for. */
const ONE_SIDED_SHARE = 1_000;

/** Lets searches take turns at a bounded rate, so that a thousand absent friends cost no more than the network can bear. */
export class SearchQueue {
  readonly #clock: Clock;
  readonly #busy: () => boolean;
  readonly #waiting = new Set<Searching>(); // bounded by the friends there are, in the order of their turns
  readonly #hurrying = new Set<Searching>(); // bounded by the friends there are
  readonly #oneSided = new Set<Searching>(); // bounded by the friends there are
  readonly #alarm: Alarm;
  #tokens = BURST;
  #filledAt: number;

  constructor(clock: Clock, busy: () => boolean) {
    this.#clock = clock;
    this.#busy = busy;
    this.#filledAt = clock.monotonic();
    this.#alarm = new Alarm(clock, () => this.#serve());
  }

  /** The least time between two quick tries of one friend, in ms. */
  get hurryInterval(): number {
    return this.#hurrying.size > 1 ? HURRY_SHARE * this.#hurrying.size : 0;
  }

  /** The least time between two looks for one who does not look for us, in ms. */
  get oneSidedInterval(): number {
    return ONE_SIDED_SHARE * this.#oneSided.size;
  }

  /** Whether so many search in haste that each should ask fewer nodes. */
  get crowded(): boolean {
    return this.#hurrying.size > CROWD;
  }

  /** Says whether this search is in a phase of quick tries. */
  hurry(search: Searching, on: boolean): void {
    if (on) this.#hurrying.add(search);
    else this.#hurrying.delete(search);
  }

  /** Says whether this search is for somebody who does not look for us. */
  oneSided(search: Searching, on: boolean): void {
    if (on) this.#oneSided.add(search);
    else this.#oneSided.delete(search);
  }

  /** Gives the search its turns, from now on, until it has no more to send. */
  add(search: Searching): void {
    this.#waiting.add(search);
    if (!this.#alarm.pending) this.#serve();
  }

  remove(search: Searching): void {
    this.#waiting.delete(search);
    this.#hurrying.delete(search);
  }

  close(): void {
    this.#waiting.clear();
    this.#hurrying.clear();
    this.#oneSided.clear();
    this.#alarm.set(undefined);
  }

  #serve(): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#filledAt) * RATE) / 1000);
    this.#filledAt = now;
    for (const search of this.#waiting) {
      if (this.#busy()) {
        this.#alarm.set(now + BUSY_PAUSE);
        return;
      }
      if (this.#tokens < 1) {
        this.#alarm.set(now + ((TOGETHER - this.#tokens) * 1000) / RATE);
        return;
      }
      this.#tokens--;
      this.#waiting.delete(search);
      if (search.step()) this.#waiting.add(search); // behind the others
    }
  }
}
