/** How many of the last requests count, about. */
const MEMORY = 16;
/** Shares of requests that are answered. Between the two nothing changes. */
const ILL = 0.3;
const WELL = 0.7;
/** In ms: a network that is never quite well does not keep us in haste. */
const LEAST_INTERVAL = 300_000;

/**
 * Notices when a network that lost most of what we sent works again. Nobody tells us: some nodes answered all the time, so
 * we were never cut off, but friends may have been searched for in vain, and would be so ever more seldom.
 */
export class NetworkHealth {
  readonly #onRecovered: () => void;
  #answeredShare = 1;
  #isIll = false;
  #recoveredAt = Number.NEGATIVE_INFINITY;

  constructor(onRecovered: () => void) {
    this.#onRecovered = onRecovered;
  }

  missed(): void {
    this.#answeredShare -= this.#answeredShare / MEMORY;
    if (this.#answeredShare < ILL) this.#isIll = true;
  }

  answered(now: number): void {
    this.#answeredShare += (1 - this.#answeredShare) / MEMORY;
    if (!this.#isIll || this.#answeredShare < WELL || now < this.#recoveredAt + LEAST_INTERVAL) return;
    this.#isIll = false;
    this.#recoveredAt = now;
    this.#onRecovered();
  }
}
