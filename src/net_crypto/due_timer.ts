import type { Cancel, Clock } from "../env/clock.ts";

/**
 * One timer for whatever is due next. A due time that moves back leaves the timer where it is: it fires early, finds
 * nothing to do and is set again, which costs less than setting it anew with every packet.
 */
export class DueTimer {
  readonly #clock: Clock;
  readonly #fire: () => void;
  #time = Number.POSITIVE_INFINITY;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /** Fires at `time`, or earlier. */
  fireBy(time: number): void {
    if (time >= this.#time || time === Number.POSITIVE_INFINITY) return;
    this.#cancel?.();
    this.#time = time;
    this.#cancel = this.#clock.at(time, () => {
      this.#cancel = undefined;
      this.#time = Number.POSITIVE_INFINITY;
      this.#fire();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#time = Number.POSITIVE_INFINITY;
  }
}
