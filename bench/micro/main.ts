/** Micro-benchmarks: `npm run bench -- [PART …] [--quick] [--json FILE]`. */
import { writeFileSync } from "node:fs";
import { Argument, Command } from "commander";
import { formatRows, type Row } from "../support/rows.ts";
import { codecs } from "./codecs.ts";
import { crypto } from "./crypto.ts";
import { dht } from "./dht.ts";
import { media } from "./media.ts";
import { messages } from "./messages.ts";
import { network } from "./network.ts";
import { onion } from "./onion.ts";
import { outbox } from "./outbox.ts";
import { FULL, type Part, QUICK } from "./part.ts";
import { profile } from "./profile.ts";
import { session } from "./session.ts";
import { store } from "./store.ts";
import { util } from "./util.ts";

const PARTS: readonly Part[] = [
  crypto,
  codecs,
  util,
  network,
  dht,
  onion,
  session,
  messages,
  outbox,
  store,
  profile,
  media,
];

interface Options {
  readonly json?: string;
  readonly quick?: true;
}

const command = new Command("npm run bench --")
  .description("Measures the parts by themselves: time and allocations a call.")
  .addArgument(
    new Argument("[part...]", "what to measure; everything, if left out").choices(PARTS.map(({ name }) => name)),
  )
  .option("--quick", "fewer and shorter rounds")
  .option("--json <FILE>", "write the rows to this file too")
  .parse();
const { json, quick } = command.opts<Options>();
const names = command.args;

const rows: Row[] = [];
for (const part of PARTS) {
  if (names.length > 0 && !names.includes(part.name)) continue;
  const own: Row[] = [];
  for await (const row of part.rows(quick ? QUICK : FULL)) own.push({ part: part.name, ...row });
  console.log(`${rows.length > 0 ? "\n" : ""}${part.name}: ${part.about}\n\n${formatRows(own)}`);
  rows.push(...own);
}
if (json !== undefined) writeFileSync(json, `${JSON.stringify({ rows }, undefined, 2)}\n`);
