import { join } from "node:path";
import { type AnyFinding, type RunOrder, type RunReport, runWatched } from "./watched_run.ts";

/**
 * With V8's counters bugs are found that are not found without, but a target is up to three times slower: so the last part
 * of its time is spent on mutations of the grown corpus at full speed. docs/fuzzing.md has figures.
 */
const COVERAGE_SHARE = 0.75;
const SOURCES = join(import.meta.dirname, "../../src/");

type PhasedOrder = Omit<RunOrder, "coverage" | "extra" | "input">;

/** One target's turn: with coverage first, then without. */
export async function runInPhases(order: PhasedOrder): Promise<RunReport> {
  const first = await runWatched({ ...order, coverage: SOURCES, ...part(order, COVERAGE_SHARE) });
  const dismissed = first.finding;
  if (dismissed !== undefined && (await isReal(order, dismissed))) return first;
  const { grown = [], executions = 0, milliseconds = 0 } = first.result ?? {};
  const seed = `${order.seed}/full speed`;
  const rest = await runWatched({ ...order, seed, extra: grown, ...part(order, 1 - COVERAGE_SHARE) });
  if (rest.result === undefined) return rest;
  const result = {
    ...rest.result,
    executions: executions + rest.result.executions,
    milliseconds: milliseconds + rest.result.milliseconds,
  };
  return { result, finding: rest.finding, dismissed };
}

/** What is slow with V8's counters may not be so without. */
async function isReal({ file, seed }: PhasedOrder, { input, execution }: AnyFinding): Promise<boolean> {
  return execution === 0 || (await runWatched({ file, seed, input })).finding !== undefined;
}

function part({ runs, milliseconds }: PhasedOrder, share: number): Partial<RunOrder> {
  return {
    ...(runs !== undefined && { runs: Math.ceil(runs * share) }),
    ...(milliseconds !== undefined && { milliseconds: milliseconds * share }),
  };
}
