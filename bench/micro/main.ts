/** Micro-benchmarks: `npm run bench -- [PART …] [--quick] [--json FILE]`. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { formatRows, type Row } from "../support/rows.ts";
import { codecs } from "./codecs.ts";
import { crypto } from "./crypto.ts";
import { dht } from "./dht.ts";
import { messages } from "./messages.ts";
import { network } from "./network.ts";
import { onion } from "./onion.ts";
import { FULL, type Part, QUICK } from "./part.ts";
import { session } from "./session.ts";
import { util } from "./util.ts";

const PARTS: readonly Part[] = [crypto, codecs, util, network, dht, onion, session, messages];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "string" }, quick: { type: "boolean", default: false } },
});

const unknown = positionals.find((name) => !PARTS.some((part) => part.name === name));
if (unknown !== undefined) {
  console.error(`There is no part "${unknown}"; there are ${PARTS.map((part) => part.name).join(", ")}.`);
  process.exit(1);
}

const rows: Row[] = [];
for (const part of PARTS) {
  if (positionals.length > 0 && !positionals.includes(part.name)) continue;
  const own: Row[] = [];
  for await (const row of part.rows(values.quick ? QUICK : FULL)) own.push({ part: part.name, ...row });
  console.log(`${rows.length > 0 ? "\n" : ""}${part.name}: ${part.about}\n\n${formatRows(own)}`);
  rows.push(...own);
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ rows }, undefined, 2)}\n`);
