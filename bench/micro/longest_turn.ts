import type { PartRow } from "./part.ts";

/**
 * How long the work took, and the longest turn of the event loop meanwhile. (`monitorEventLoopDelay` does not see what comes
 * before its first tick, and the time that a thread computes is told in steps of four milliseconds here.)
 */
export async function timed(work: () => Promise<unknown>): Promise<PartRow["figures"]> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  const turns = new Turns();
  const started = performance.now();
  await work();
  const ms = performance.now() - started;
  await new Promise(setImmediate); // the last turn, too
  turns.stop();
  return { ms, "longest turn ms": turns.longest };
}

class Turns {
  longest = 0;
  #at = performance.now();
  #stopped = false;

  constructor() {
    setImmediate(() => this.#turn());
  }

  stop(): void {
    this.#stopped = true;
  }

  #turn(): void {
    const at = performance.now();
    this.longest = Math.max(this.longest, at - this.#at);
    this.#at = at;
    if (!this.#stopped) setImmediate(() => this.#turn());
  }
}
