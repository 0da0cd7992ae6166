import type { Readable } from "node:stream";

/** The longest line that is read. */
export const MAX_LINE_BYTES = 1024 * 1024;

/** A line that was longer than `MAX_LINE_BYTES`: it is known at once, and what else belongs to it is thrown away. */
export const TOO_LONG = Symbol("a line that is too long");

/** The lines of a stream of UTF-8, without their ends. */
export async function* linesOf(input: Readable): AsyncGenerator<string | typeof TOO_LONG> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let skipping = false;
  for await (const chunk of input) {
    let rest: Uint8Array = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    while (rest.length > 0) {
      const end = rest.indexOf(10);
      const part = end < 0 ? rest : rest.subarray(0, end);
      rest = end < 0 ? rest.subarray(rest.length) : rest.subarray(end + 1);
      length += part.length;
      if (length <= MAX_LINE_BYTES) parts.push(part);
      else if (!skipping) {
        skipping = true;
        parts = [];
        yield TOO_LONG;
      }
      if (end < 0) continue;
      if (!skipping) yield textOf(parts);
      parts = [];
      length = 0;
      skipping = false;
    }
  }
  if (length > 0 && !skipping) yield textOf(parts);
}

function textOf(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString("utf8").replace(/\r$/, "");
}
