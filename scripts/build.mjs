// Compiles src/ to dist/. Written in plain JavaScript: `prepare` runs it with whatever Node npm itself runs on.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const compiler = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));

if (!existsSync(compiler)) {
  console.error(
    "toxcore-ts: not built, because the TypeScript compiler is not installed (a production install needs no build)",
  );
  process.exit(existsSync(new URL("../dist/index.js", import.meta.url)) ? 0 : 1);
}

rmSync(new URL("../dist", import.meta.url), { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
if (status === 0) chmodSync(new URL("../dist/cli/main.js", import.meta.url), 0o755);
process.exit(status ?? 1);
