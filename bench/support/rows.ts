/** One line of a bench's table: what was done, and its figures by name. A figure's name says its unit. */
export interface Row {
  readonly part: string;
  readonly work: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** A table in markdown; columns are the figures that any of the rows has. */
export function formatRows(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.figures)))];
  const cells = [
    ["work", ...names],
    ...rows.map(({ work, figures }) => [work, ...names.map((name) => formatFigure(figures[name]))]),
  ];
  const widths = names.map((_, i) => Math.max(...cells.map((line) => line[i + 1]?.length ?? 0)));
  widths.unshift(Math.max(...cells.map((line) => line[0]?.length ?? 0)));
  const lines = cells.map(([first = "", ...others]) => {
    const numbers = others.map((cell, i) => cell.padStart(widths[i + 1] ?? 0));
    return `| ${[first.padEnd(widths[0] ?? 0), ...numbers].join(" | ")} |`;
  });
  const rule = `| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}

/** Three digits that mean something. */
function formatFigure(value: number | undefined): string {
  if (value === undefined) return "";
  if (value === 0 || Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}
