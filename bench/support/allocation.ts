import { GCProfiler, getHeapStatistics } from "node:v8";

/**
 * How many bytes `run` allocates, as objects and as array buffers. Node 24 has no counter of that, so it is told from how
 * far the heap grows between collections; the profiler notes its size before and after each. V8 must not free array
 * buffers behind our back meanwhile: run Node with `--expose-gc --no-concurrent-array-buffer-sweeping`. What the optimizing
 * compiler does away with is not counted, since it is not allocated.
 */
export function allocatedBytes(run: () => void): number {
  const profiler = startCounting();
  run();
  return profiler.stop();
}

export interface AllocationCount {
  /** Bytes since it was started. To be called once. */
  stop(): number;
}

/** The same for what does not fit into one synchronous function. */
export function startCounting(): AllocationCount {
  if (globalThis.gc === undefined) throw new Error("Run Node with --expose-gc to measure allocations.");
  const profiler = new GCProfiler();
  globalThis.gc();
  profiler.start();
  const start = getHeapStatistics();
  return {
    stop() {
      const end = getHeapStatistics();
      let last = start.used_heap_size + start.external_memory;
      let total = 0;
      for (const { beforeGC, afterGC } of profiler.stop().statistics) {
        total += sizeOf(beforeGC.heapStatistics) - last;
        last = sizeOf(afterGC.heapStatistics);
      }
      return total + end.used_heap_size + end.external_memory - last;
    },
  };
}

function sizeOf(heap: { usedHeapSize: number; externalMemory: number }): number {
  return heap.usedHeapSize + heap.externalMemory;
}
