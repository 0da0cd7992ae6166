import { toHex } from "../../src/util/bytes.ts";
import type { RunReport } from "./watched_run.ts";

const COLUMNS = [24, 14, 14, 10] as const;
/** In bytes, of an input that is shown in hex. */
const LONGEST_IN_LINE = 1_024;

/** Puts an input of the target into a file and answers its path. */
export type Keep = (target: string, input: Uint8Array) => string;

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

/** All that is needed to see a failure again; nothing when there was none. What is too long for a command line is kept. */
export function findingLines(name: string, seed: string, { finding }: RunReport, keep: Keep): string[] {
  if (finding === undefined) return [];
  const { failure, input, execution } = finding;
  const what = ["", `${name}: ${failure.stack ?? failure.message}`];
  if (execution === 0) {
    return [
      ...what,
      "  before its first input: as it was loaded, or made its corpus",
      `  again: npm run fuzz -- ${name} --runs 1`,
      "",
    ];
  }
  const found = `  found with seed ${seed}, execution ${grouped(execution)}`;
  const hex = toHex(input).toLowerCase();
  const isShort = input.length <= LONGEST_IN_LINE;
  const shown = isShort ? `  input, ${input.length} bytes: ${hex}` : `  input, ${input.length} bytes`;
  const argument = isShort ? hex || "/dev/null" : keep(name, input);
  return [...what, shown, found, `  again: npm run fuzz -- ${name} --input ${argument}`, ""];
}

function row(cells: readonly [string, string, string, string]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(COLUMNS[0]) : cell.padStart(COLUMNS[i] ?? 0))).join("");
}

function grouped(count: number): string {
  return count.toLocaleString("en");
}
