/**
 * CookieRequest (0x18): the first packet to a peer. spec.md "Cookie Request", c-toxcore `net_crypto.c`
 * (create_cookie_request).
 *
 *   1    0x18                                           plain, 72 bytes:
 *   32   sender's DHT key                               32   sender's long-term key
 *   24   nonce                                          32   zeros, not looked at
 *   88   box of the plain, under both DHT keys          8    echo: comes back in the response
 */
import { MAC_SIZE, NONCE_SIZE, type Nonce, PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import type { Drop } from "../drop.ts";
import { PacketId } from "../packet_ids.ts";

const NONCE_AT = 1 + PUBLIC_KEY_SIZE;
const BOX_AT = NONCE_AT + NONCE_SIZE;
const ECHO_AT = 2 * PUBLIC_KEY_SIZE;
export const ECHO_SIZE = 8;
/** What the box holds: 72. */
export const COOKIE_REQUEST_PLAIN_SIZE = ECHO_AT + ECHO_SIZE;
/** 145. */
export const COOKIE_REQUEST_SIZE = BOX_AT + COOKIE_REQUEST_PLAIN_SIZE + MAC_SIZE;

export interface CookieRequest {
  readonly dhtPublicKey: PublicKey;
  readonly nonce: Nonce;
  readonly box: Uint8Array;
}

export interface CookieRequestPlain {
  readonly publicKey: PublicKey;
  /** 8 bytes that mean nothing to the other side. */
  readonly echo: Uint8Array;
}

export function encodeCookieRequest(into: Uint8Array, request: CookieRequest): number {
  into[0] = PacketId.CookieRequest;
  into.set(request.dhtPublicKey, 1);
  into.set(request.nonce, NONCE_AT);
  into.set(request.box, BOX_AT);
  return COOKIE_REQUEST_SIZE;
}

/** The DHT key that a request names, shorter than a key when the packet is too short. A view. */
export function cookieRequestSender(bytes: Uint8Array): PublicKey {
  return bytes.subarray(1, NONCE_AT) as PublicKey;
}

/** The fields are views of `bytes`. */
export function decodeCookieRequest(bytes: Uint8Array, drop: Drop): CookieRequest | undefined {
  if (bytes.length < COOKIE_REQUEST_SIZE) return drop("truncated");
  if (bytes.length > COOKIE_REQUEST_SIZE) return drop("oversized");
  if (bytes[0] !== PacketId.CookieRequest) return drop("malformed");
  return {
    dhtPublicKey: bytes.subarray(1, NONCE_AT) as PublicKey,
    nonce: bytes.subarray(NONCE_AT, BOX_AT) as Nonce,
    box: bytes.subarray(BOX_AT),
  };
}

export function encodeCookieRequestPlain(into: Uint8Array, plain: CookieRequestPlain): number {
  into.set(plain.publicKey, 0);
  into.fill(0, PUBLIC_KEY_SIZE, ECHO_AT);
  into.set(plain.echo, ECHO_AT);
  return COOKIE_REQUEST_PLAIN_SIZE;
}

export function decodeCookieRequestPlain(bytes: Uint8Array, drop: Drop): CookieRequestPlain | undefined {
  if (bytes.length < COOKIE_REQUEST_PLAIN_SIZE) return drop("truncated");
  if (bytes.length > COOKIE_REQUEST_PLAIN_SIZE) return drop("oversized");
  return { publicKey: bytes.slice(0, PUBLIC_KEY_SIZE) as PublicKey, echo: bytes.slice(ECHO_AT) };
}
