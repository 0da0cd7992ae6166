/** `npm run fuzz`: feeds the targets mutated inputs. docs/fuzzing.md. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { fromHex } from "../src/util/bytes.ts";
import { findTargets, TARGETS, type TargetFile } from "./engine/find_targets.ts";
import { findingLines, headLine, targetLine } from "./engine/print.ts";
import { runAll } from "./engine/schedule.ts";
import { runWatched } from "./engine/watched_run.ts";

interface Flags {
  readonly seconds: number;
  readonly runs?: number;
  readonly seed: string;
  readonly input?: Uint8Array;
  readonly list?: true;
  readonly folder: string;
}

const program = new Command("fuzz")
  .description("Feeds the targets (all, or those named) mutated inputs until one fails or the time is over.")
  .argument("[target...]", "names, as --list shows them")
  .option("--seconds <N>", "how long all of it takes, shared among the targets", positive, 60)
  .option(
    "--runs <N>",
    "so many executions a target, its corpus at least, instead of a time; the same seed does the same",
    positive,
  )
  .option("--seed <TEXT>", "what the mutations are drawn from", String(Date.now()))
  .option("--input <HEX|FILE>", "run this input alone, on the one target named", readInput)
  .option("--list", "only name the targets")
  .option("--folder <PATH>", "where the targets are", TARGETS)
  .action(main);
await program.parseAsync();

async function main(names: readonly string[], flags: Flags): Promise<void> {
  const targets = chosen(names, flags.folder);
  if (flags.list) return console.log(targets.map(({ name }) => name).join("\n"));
  const failed = flags.input === undefined ? await fuzz(targets, flags) : await replay(targets, flags.input);
  process.exitCode = failed ? 1 : 0;
}

function chosen(names: readonly string[], folder: string): TargetFile[] {
  const targets = findTargets(folder);
  const unknown = names.find((name) => !targets.some((target) => target.name === name));
  if (unknown !== undefined) program.error(`There is no target "${unknown}": --list names them.`);
  return names.length === 0 ? targets : targets.filter(({ name }) => names.includes(name));
}

async function fuzz(targets: readonly TargetFile[], flags: Flags): Promise<boolean> {
  const { seed, runs } = flags;
  const limit = runs === undefined ? { milliseconds: 1000 * flags.seconds - performance.now() } : { runs };
  let failed = false;
  console.log(`seed ${seed}`);
  console.log(headLine());
  for await (const { target, report } of runAll(targets, { seed, lanes: availableParallelism(), ...limit })) {
    console.log(targetLine(target.name, report));
    for (const line of findingLines(target.name, seed, report, keep)) console.log(line);
    failed ||= report.finding !== undefined;
  }
  return failed;
}

async function replay(targets: readonly TargetFile[], input: Uint8Array): Promise<boolean> {
  const [target] = targets;
  if (target === undefined || targets.length > 1) return program.error("Name the one target that --input is for.");
  const { finding } = await runWatched({ file: target.file, seed: "", input });
  if (finding === undefined) console.log(`${target.name} takes this input of ${input.length} bytes well.`);
  else console.log(`${target.name}: ${finding.failure.stack ?? finding.failure.message}`);
  return finding !== undefined;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || value === Number.POSITIVE_INFINITY) throw new InvalidArgumentError("Give a number above 0.");
  return value;
}

/** Bytes in hex, or else a file's. */
function readInput(text: string): Uint8Array {
  const bytes = fromHex(text);
  if (bytes !== undefined && bytes.length > 0) return bytes;
  try {
    return readFileSync(text);
  } catch {
    throw new InvalidArgumentError("Give bytes in hex, or a file that can be read.");
  }
}

/** Puts an input into a file of its own. */
function keep(name: string, input: Uint8Array): string {
  const path = join(mkdtempSync(join(tmpdir(), "toxcore-ts-fuzz-")), name);
  writeFileSync(path, input);
  return path;
}
