/**
 * CookieResponse (0x19). spec.md "Cookie Response", c-toxcore `net_crypto.c` (create_cookie_response).
 *
 *   1     0x19                                          plain, 120 bytes:
 *   24    nonce                                         112  cookie
 *   136   box of the plain, under both DHT keys         8    echo of the request
 */
import { MAC_SIZE, NONCE_SIZE, type Nonce } from "../../crypto/keys.ts";
import type { Drop } from "../drop.ts";
import { PacketId } from "../packet_ids.ts";
import { COOKIE_SIZE } from "./cookie.ts";
import { ECHO_SIZE } from "./cookie_request.ts";

const BOX_AT = 1 + NONCE_SIZE;
/** What the box holds: 120. */
export const COOKIE_RESPONSE_PLAIN_SIZE = COOKIE_SIZE + ECHO_SIZE;
/** 161. */
export const COOKIE_RESPONSE_SIZE = BOX_AT + COOKIE_RESPONSE_PLAIN_SIZE + MAC_SIZE;

export interface CookieResponse {
  readonly nonce: Nonce;
  readonly box: Uint8Array;
}

export interface CookieResponsePlain {
  readonly cookie: Uint8Array;
  readonly echo: Uint8Array;
}

export function encodeCookieResponse(into: Uint8Array, response: CookieResponse): number {
  into[0] = PacketId.CookieResponse;
  into.set(response.nonce, 1);
  into.set(response.box, BOX_AT);
  return COOKIE_RESPONSE_SIZE;
}

/** The fields are views of `bytes`. */
export function decodeCookieResponse(bytes: Uint8Array, drop: Drop): CookieResponse | undefined {
  if (bytes.length < COOKIE_RESPONSE_SIZE) return drop("truncated");
  if (bytes.length > COOKIE_RESPONSE_SIZE) return drop("oversized");
  if (bytes[0] !== PacketId.CookieResponse) return drop("malformed");
  return { nonce: bytes.subarray(1, BOX_AT) as Nonce, box: bytes.subarray(BOX_AT) };
}

export function encodeCookieResponsePlain(into: Uint8Array, plain: CookieResponsePlain): number {
  into.set(plain.cookie, 0);
  into.set(plain.echo, COOKIE_SIZE);
  return COOKIE_RESPONSE_PLAIN_SIZE;
}

export function decodeCookieResponsePlain(bytes: Uint8Array, drop: Drop): CookieResponsePlain | undefined {
  if (bytes.length < COOKIE_RESPONSE_PLAIN_SIZE) return drop("truncated");
  if (bytes.length > COOKIE_RESPONSE_PLAIN_SIZE) return drop("oversized");
  return { cookie: bytes.slice(0, COOKIE_SIZE), echo: bytes.slice(COOKIE_SIZE) };
}
