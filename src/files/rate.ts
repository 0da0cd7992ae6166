/** Shorter spans say too little of how fast it is. */
const SPAN_MS = 250;
/** How much the latest span counts. */
const WEIGHT = 0.3;

/** How fast something has been lately, in bytes a second. */
export class RateMeter {
  #rate: number | undefined;
  #since: number;
  #bytes = 0;

  constructor(now: number) {
    this.#since = now;
  }

  add(bytes: number, now: number): void {
    this.#bytes += bytes;
    const elapsed = now - this.#since;
    if (elapsed < SPAN_MS) return;
    const latest = (this.#bytes * 1000) / elapsed;
    this.#rate = this.#rate === undefined ? latest : (1 - WEIGHT) * this.#rate + WEIGHT * latest;
    this.#bytes = 0;
    this.#since = now;
  }

  /** Time that does not count. */
  restart(now: number): void {
    this.#bytes = 0;
    this.#since = now;
  }

  get value(): number {
    return this.#rate ?? 0;
  }
}
