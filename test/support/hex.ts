import { fromHex } from "../../src/util/bytes.ts";

/** The bytes of hex digits, which may be spread over lines. */
export function hex(text: string): Uint8Array {
  const bytes = fromHex(text.replaceAll(/\s/g, ""));
  if (bytes === undefined) throw new Error(`${text} is no hex.`);
  return bytes;
}
