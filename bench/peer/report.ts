import { figure, markdownTable } from "../support/table.ts";
import type { Row } from "./bench.ts";

/** The rows, and below them what one has to know to read them. */
export function table(rows: readonly Row[], toxcore: string | undefined): string {
  const head = ["work", "unit", "ours", toxcore === undefined ? "libtoxcore" : `libtoxcore ${toxcore}`, "ratio"];
  const lines = rows.map((row) => [row.work, row.unit, figure(row.ours), figure(row.theirs), figure(ratio(row))]);
  const notes = rows.flatMap(({ work, note }) => (note === undefined ? [] : `${work}: ${note}.`));
  return [markdownTable(head, lines), ...notes].join("\n\n");
}

export function json(rows: readonly Row[]): string {
  const plain = rows.map((row) => ({
    work: row.work,
    unit: row.unit,
    ours: row.ours,
    theirs: row.theirs,
    ratio: ratio(row),
  }));
  return `${JSON.stringify({ rows: plain }, undefined, 2)}\n`;
}

/** Ours to theirs; none to nothing. */
function ratio({ ours, theirs }: Row): number | null {
  return ours === null || theirs === null || theirs === 0 ? null : ours / theirs;
}
