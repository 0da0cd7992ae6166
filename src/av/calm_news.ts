import type { Cancel, Clock } from "../env/clock.ts";
import { TokenBucket } from "../util/token_bucket.ts";

/** So many at once are told one by one, and one in so many ms in the long run. */
const BURST = 20;
const INTERVAL = 250;

/** Tells of what a friend does: at once, and now and then where he does it without end, the last state in any case. */
export class CalmNews {
  readonly #clock: Clock;
  readonly #tell: () => void;
  readonly #turns = new TokenBucket(BURST, INTERVAL);
  #timer: Cancel | undefined;

  constructor(clock: Clock, tell: () => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Something is different. */
  changed(): void {
    if (this.#timer !== undefined) return;
    const now = this.#clock.monotonic();
    if (this.#turns.take(now)) this.#tell();
    else this.#timer = this.#clock.at(now + INTERVAL, () => this.#later());
  }

  close(): void {
    this.#timer?.();
    this.#timer = undefined;
  }

  #later(): void {
    this.#timer = undefined;
    this.#turns.take(this.#clock.monotonic());
    this.#tell();
  }
}
