/**
 * A Tox ID: what a person gives to others so that they can ask for friendship. spec.md "Tox ID", c-toxcore `Messenger.c`.
 *
 *   32  long-term public key
 *    4  nospam
 *    2  checksum: XOR of the 18 pairs of bytes before it
 */

import { asPublicKey, PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import { fromHex, readU32, toHex, writeU32 } from "../../util/bytes.ts";
import { ToxError } from "../../util/tox_error.ts";

export const TOX_ID_SIZE = PUBLIC_KEY_SIZE + 4 + 2;

export interface ToxId {
  readonly publicKey: PublicKey;
  /** u32; in the ID it stands in network order. */
  readonly nospam: number;
}

export function encodeToxId(id: ToxId): Uint8Array {
  const bytes = new Uint8Array(TOX_ID_SIZE);
  bytes.set(id.publicKey);
  writeU32(bytes, PUBLIC_KEY_SIZE, id.nospam);
  const [even, odd] = checksum(bytes);
  bytes[TOX_ID_SIZE - 2] = even;
  bytes[TOX_ID_SIZE - 1] = odd;
  return bytes;
}

/** Throws `invalid-id` or `checksum-mismatch`: an ID comes from our own person, not from the network. */
export function decodeToxId(bytes: Uint8Array): ToxId {
  if (bytes.length !== TOX_ID_SIZE) {
    throw new ToxError("invalid-id", `Give a Tox ID of ${2 * TOX_ID_SIZE} hex digits (${TOX_ID_SIZE} bytes).`);
  }
  const [even, odd] = checksum(bytes);
  if (bytes[TOX_ID_SIZE - 2] !== even || bytes[TOX_ID_SIZE - 1] !== odd) {
    throw new ToxError("checksum-mismatch", "Check the Tox ID for a typing error: its checksum does not fit.");
  }
  const publicKey = asPublicKey(bytes.slice(0, PUBLIC_KEY_SIZE));
  if (!isCanonicalKey(publicKey)) throw new ToxError("invalid-id", "Ask for the Tox ID again: nobody has this key.");
  return { publicKey, nospam: readU32(bytes, PUBLIC_KEY_SIZE) };
}

/** 76 upper-case hex digits. */
export function formatToxId(id: ToxId): string {
  return toHex(encodeToxId(id));
}

/** Takes hex digits in any case, with blanks around them. Throws as `decodeToxId`. */
export function parseToxId(text: string): ToxId {
  return decodeToxId(fromHex(text.trim()) ?? new Uint8Array(0));
}

/** X25519 ignores the top bit, so no key that somebody uses as his name has it. toxcore's public_key_valid. */
export function isCanonicalKey(publicKey: Uint8Array): boolean {
  return (publicKey[PUBLIC_KEY_SIZE - 1] ?? 0xff) < 0x80;
}

function checksum(bytes: Uint8Array): [even: number, odd: number] {
  let even = 0;
  let odd = 0;
  for (let at = 0; at < TOX_ID_SIZE - 2; at += 2) {
    even ^= bytes[at] ?? 0;
    odd ^= bytes[at + 1] ?? 0;
  }
  return [even, odd];
}
