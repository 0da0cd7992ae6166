import type { Readable } from "node:stream";

/** The longest line that is read; a client that sends more is cut off. */
export const MAX_LINE_BYTES = 1024 * 1024;

/** The lines of a stream of UTF-8, without their ends. Throws when one grows past `MAX_LINE_BYTES`. */
export async function* linesOf(input: Readable): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of input) {
    let rest: Uint8Array = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield textOf([...parts, rest.subarray(0, end)]);
      parts = [];
      length = 0;
      rest = rest.subarray(end + 1);
    }
    parts.push(rest);
    length += rest.length;
    if (length > MAX_LINE_BYTES) throw new Error(`A line is longer than ${MAX_LINE_BYTES} bytes.`);
  }
  if (length > 0) yield textOf(parts);
}

function textOf(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString("utf8").replace(/\r$/, "");
}
