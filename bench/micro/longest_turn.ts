import type { PartRow } from "./part.ts";

/**
 * How long the work took, the longest turn of the event loop meanwhile, and the most that a turn computed, which others on a
 * busy machine do not add to. (`monitorEventLoopDelay` does not see what comes before its first tick.)
 */
export async function timed(work: () => Promise<unknown>): Promise<PartRow["figures"]> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  const turns = new Turns();
  const started = performance.now();
  await work();
  const ms = performance.now() - started;
  await new Promise(setImmediate); // the last turn, too
  turns.stop();
  return { ms, "longest turn ms": turns.longest, "computing ms": turns.computing };
}

class Turns {
  longest = 0;
  computing = 0;
  #at = performance.now();
  #cpu = computed();
  #stopped = false;

  constructor() {
    setImmediate(() => this.#turn());
  }

  stop(): void {
    this.#stopped = true;
  }

  #turn(): void {
    const [at, cpu] = [performance.now(), computed()];
    this.longest = Math.max(this.longest, at - this.#at);
    this.computing = Math.max(this.computing, cpu - this.#cpu);
    this.#at = at;
    this.#cpu = cpu;
    if (!this.#stopped) setImmediate(() => this.#turn());
  }
}

/** This thread's time, in ms. */
function computed(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
