import { join } from "node:path";
import { type RunOrder, type RunReport, runWatched } from "./watched_run.ts";

/**
 * V8's counters make a target several times slower. So they only grow the corpus for the first part, and the rest of the
 * time is spent on mutations of the grown corpus at full speed: docs/fuzzing.md has the figures.
 */
const COVERAGE_SHARE = 0.25;
const SOURCES = join(import.meta.dirname, "../../src/");

/** One target's turn: with coverage first, then without. */
export async function runInPhases(order: Omit<RunOrder, "coverage">): Promise<RunReport> {
  const first = await runWatched({ ...order, coverage: SOURCES, ...part(order, COVERAGE_SHARE) });
  if (first.finding !== undefined || first.result === undefined) return first;
  const { grown, executions, milliseconds } = first.result;
  const seed = `${order.seed}/full speed`;
  const rest = await runWatched({ ...order, seed, extra: grown, ...part(order, 1 - COVERAGE_SHARE) });
  if (rest.result === undefined) return rest;
  const result = {
    ...rest.result,
    executions: executions + rest.result.executions,
    milliseconds: milliseconds + rest.result.milliseconds,
  };
  return { result, finding: rest.finding };
}

function part({ runs, milliseconds }: Omit<RunOrder, "coverage">, share: number): Partial<RunOrder> {
  return {
    ...(runs !== undefined && { runs: Math.ceil(runs * share) }),
    ...(milliseconds !== undefined && { milliseconds: milliseconds * share }),
  };
}
