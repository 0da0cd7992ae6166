import { do_not_optimize, measure } from "mitata";
import { allocatedBytes } from "./allocation.ts";

/** What one call costs. */
export interface CallCost {
  /** Median over batches of calls, in ns; 2 ns of it are the measurement's own. */
  readonly nanoseconds: number;
  readonly bytes: number;
}

/** So long and so often a function is called before anything is measured, until V8 is done with optimizing it … */
const WARM_UP_MS = 20;
const WARM_UP_CALLS = 2_000;
/** … but no longer. */
const LONGEST_WARM_UP_MS = 200;
/** So long a batch takes, in ns: far longer than reading the clock, and short enough to be rarely interrupted. */
const BATCH_TIME = 200_000;
/** Calls between two looks at the clock that mitata makes room for. */
const MAX_BATCH = 4096;
/** So long allocations are counted, in ns; enough for the counting's own to vanish. */
const COUNTED_TIME = 20e6;
const MAX_COUNTED_CALLS = 50_000;

/**
 * Time and allocations of a function that is called over and over. The result is kept, so that nothing of its making can be
 * optimized away; within a larger function V8 may save more. Time comes from mitata, which calls in batches: a clock
 * read for each call would cost as much as half of our rows. Its own heap figure knows nothing of array buffers.
 */
export async function callCost(run: () => unknown, milliseconds: number): Promise<CallCost> {
  const kept = () => do_not_optimize(run());
  const batch = Math.floor(BATCH_TIME / warmUp(kept));
  const { p50: nanoseconds } = await measure(kept, {
    min_cpu_time: milliseconds * 1e6,
    batch_samples: Math.min(Math.max(batch & ~3, 4), MAX_BATCH), // mitata unrolls four calls
  });
  const calls = Math.min(Math.max(Math.ceil(COUNTED_TIME / nanoseconds), 8), MAX_COUNTED_CALLS);
  const own = allocatedBytes(() => {});
  const count = () =>
    allocatedBytes(() => {
      for (let i = 0; i < calls; i++) kept();
    });
  const counted = Math.min(count(), count()); // the optimizer may have been late for the first
  return { nanoseconds, bytes: Math.max(0, Math.round((counted - own) / calls)) };
}

/** Answers about how long a call takes, in ns. */
function warmUp(run: () => void): number {
  const start = performance.now();
  for (let calls = 1; ; calls++) {
    run();
    const elapsed = performance.now() - start;
    const isWarm = elapsed > WARM_UP_MS && calls >= WARM_UP_CALLS;
    if (isWarm || elapsed > LONGEST_WARM_UP_MS) return (elapsed * 1e6) / calls;
  }
}
