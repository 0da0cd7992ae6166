/** The NAT lab, as root on Linux: `npm run test:nat -- --only NAME`. */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { ROUTER_KINDS } from "./lab/router_rules.ts";
import { selfTest } from "./self_test.ts";

const { values } = parseArgs({ options: { only: { type: "string" } } });

function missing(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "root on Linux";
  return ["ip", "iptables"].find((tool) => spawnSync(tool, ["-V"]).status !== 0);
}

const lacking = missing();
const kinds = ROUTER_KINDS.filter((kind) => values.only === undefined || kind === values.only);
if (lacking !== undefined) {
  console.error(`The NAT lab needs ${lacking}.`);
  process.exitCode = 1;
} else if (kinds.length === 0) {
  console.error(`There is no case "${values.only}": ${ROUTER_KINDS.join(", ")}.`);
  process.exitCode = 1;
} else {
  let failed = 0;
  for (const kind of kinds) {
    const wrong = await selfTest(kind).catch(String);
    if (wrong !== undefined) failed++;
    console.log(
      `${wrong === undefined ? "ok    " : "FAILED"} router ${kind}${wrong === undefined ? "" : `: ${wrong}`}`,
    );
  }
  console.log(`Tests  ${failed} failed | ${kinds.length - failed} passed (${kinds.length})`);
  if (failed > 0) process.exitCode = 1;
}
