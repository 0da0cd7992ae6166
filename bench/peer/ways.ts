import type { Bench, Row, Side } from "./bench.ts";

/** Friends in a call. The second pair has both mixed ways. */
const PAIRS = [
  ["ours", "ours"],
  ["ours", "theirs"],
  ["theirs", "theirs"],
] as const satisfies readonly (readonly [Side, Side])[];

export type Sides = (typeof PAIRS)[number];

/** Those whose sides can be measured. */
export function pairsOf(bench: Bench): readonly Sides[] {
  return PAIRS.filter((sides) => sides.every((side) => bench.sides.includes(side)));
}

/** What went one way. `name`: `ours to theirs`. */
export interface OneWay {
  readonly name: string;
}

const BESIDE = "theirs to theirs";

/** A row for each way in which ours takes part and that has the figure, beside libtoxcore to itself; of a way gone twice, the mean. */
export function compared<T extends OneWay>(
  work: string,
  unit: string,
  ways: readonly T[],
  figureOf: (way: T) => number | null,
  noteOf?: (way: T) => string,
): Row[] {
  const byName = Map.groupBy(ways, ({ name }) => name);
  const mean = (all: readonly T[] | undefined) => {
    const figures = (all ?? []).map(figureOf).filter((figure) => figure !== null);
    return figures.length === 0 ? null : figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
  };
  const theirs = mean(byName.get(BESIDE));
  const told = (name: string) => (byName.get(name) ?? []).map((one) => noteOf?.(one)).join("; ");
  return [...byName.entries()]
    .map(([name, all]) => ({ name, ours: mean(all) }))
    .filter(({ name, ours }) => name !== BESIDE && ours !== null)
    .map(({ name, ours }) => ({
      ...{ work: `${work}, ${name}`, unit, ours, theirs },
      ...(noteOf && { note: `${told(name)}${theirs === null ? "" : ` (${BESIDE}: ${told(BESIDE)})`}` }),
    }));
}
