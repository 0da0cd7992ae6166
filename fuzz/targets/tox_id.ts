/** Tox IDs as people paste them, and their bytes. An input's first byte chooses: an odd one is followed by text. */

import { sameBytes } from "../../src/util/bytes.ts";
import { fromUtf8, utf8 } from "../../src/util/text.ts";
import { ToxError } from "../../src/util/tox_error.ts";
import { decodeToxId, encodeToxId, formatToxId, parseToxId, type ToxId } from "../../src/wire/friend/tox_id.ts";
import { broken } from "../codec.ts";
import { key } from "../samples.ts";

export function fuzz(data: Uint8Array): void {
  const rest = data.subarray(1);
  if (((data[0] ?? 0) & 1) === 1) fuzzText(fromUtf8(rest));
  else fuzzBytes(rest);
}

export function* corpus(): Iterable<Uint8Array> {
  for (const id of [
    { publicKey: key(1), nospam: 0 },
    { publicKey: key(2), nospam: 0xffff_ffff },
  ]) {
    yield Uint8Array.of(0, ...encodeToxId(id));
    yield Uint8Array.of(1, ...utf8(formatToxId(id)));
    yield Uint8Array.of(1, ...utf8(`  ${formatToxId(id).toLowerCase()}\r\n`));
  }
}

function fuzzBytes(bytes: Uint8Array): void {
  const id = takenOrRefused(() => decodeToxId(bytes));
  if (id === undefined) return;
  if (!sameBytes(encodeToxId(id), bytes)) broken("a Tox ID is encoded to other bytes", bytes, encodeToxId(id));
  // A single wrong byte never passes the checksum.
  for (const [at, byte] of bytes.entries()) {
    if (takenOrRefused(() => decodeToxId(bytes.with(at, byte ^ 0x11))) !== undefined) broken(`byte ${at} says nothing`);
  }
}

function fuzzText(text: string): void {
  const id = takenOrRefused(() => parseToxId(text));
  if (id === undefined) return;
  if (formatToxId(id) !== text.trim().toUpperCase()) broken(`${JSON.stringify(text)} becomes ${formatToxId(id)}`);
}

/** A bad ID throws one of two codes, and nothing else. */
function takenOrRefused(decode: () => ToxId): ToxId | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof ToxError && (error.code === "invalid-id" || error.code === "checksum-mismatch"))
      return undefined;
    throw error;
  }
}
