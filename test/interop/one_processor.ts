import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** `/sys/devices/system/cpu/online` of a machine with one processor. */
const ONLINE = fileURLToPath(new URL("./peer/one_processor", import.meta.url));
const SCRIPT = `mount --bind '${ONLINE}' /sys/devices/system/cpu/online && exec "$@"`;

/**
 * The command line, so that the program believes the machine has one processor; where we may say so (root, Linux). libvpx then
 * starts no threads: they wait for each other by spinning, and on a busy machine one small picture takes half a second.
 */
export function onOneProcessor(line: readonly string[]): string[] {
  return canPretend() ? pretending(line) : [...line];
}

let able: boolean | undefined;

function canPretend(): boolean {
  const [program = "", ...args] = pretending(["getconf", "_NPROCESSORS_ONLN"]);
  able ??= spawnSync(program, args, { encoding: "utf8" }).stdout?.trim() === "1";
  return able;
}

function pretending(line: readonly string[]): string[] {
  return ["unshare", "--mount", "sh", "-c", SCRIPT, "sh", ...line];
}
