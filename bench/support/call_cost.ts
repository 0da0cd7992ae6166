import { do_not_optimize, measure } from "mitata";
import { allocatedBytes } from "./allocation.ts";

/** What one call costs. */
export interface CallCost {
  /** Median over batches of calls, in ns; 2 ns of it are the measurement's own. */
  readonly nanoseconds: number;
  readonly bytes: number;
}

/** So long the allocations of a function are counted, in ns; enough for the counting's own to vanish. */
const COUNTED_TIME = 20e6;
const MAX_COUNTED_CALLS = 50_000;
/** V8 is done with optimizing after so many calls of what is called often at all. */
const WARM_UP_CALLS = 2_000;

/**
 * Time and allocations of a function that is called over and over. The result is kept, so that nothing of its making can be
 * optimized away; within a larger function V8 may save more. Time comes from mitata, which calls in batches: a clock
 * read for each call would cost as much as half of our rows. Its own heap figure knows nothing of array buffers.
 */
export async function callCost(run: () => unknown, milliseconds: number): Promise<CallCost> {
  const kept = () => do_not_optimize(run());
  const stats = await measure(kept, { min_cpu_time: milliseconds * 1e6 });
  const calls = Math.min(Math.max(Math.ceil(COUNTED_TIME / stats.p50), 8), MAX_COUNTED_CALLS);
  for (let i = 0; i < Math.min(calls, WARM_UP_CALLS); i++) kept();
  const own = allocatedBytes(() => {});
  const counted = allocatedBytes(() => {
    for (let i = 0; i < calls; i++) kept();
  });
  return { nanoseconds: stats.p50, bytes: Math.max(0, Math.round((counted - own) / calls)) };
}
