/** Aligned for a terminal, and Markdown all the same. The first columns, `texts` of them, are texts, the others figures. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[], texts = 2): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const isFigure = (column: number) => column >= texts;
  const cell = (text: string, column: number) =>
    isFigure(column) ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  const rule = widths.map((width, column) => (isFigure(column) ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [line(head), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

/** Three significant digits, thousands set off. */
export function figure(value: number | null): string {
  if (value === null) return "";
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 100 ? Math.round(rounded).toLocaleString("en-US") : String(rounded);
}
