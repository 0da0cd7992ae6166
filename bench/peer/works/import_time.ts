import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median } from "../../support/statistics.ts";
import type { Work } from "../bench.ts";
import { now } from "../processes/orders.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export const importTime: Work = {
  name: "import",
  describes: "how much longer Node takes to start with the library imported",
  measure(bench) {
    const times = Array.from({ length: bench.quick ? 5 : 15 }, () => run('import "toxcore-ts"') - run(""));
    return Promise.resolve([
      { work: 'import "toxcore-ts", above bare Node', unit: "ms", ours: median(times), theirs: null },
    ]);
  },
};

function run(code: string): number {
  const start = now();
  const { status } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { cwd: ROOT, stdio: "inherit" });
  if (status !== 0) throw new Error("the library could not be imported");
  return now() - start;
}
