import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { CampaignResult, Finding } from "./campaign.ts";
import type { WorkerMessage, WorkerOrder } from "./messages.ts";
import { SharedInput } from "./shared_input.ts";

export type RunOrder = Omit<WorkerOrder, "memory">;

export interface RunReport {
  /** Undefined when the worker did not come to its end. */
  readonly result: CampaignResult | undefined;
  /** What was found: by an oracle, by the watch (a hang), or by the worker's death. */
  readonly finding: Finding | FatalFinding | undefined;
}

/** A finding that took the worker with it. */
export interface FatalFinding {
  readonly failure: { readonly kind: "hang" | "crash"; readonly message: string; readonly stack: string | undefined };
  readonly input: Uint8Array;
  readonly execution: number;
}

/** An input that takes so long hangs. */
export const HANG_MS = 10_000;
const LOAD_MS = 60_000;
const WATCH_MS = 100;
/** What a target may take of V8's heap: more means that an input made it grow. */
const MAX_HEAP_MB = 1024;

const WORKER = new URL("./worker.ts", import.meta.url);

/** Runs a target in a thread of its own, and ends the thread when it hangs. */
export async function runWatched(order: RunOrder, hangMs = HANG_MS): Promise<RunReport> {
  const shared = new SharedInput();
  const worker = new Worker(WORKER, {
    workerData: { ...order, memory: shared.memory } satisfies WorkerOrder,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  let result: CampaignResult | undefined;
  let early: Finding | undefined;
  const ended = new Promise<Error | undefined>((resolve) => {
    worker.on("message", (message: WorkerMessage) => {
      if (message.kind === "finding") early = message.finding;
      if (message.kind !== "result") return;
      result = message.result;
      resolve(undefined);
    });
    worker.on("error", (error) => resolve(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", () => resolve(undefined));
  });

  const fatal = (kind: "hang" | "crash", message: string, stack?: string): FatalFinding => {
    return { failure: { kind, message, stack }, input: shared.current(), execution: shared.sequence };
  };
  const watching = new AbortController();
  const outcome = await Promise.race([ended, hangOf(shared, hangMs, watching.signal)]);
  watching.abort();
  await worker.terminate();
  if (result !== undefined) return { result, finding: result.finding };
  if (early !== undefined) return { result, finding: early };
  if (outcome === "hang") return { result, finding: fatal("hang", `has not come back after ${hangMs} ms`) };
  const reason = outcome ?? new Error("the thread ended on its own");
  return { result, finding: fatal("crash", `${reason.name}: ${reason.message}`, reason.stack) };
}

/** Resolves when the same input has been running for too long. */
async function hangOf(shared: SharedInput, hangMs: number, signal: AbortSignal): Promise<"hang"> {
  let sequence = -1;
  let since = performance.now();
  while (!signal.aborted) {
    if (shared.sequence !== sequence) {
      sequence = shared.sequence;
      since = performance.now();
    }
    if (performance.now() - since >= (sequence === 0 ? LOAD_MS : hangMs)) break;
    await delay(WATCH_MS);
  }
  return "hang";
}
