import { toHex } from "../../src/util/bytes.ts";
import type { RunReport } from "./watched_run.ts";

const COLUMNS = [24, 14, 14, 10] as const;

export function headLine(): string {
  return row(["target", "executions", "a second", "corpus"]);
}

/** One line about a target that has had its turn. */
export function targetLine(name: string, { result, finding, dismissed }: RunReport): string {
  const ok = dismissed === undefined ? "ok" : `ok (while V8 counted: ${dismissed.failure.message})`;
  const outcome = finding === undefined ? ok : finding.failure.kind.toUpperCase();
  if (result === undefined) return `${row([name, "", "", ""])}  ${outcome}`;
  const rate = Math.round((1000 * result.executions) / Math.max(1, result.milliseconds));
  return `${row([name, grouped(result.executions), grouped(rate), grouped(result.corpusSize)])}  ${outcome}`;
}

/** All that is needed to see a failure again; nothing when there was none. */
export function findingLines(name: string, seed: string, { finding }: RunReport): string[] {
  if (finding === undefined) return [];
  const what = `${name}: ${finding.failure.stack ?? finding.failure.message}`;
  if (finding.execution === 0) return ["", what, "  before its first input", ""];
  const hex = toHex(finding.input).toLowerCase();
  return [
    "",
    what,
    `  input, ${finding.input.length} bytes: ${hex}`,
    `  found with seed ${seed}, execution ${grouped(finding.execution)}`,
    `  again: npm run fuzz -- ${name} --input ${hex === "" ? "/dev/null" : hex}`,
    "",
  ];
}

function row(cells: readonly [string, string, string, string]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(COLUMNS[0]) : cell.padStart(COLUMNS[i] ?? 0))).join("");
}

function grouped(count: number): string {
  return count.toLocaleString("en");
}
