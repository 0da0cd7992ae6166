import type { Cancel, Clock } from "../env/clock.ts";

/** The first pause, in ms; each is twice the one before … */
const FIRST_PAUSE_MS = 5_000;
/** … up to this one. */
const LONGEST_PAUSE_MS = 300_000;

/** Tries again what has failed, with longer and longer pauses. */
export class Retry {
  readonly #clock: Clock;
  readonly #attempt: () => void;
  #failures = 0;
  #timer: Cancel | undefined;
  #stopped = false;

  /** `attempt` says afterwards how it went. */
  constructor(clock: Clock, attempt: () => void) {
    this.#clock = clock;
    this.#attempt = attempt;
  }

  /** Something is to be tried again. */
  get isDue(): boolean {
    return this.#timer !== undefined;
  }

  failed(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++);
    this.#timer = this.#clock.at(this.#clock.monotonic() + pause, () => {
      this.#timer = undefined;
      this.#attempt();
    });
  }

  /** What failed since the attempt began is tried again all the same. */
  succeeded(): void {
    this.#failures = 0;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.();
    this.#timer = undefined;
  }
}
