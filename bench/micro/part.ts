import { callCost } from "../support/call_cost.ts";
import type { Row } from "../support/rows.ts";

/** How much time the benches take. */
export interface Effort {
  /** For each function that is called over and over. */
  readonly millisecondsPerCall: number;
  /** What is moved, looked up or sent in whole runs, as a share of the full amount. */
  readonly share: number;
}

export const FULL: Effort = { millisecondsPerCall: 300, share: 1 };
export const QUICK: Effort = { millisecondsPerCall: 40, share: 0.2 };

export type PartRow = Pick<Row, "work" | "figures">;

/** One table of the benches, and a name to ask for it. */
export interface Part {
  readonly name: string;
  readonly about: string;
  rows(effort: Effort): AsyncIterable<PartRow>;
}

/** A row for each function: what a call of it costs. */
export async function* callRows(
  effort: Effort,
  calls: Readonly<Record<string, () => unknown>>,
): AsyncIterable<PartRow> {
  for (const [work, run] of Object.entries(calls)) {
    const { nanoseconds, bytes } = await callCost(run, effort.millisecondsPerCall);
    yield { work, figures: { "ns a call": nanoseconds, "bytes a call": bytes } };
  }
}
