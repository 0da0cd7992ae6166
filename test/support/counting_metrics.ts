import { MemoryMetrics } from "../../src/env/metrics.ts";

/** Counters that a test can wait for, in real time: they tell of what must not become an event. */
export class CountingMetrics extends MemoryMetrics {
  readonly #looks = new Set<() => void>();

  override count(name: string, by?: number): void {
    super.count(name, by);
    for (const look of [...this.#looks]) look();
  }

  /** Resolves once the counter has reached `least`. */
  counted(name: string, least: number, timeoutMs: number): Promise<void> {
    const failure = new Error(`${name} did not reach ${least} within ${timeoutMs} ms`);
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.get(name) < least) return;
        clearTimeout(timer);
        this.#looks.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#looks.delete(look);
        reject(failure);
      }, timeoutMs);
      this.#looks.add(look);
      look();
    });
  }
}
