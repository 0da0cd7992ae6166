/**
 * Handshake (0x1a). spec.md "Crypto Handshake", c-toxcore `net_crypto.c` (create_crypto_handshake). Against the spec, the
 * base nonce is the one that the handshake's *sender* will encrypt with.
 *
 *   1     0x1a                                          plain, 232 bytes:
 *   112   cookie that the receiver made                 24   sender's base nonce
 *   24    nonce                                         32   sender's session key
 *   248   box of the plain, under both long-term keys   64   SHA-512 of the cookie before the box
 *                                                       112  cookie for the receiver to answer with
 */
import { MAC_SIZE, NONCE_SIZE, type Nonce, PUBLIC_KEY_SIZE, type PublicKey, SHA512_SIZE } from "../../crypto/keys.ts";
import type { Drop } from "../drop.ts";
import { PacketId } from "../packet_ids.ts";
import { COOKIE_SIZE } from "./cookie.ts";

const NONCE_AT = 1 + COOKIE_SIZE;
const BOX_AT = NONCE_AT + NONCE_SIZE;
const SESSION_KEY_AT = NONCE_SIZE;
const COOKIE_HASH_AT = SESSION_KEY_AT + PUBLIC_KEY_SIZE;
const OTHER_COOKIE_AT = COOKIE_HASH_AT + SHA512_SIZE;
/** What the box holds: 232. */
export const HANDSHAKE_PLAIN_SIZE = OTHER_COOKIE_AT + COOKIE_SIZE;
/** 385. */
export const HANDSHAKE_SIZE = BOX_AT + HANDSHAKE_PLAIN_SIZE + MAC_SIZE;

export interface Handshake {
  readonly cookie: Uint8Array;
  readonly nonce: Nonce;
  readonly box: Uint8Array;
}

export interface HandshakePlain {
  readonly baseNonce: Nonce;
  readonly sessionPublicKey: PublicKey;
  readonly cookieHash: Uint8Array;
  readonly otherCookie: Uint8Array;
}

export function encodeHandshake(into: Uint8Array, handshake: Handshake): number {
  into[0] = PacketId.CryptoHandshake;
  into.set(handshake.cookie, 1);
  into.set(handshake.nonce, NONCE_AT);
  into.set(handshake.box, BOX_AT);
  return HANDSHAKE_SIZE;
}

/** The fields are views of `bytes`. */
export function decodeHandshake(bytes: Uint8Array, drop: Drop): Handshake | undefined {
  if (bytes.length < HANDSHAKE_SIZE) return drop("truncated");
  if (bytes.length > HANDSHAKE_SIZE) return drop("oversized");
  if (bytes[0] !== PacketId.CryptoHandshake) return drop("malformed");
  return {
    cookie: bytes.subarray(1, NONCE_AT),
    nonce: bytes.subarray(NONCE_AT, BOX_AT) as Nonce,
    box: bytes.subarray(BOX_AT),
  };
}

export function encodeHandshakePlain(into: Uint8Array, plain: HandshakePlain): number {
  into.set(plain.baseNonce, 0);
  into.set(plain.sessionPublicKey, SESSION_KEY_AT);
  into.set(plain.cookieHash, COOKIE_HASH_AT);
  into.set(plain.otherCookie, OTHER_COOKIE_AT);
  return HANDSHAKE_PLAIN_SIZE;
}

export function decodeHandshakePlain(bytes: Uint8Array, drop: Drop): HandshakePlain | undefined {
  if (bytes.length < HANDSHAKE_PLAIN_SIZE) return drop("truncated");
  if (bytes.length > HANDSHAKE_PLAIN_SIZE) return drop("oversized");
  return {
    baseNonce: bytes.slice(0, SESSION_KEY_AT) as Nonce,
    sessionPublicKey: bytes.slice(SESSION_KEY_AT, COOKIE_HASH_AT) as PublicKey,
    cookieHash: bytes.slice(COOKIE_HASH_AT, OTHER_COOKIE_AT),
    otherCookie: bytes.slice(OTHER_COOKIE_AT),
  };
}
