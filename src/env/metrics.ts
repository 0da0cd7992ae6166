/**
 * Counters and gauges. Names are dotted, fixed in the source and never built from what a peer sent, so their number is
 * bounded: `dht.pingRequest.received`, `drop.cookieRequest.forged`.
 */
export interface Metrics {
  /** Adds `by` (1 when left out) to the counter. */
  count(name: string, by?: number): void;
  gauge(name: string, value: number): void;
}

/** Keeps every value in memory, for `stats` and for tests. */
export class MemoryMetrics implements Metrics {
  readonly #values = new Map<string, number>(); // bounded by the names in the source

  count(name: string, by = 1): void {
    this.#values.set(name, (this.#values.get(name) ?? 0) + by);
  }

  gauge(name: string, value: number): void {
    this.#values.set(name, value);
  }

  get(name: string): number {
    return this.#values.get(name) ?? 0;
  }

  /** All values so far, sorted by name. */
  snapshot(): Record<string, number> {
    return Object.fromEntries([...this.#values].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
