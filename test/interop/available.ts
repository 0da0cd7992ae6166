import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";

const MAIN = fileURLToPath(new URL("./peer/main.ts", import.meta.url));
const MISSING = "interop tests skipped: libtoxcore2 is not installed";

let probed: { version: string | undefined } | undefined;
let told = false;

/** Version of the libtoxcore that peers will load (`LIBTOXCORE` or the system's), undefined when there is none. */
export function libtoxcoreVersion(): string | undefined {
  probed ??= probe();
  return probed.version;
}

/** Tried in a child process, once a test file. */
export function libtoxcoreAvailable(): boolean {
  return libtoxcoreVersion() !== undefined;
}

/**
 * `describe` for tests that need libtoxcore. Without it they are skipped, and one line says so; but where `CI` is set
 * they fail, or nobody would notice that nothing is tested there.
 */
export function describeInterop(name: string, fn: () => void): void {
  if (libtoxcoreAvailable()) describe(name, fn);
  else if (process.env.CI) {
    describe(name, () => {
      it("finds libtoxcore2", () => {
        throw new Error("libtoxcore2 is not installed, and CI must not skip the interop tests");
      });
    });
  } else {
    if (!told) console.warn(MISSING);
    told = true;
    describe.skip(name, fn);
  }
}

function probe(): { version: string | undefined } {
  const library = process.env.LIBTOXCORE;
  const child = spawnSync(process.execPath, [MAIN, "--probe", ...(library === undefined ? [] : [library])], {
    encoding: "utf8",
    timeout: 20_000,
  });
  return { version: child.status === 0 ? child.stdout.trim() : undefined };
}
