import { Broken } from "./broken.ts";

/** No packet and no timer may take longer, in ms: at that pace a thousand a second keep a core from everything else. */
const LONGEST = 25;
/** Memory may have been tidied up meanwhile: only what is slow each time is slow. */
const ATTEMPTS = 5;
/** Nothing is timed in the test suite, where other tests share the processor. */
const IS_TIMED = process.env.VITEST === undefined;

/** The time that this thread has computed, in ms: what others do on the machine does not count. */
export function computed(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Runs a program, which answers how long its slowest packet took, again if that is suspicious. */
export async function unhurried(run: () => number | Promise<number>): Promise<void> {
  let fastest = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    fastest = Math.min(fastest, await run());
    if (fastest <= LONGEST || !IS_TIMED) return;
  }
  throw new Broken(`a packet or a timer took ${fastest.toFixed(1)} ms`);
}
