import { median } from "../support/statistics.ts";
import type { Bench, Side } from "./bench.ts";

/** What each side took, one entry a measurement. */
export type Measured<T> = Readonly<Record<Side, readonly T[]>>;

/** Measures round by round in turn, so that both sides have the same weather. */
export async function inTurn<T>(
  bench: Bench,
  rounds: number,
  measure: (side: Side, round: number) => Promise<T>,
): Promise<Measured<T>> {
  const measured: Record<Side, T[]> = { ours: [], theirs: [] };
  for (let round = 0; round < rounds; round++) {
    for (const side of bench.sides) measured[side].push(await measure(side, round));
  }
  return measured;
}

/** The median of a figure on each side; `null` where there is no such side. */
export function medians<T>(
  { ours, theirs }: Measured<T>,
  figureOf: (one: T) => number,
): { readonly ours: number | null; readonly theirs: number | null } {
  const middle = (all: readonly T[]) => (all.length === 0 ? null : median(all.map(figureOf)));
  return { ours: middle(ours), theirs: middle(theirs) };
}
