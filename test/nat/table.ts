import type { Outcome } from "./play.ts";

const HEADS = ["case", "pair", "online", "direct", "healed", "path", "result"];

/** Whether the run fails for it: also when it passes although it is pending, so that nobody forgets to assert it. */
export function isFailure({ pending, ready, wrong }: Outcome): boolean {
  return !ready || (pending === undefined) === (wrong !== undefined);
}

export function resultOf(outcome: Outcome): string {
  const { pending, ready, wrong } = outcome;
  if (pending === undefined || !ready) return wrong === undefined ? "ok" : `FAILED: ${wrong}`;
  return wrong === undefined ? "FAILED: now passes: remove pending" : `pending: ${pending}`;
}

/** All outcomes, a line each. */
export function tableOf(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((outcome) => [
    outcome.name,
    outcome.pair,
    seconds(outcome.onlineMs),
    seconds(outcome.directMs),
    seconds(outcome.healedMs),
    outcome.path,
    resultOf(outcome),
  ]);
  const widths = HEADS.map((head, column) => Math.max(...[HEADS, ...rows].map((row) => (row[column] ?? head).length)));
  return [HEADS, ...rows]
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? "-" : `${(ms / 1000).toFixed(1)} s`;
}
