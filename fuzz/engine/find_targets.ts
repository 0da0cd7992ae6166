import { readdirSync } from "node:fs";
import { basename, join } from "node:path";

export interface TargetFile {
  readonly name: string;
  readonly file: string;
}

export const TARGETS = join(import.meta.dirname, "../targets");

/** The targets of a folder, by name: every module in it is one. */
export function findTargets(folder: string): TargetFile[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".ts"));
  return files.sort().map((file) => ({ name: basename(file, ".ts"), file: join(folder, file) }));
}
