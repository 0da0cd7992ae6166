/**
 * Payloads of StoreAnnounceRequest (0x97) and StoreAnnounceResponse (0x98). c-toxcore `announce.c`
 * (create_reply_plain_store_announce_request).
 *
 *   request                                              response
 *   32   data public key                                 32   data public key
 *   24   nonce                                           4    seconds it will be stored, u32
 *   53+  box, data key to our DHT key, of:               8    the node's clock in seconds, u64
 *          32     authenticator from a search response   8    sendback
 *          4      seconds asked for, u32
 *          1      0 new data follows, 1 its SHA-256: what is stored shall stay
 *          0–512  data, or 32 bytes of SHA-256
 *   8    sendback
 */
import { MAC_SIZE, NONCE_SIZE, type Nonce, PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import { readU32, readU64, writeU32, writeU64 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { MAX_ANNOUNCEMENT_SIZE } from "./data_retrieve.ts";

const BOX_AT = PUBLIC_KEY_SIZE + NONCE_SIZE;
const AUTH_SIZE = 32;
const HASH_SIZE = 32;
const SENDBACK_SIZE = 8;
const ANNOUNCEMENT_HEADER_SIZE = AUTH_SIZE + 4 + 1;
const RESPONSE_SIZE = PUBLIC_KEY_SIZE + 4 + 8 + SENDBACK_SIZE;

export interface StoreAnnounceRequest {
  readonly dataPublicKey: PublicKey;
  readonly nonce: Nonce;
  readonly box: Uint8Array;
  readonly sendback: bigint;
}

export function encodeStoreAnnounceRequest(into: Uint8Array, request: StoreAnnounceRequest): number {
  into.set(request.dataPublicKey, 0);
  into.set(request.nonce, PUBLIC_KEY_SIZE);
  into.set(request.box, BOX_AT);
  const sendbackAt = BOX_AT + request.box.length;
  writeU64(into, sendbackAt, request.sendback);
  return sendbackAt + SENDBACK_SIZE;
}

export function decodeStoreAnnounceRequest(bytes: Uint8Array, drop: Drop): StoreAnnounceRequest | undefined {
  const sendbackAt = bytes.length - SENDBACK_SIZE;
  if (sendbackAt < BOX_AT + MAC_SIZE + ANNOUNCEMENT_HEADER_SIZE) return drop("truncated");
  if (sendbackAt > BOX_AT + MAC_SIZE + ANNOUNCEMENT_HEADER_SIZE + MAX_ANNOUNCEMENT_SIZE) return drop("oversized");
  return {
    dataPublicKey: bytes.slice(0, PUBLIC_KEY_SIZE) as PublicKey,
    nonce: bytes.slice(PUBLIC_KEY_SIZE, BOX_AT) as Nonce,
    box: bytes.slice(BOX_AT, sendbackAt),
    sendback: readU64(bytes, sendbackAt),
  };
}

/** What stands in the box of a store request. */
export interface Announcement {
  readonly auth: Uint8Array;
  /** Seconds. */
  readonly timeout: number;
  /** `data`: store this; `renewal`: the SHA-256 of what is stored already. */
  readonly kind: "data" | "renewal";
  readonly bytes: Uint8Array;
}

export function encodeAnnouncement(into: Uint8Array, announcement: Announcement): number {
  into.set(announcement.auth, 0);
  writeU32(into, AUTH_SIZE, announcement.timeout);
  into[AUTH_SIZE + 4] = announcement.kind === "data" ? 0 : 1;
  into.set(announcement.bytes, ANNOUNCEMENT_HEADER_SIZE);
  return ANNOUNCEMENT_HEADER_SIZE + announcement.bytes.length;
}

export function decodeAnnouncement(bytes: Uint8Array, drop: Drop): Announcement | undefined {
  if (bytes.length < ANNOUNCEMENT_HEADER_SIZE) return drop("truncated");
  if (bytes.length > ANNOUNCEMENT_HEADER_SIZE + MAX_ANNOUNCEMENT_SIZE) return drop("oversized");
  const kind = bytes[AUTH_SIZE + 4];
  if (kind !== 0 && kind !== 1) return drop("malformed");
  const rest = bytes.slice(ANNOUNCEMENT_HEADER_SIZE);
  if (kind === 1 && rest.length !== HASH_SIZE) return drop("malformed");
  return {
    auth: bytes.slice(0, AUTH_SIZE),
    timeout: readU32(bytes, AUTH_SIZE),
    kind: kind === 0 ? "data" : "renewal",
    bytes: rest,
  };
}

export interface StoreAnnounceResponse {
  readonly dataPublicKey: PublicKey;
  /** Seconds. */
  readonly timeout: number;
  /** Seconds on the answering node's clock. */
  readonly time: bigint;
  readonly sendback: bigint;
}

export function encodeStoreAnnounceResponse(into: Uint8Array, response: StoreAnnounceResponse): number {
  into.set(response.dataPublicKey, 0);
  writeU32(into, PUBLIC_KEY_SIZE, response.timeout);
  writeU64(into, PUBLIC_KEY_SIZE + 4, response.time);
  writeU64(into, PUBLIC_KEY_SIZE + 12, response.sendback);
  return RESPONSE_SIZE;
}

export function decodeStoreAnnounceResponse(bytes: Uint8Array, drop: Drop): StoreAnnounceResponse | undefined {
  if (bytes.length < RESPONSE_SIZE) return drop("truncated");
  if (bytes.length > RESPONSE_SIZE) return drop("oversized");
  return {
    dataPublicKey: bytes.slice(0, PUBLIC_KEY_SIZE) as PublicKey,
    timeout: readU32(bytes, PUBLIC_KEY_SIZE),
    time: readU64(bytes, PUBLIC_KEY_SIZE + 4),
    sendback: readU64(bytes, PUBLIC_KEY_SIZE + 12),
  };
}
