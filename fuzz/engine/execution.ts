import type { FuzzTarget } from "../target.ts";

/** Longer than any input of ours needs to be. */
const DEFAULT_LIMIT_MS = 2_000;
/** An input that took long by the clock is tried again so often: machines are busy at times. */
const SLOW_TRIES = 4;

/** How an input broke its target. */
export interface Failure {
  readonly kind: "broken" | "slow";
  readonly message: string;
  readonly stack: string | undefined;
}

/** Runs one input. Undefined when all oracles hold. */
export async function execute(target: FuzzTarget, input: Uint8Array): Promise<Failure | undefined> {
  const limit = target.limitMs ?? DEFAULT_LIMIT_MS;
  try {
    const start = performance.now();
    const running = target.fuzz(input);
    if (running !== undefined) await running;
    if (performance.now() - start <= limit) return undefined;
    const fastest = await fastestOf(target, input);
    if (fastest <= limit) return undefined;
    const message = `takes ${Math.round(fastest)} ms at best, where ${limit} ms are allowed`;
    return { kind: "slow", message, stack: undefined };
  } catch (error) {
    return failureOf(error);
  }
}

/** What an oracle threw. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { kind: "broken", message: String(error), stack: undefined };
  return { kind: "broken", message: `${error.name}: ${error.message}`, stack: error.stack };
}

/** In the thread's own milliseconds. */
async function fastestOf(target: FuzzTarget, input: Uint8Array): Promise<number> {
  let fastest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < SLOW_TRIES; i++) {
    const before = process.threadCpuUsage();
    await target.fuzz(input);
    const { user, system } = process.threadCpuUsage(before);
    fastest = Math.min(fastest, (user + system) / 1000);
  }
  return fastest;
}

/** Whether two failures are the same for the eye: numbers and bytes in the message may differ. */
export function sameFailure(a: Failure, b: Failure): boolean {
  return a.kind === b.kind && outline(a) === outline(b);
}

function outline({ kind, message }: Failure): string {
  return kind === "slow" ? "" : (message.split("\n")[0] ?? "").replace(/[0-9A-Fa-f]+/g, "#");
}
