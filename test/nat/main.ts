/** The NAT lab, as root on Linux: `npm run test:nat -- --only NAME --jobs N`. docs/nat-lab.md */
import { spawnSync } from "node:child_process";
import { Command, InvalidArgumentError } from "commander";
import { libtoxcoreVersion } from "../interop/available.ts";
import { netnsAvailable } from "../interop/netns.ts";
import { cases } from "./cases/index.ts";
import { PAIRS } from "./nat_case.ts";
import { type Outcome, play } from "./play.ts";
import { selfTests } from "./self_test.ts";
import { isFailure, resultOf, tableOf } from "./table.ts";

const names = [...new Set([...selfTests.keys(), ...cases.map(({ name }) => name)])];
const { only, jobs } = new Command("npm run test:nat --")
  .description("Plays two people behind routers of each kind, as root on Linux (docs/nat-lab.md).")
  .option("--only <NAME>", "one case alone, or one test of a router", parseName)
  .option("--jobs <N>", "how many cases at once", parseJobs, 6)
  .addHelpText("after", `\nNames for --only:\n  ${names.join("\n  ")}`)
  .parse()
  .opts<{ only?: string; jobs: number }>();

function parseName(text: string): string {
  if (names.includes(text)) return text;
  throw new InvalidArgumentError(`Give one of these: ${names.join(", ")}.`);
}

function parseJobs(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError("Give a number from 1 to 999.");
  return Number(text);
}

function missing(): string | undefined {
  const tool = ["ip", "iptables", "conntrack", "nft"].find((name) => spawnSync(name, ["-V"]).error !== undefined);
  if (tool !== undefined) return tool;
  if (!netnsAvailable()) return "root on Linux, and the right to make network namespaces";
  if (spawnSync("tox-bootstrapd", ["--help"]).error !== undefined) return "tox-bootstrapd";
  if (spawnSync("miniupnpd", ["--version"]).error !== undefined) return "miniupnpd";
  return libtoxcoreVersion() === undefined ? "libtoxcore2" : undefined;
}

const chosen = (name: string) => only === undefined || only === name;
const tests = [...selfTests].filter(([name]) => chosen(name));
const plays = cases.filter(({ name }) => chosen(name)).flatMap((natCase) => PAIRS.map((pair) => ({ natCase, pair })));

async function run(): Promise<void> {
  let failed = 0;
  for (const [name, test] of tests) {
    const wrong = await test().catch(String);
    if (wrong !== undefined) failed++;
    console.log(wrong === undefined ? `router ${name}: ok` : `router ${name}: FAILED: ${wrong}`);
  }
  const outcomes: Outcome[] = [];
  const left = plays.entries();
  const work = async () => {
    for (const [at, { natCase, pair }] of left) {
      const outcome = await play(natCase, pair);
      outcomes[at] = outcome;
      console.log(`${outcome.name} (${pair}): ${resultOf(outcome)}`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  if (outcomes.length > 0) console.log(`\n${tableOf(outcomes)}\n`);
  failed += outcomes.filter(isFailure).length;
  const pending = outcomes.filter((outcome) => outcome.pending !== undefined && !isFailure(outcome)).length;
  const passed = tests.length + outcomes.length - failed - pending;
  console.log(`Tests  ${failed} failed | ${passed} passed | ${pending} pending (${tests.length + outcomes.length})`);
  process.exitCode = failed > 0 ? 1 : 0;
}

const lacking = missing();
if (lacking !== undefined) {
  console.error(`The NAT lab needs ${lacking}.`);
  process.exitCode = 1;
} else await run();
