import { figure, markdownTable } from "./table.ts";

/** One line of a bench's table: what was done, and its figures by name. A figure's name says its unit. */
export interface Row {
  readonly part: string;
  readonly work: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** A table of rows; its columns are the figures that any of them has. */
export function formatRows(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.figures)))];
  const lines = rows.map(({ work, figures }) => [work, ...names.map((name) => figure(figures[name] ?? null))]);
  return markdownTable(["work", ...names], lines, 1);
}
