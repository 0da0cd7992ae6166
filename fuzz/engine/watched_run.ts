import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { CampaignResult, Finding } from "./campaign.ts";
import type { WorkerMessage, WorkerOrder } from "./messages.ts";
import { SharedInput } from "./shared_input.ts";

export type RunOrder = Omit<WorkerOrder, "memory">;

/** A run in one piece, or several that were put together. */
export interface RunReport {
  /** Undefined when the worker did not come to its end. */
  readonly result: CampaignResult | undefined;
  /** What was found: by an oracle, by the watch (a hang), or by the worker's death. */
  readonly finding: AnyFinding | undefined;
  /** What broke an oracle while V8 counted, and not without. */
  readonly dismissed?: AnyFinding | undefined;
}

export type AnyFinding = Finding | FatalFinding;

/** A finding that took the worker with it. */
export interface FatalFinding {
  readonly failure: { readonly kind: "hang" | "crash"; readonly message: string; readonly stack: string | undefined };
  readonly input: Uint8Array;
  readonly execution: number;
}

/** An input that takes so much of the processor's time hangs… */
export const HANG_MS = 10_000;
/** …and one that takes so many times longer by the clock, whatever it waits for. */
const PATIENCE = 6;
const LOAD_MS = 30_000;
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
  const outcome = await Promise.race([ended, hangOf(worker, shared, hangMs, watching.signal)]);
  watching.abort();
  await worker.terminate();
  if (result !== undefined) return { result, finding: result.finding };
  if (early !== undefined) return { result, finding: early };
  if (outcome === "hang") return { result, finding: fatal("hang", `has not come back after ${hangMs} ms`) };
  const reason = outcome ?? new Error("the thread ended on its own");
  return { result, finding: fatal("crash", `${reason.name}: ${reason.message}`, reason.stack) };
}

/** Resolves when the same input has been running for too long: in the thread's own time, for machines are busy at times. */
async function hangOf(worker: Worker, shared: SharedInput, hangMs: number, signal: AbortSignal): Promise<"hang"> {
  let sequence = -1;
  let since = { wall: 0, cpu: 0 };
  while (!signal.aborted) {
    await delay(WATCH_MS);
    const isNew = shared.sequence !== sequence;
    const now = { wall: performance.now(), cpu: await cpuMs(worker) };
    if (isNew) {
      sequence = shared.sequence;
      since = now;
    }
    const limit = sequence === 0 ? LOAD_MS : hangMs;
    if (now.cpu - since.cpu >= limit || now.wall - since.wall >= PATIENCE * limit) break;
  }
  return "hang";
}

/** What a thread has used of the processor; 0 when it has ended. */
async function cpuMs(worker: Worker): Promise<number> {
  const { user, system } = await worker.cpuUsage().catch(() => ({ user: 0, system: 0 }));
  return (user + system) / 1000;
}
