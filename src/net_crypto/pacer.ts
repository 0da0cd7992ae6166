import type { CongestionControl } from "./congestion.ts";

/** Packets that may leave together whatever the pace: timers are no finer than 1 ms. */
const SMALLEST_BURST = 16;
/** How much of the pace may have been saved up, in ms. */
const BURST_MS = 4;

/** Spreads packets over time, as a bucket of tokens, so that queues on the way see no bursts. */
export class Pacer {
  readonly #congestion: CongestionControl;
  #tokens = SMALLEST_BURST;
  #filledAt = 0;

  constructor(congestion: CongestionControl) {
    this.#congestion = congestion;
  }

  /** Packets that may leave now. */
  tokens(now: number): number {
    const { pace } = this.#congestion;
    if (pace === Number.POSITIVE_INFINITY) return pace;
    if (now > this.#filledAt) {
      const burst = Math.max(SMALLEST_BURST, BURST_MS * pace);
      this.#tokens = Math.min(burst, this.#tokens + (now - this.#filledAt) * pace);
      this.#filledAt = now;
    }
    return this.#tokens;
  }

  /** A packet has left. */
  take(): void {
    if (this.#tokens > 0) this.#tokens--;
  }

  /** When the next packet may leave. */
  refilledAt(now: number): number {
    return now + Math.max(1, (1 - this.#tokens) / this.#congestion.pace);
  }
}
