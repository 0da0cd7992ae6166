/** Kills writing processes and looks at what is left: `npm run test:crash -- [--kills N] [--seed S] [PART …]`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Argument, Command, InvalidArgumentError } from "commander";
import { SeededRandom } from "../../src/testing/index.ts";
import { crashConversation } from "./conversation_crashes.ts";
import { crashPassword } from "./password_crashes.ts";
import { crashStore } from "./store_crashes.ts";

type Part = (folder: string, random: SeededRandom, kills: number) => Promise<string>;

const PARTS: Readonly<Record<string, Part>> = {
  store: (folder, random, kills) => crashStore(join(folder, "alice.tox"), random, kills),
  password: (folder, random, kills) => crashStore(join(folder, "alice.tox"), random, kills, "correct horse"),
  "password-change": (folder, random, kills) => crashPassword(join(folder, "alice.tox"), random, kills),
  conversation: (folder, random, kills) => crashConversation(folder, random, kills),
};

const command = new Command("npm run test:crash --")
  .description("Kills processes at random instants, and proves that nothing is lost, doubled or mixed.")
  .addArgument(new Argument("[part...]", "what to do; everything, if left out").choices(Object.keys(PARTS)))
  .option("--kills <N>", "how many, in each part", parseCount, 200)
  .option("--seed <TEXT>", "draws the same instants again", String(Math.floor(Math.random() * 1e9)))
  .parse();
const { kills, seed } = command.opts<{ kills: number; seed: string }>();

console.log(`seed ${seed}`);
for (const [name, part] of Object.entries(PARTS)) {
  if (command.args.length > 0 && !command.args.includes(name)) continue;
  const folder = mkdtempSync(join(tmpdir(), "toxcore-ts-crash-"));
  const started = performance.now();
  try {
    const summary = await part(folder, new SeededRandom(`${seed}/${name}`), kills);
    console.log(`${name}: ${summary} (${Math.round((performance.now() - started) / 1000)} s)`);
    rmSync(folder, { recursive: true });
  } catch (error) {
    console.error(`${name} FAILED; again with --seed ${seed} ${name}; its files are in ${folder}`);
    throw error;
  }
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("Give a number from 1 to 999999.");
  return Number(text);
}
