/**
 * The cookie: proof that its bearer was reachable a moment ago, so that nothing has to be kept for strangers. Only its
 * maker can open it. c-toxcore `net_crypto.c` (create_cookie), spec.md "Cookie".
 *
 *   24   nonce                                          contents, 72 bytes:
 *   88   box of the contents, under a symmetric key     8    when it was made, u64; whose unit is the maker's affair
 *        that only the maker has                        32   long-term key of the bearer
 *                                                       32   DHT key of the bearer
 */
import { MAC_SIZE, NONCE_SIZE, PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import { readU64, writeU64 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";

const PUBLIC_KEY_AT = 8;
const DHT_PUBLIC_KEY_AT = PUBLIC_KEY_AT + PUBLIC_KEY_SIZE;
/** What the box holds: 72. */
export const COOKIE_CONTENTS_SIZE = DHT_PUBLIC_KEY_AT + PUBLIC_KEY_SIZE;
/** 112. */
export const COOKIE_SIZE = NONCE_SIZE + COOKIE_CONTENTS_SIZE + MAC_SIZE;

export interface CookieContents {
  /** Milliseconds of our monotonic clock. */
  readonly madeAt: bigint;
  readonly publicKey: PublicKey;
  readonly dhtPublicKey: PublicKey;
}

export function encodeCookieContents(into: Uint8Array, contents: CookieContents): number {
  writeU64(into, 0, contents.madeAt);
  into.set(contents.publicKey, PUBLIC_KEY_AT);
  into.set(contents.dhtPublicKey, DHT_PUBLIC_KEY_AT);
  return COOKIE_CONTENTS_SIZE;
}

export function decodeCookieContents(bytes: Uint8Array, drop: Drop): CookieContents | undefined {
  if (bytes.length < COOKIE_CONTENTS_SIZE) return drop("truncated");
  if (bytes.length > COOKIE_CONTENTS_SIZE) return drop("oversized");
  return {
    madeAt: readU64(bytes, 0),
    publicKey: bytes.slice(PUBLIC_KEY_AT, DHT_PUBLIC_KEY_AT) as PublicKey,
    dhtPublicKey: bytes.slice(DHT_PUBLIC_KEY_AT) as PublicKey,
  };
}
