import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A profile that libtoxcore 0.2.18 wrote, see `golden/README.md`. */
export function golden(name: "alice" | "bob" | "alice.encrypted"): Uint8Array {
  return new Uint8Array(readFileSync(join(import.meta.dirname, "golden", `${name}.tox`)));
}
