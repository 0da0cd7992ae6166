/**
 * Payloads of DataRetrieveRequest (0x95) and DataRetrieveResponse (0x96). c-toxcore `announce.c`
 * (create_reply_plain_data_retrieve_request).
 *
 *   request                                          response
 *   32   data public key                             32     data public key
 *   1    0, kept for extensions                      1      1
 *   32   authenticator from a search response        0–512  what is stored
 *   8    sendback                                    8      sendback
 */
import { PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import { readU64, writeU64 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";

/** toxcore's MAX_ANNOUNCEMENT_SIZE: the longest thing that is stored. */
export const MAX_ANNOUNCEMENT_SIZE = 512;

const AUTH_AT = PUBLIC_KEY_SIZE + 1;
const SENDBACK_SIZE = 8;
const REQUEST_SIZE = AUTH_AT + 32 + SENDBACK_SIZE;

export interface DataRetrieveRequest {
  readonly dataPublicKey: PublicKey;
  readonly auth: Uint8Array;
  readonly sendback: bigint;
}

export function encodeDataRetrieveRequest(into: Uint8Array, request: DataRetrieveRequest): number {
  into.set(request.dataPublicKey, 0);
  into[PUBLIC_KEY_SIZE] = 0;
  into.set(request.auth, AUTH_AT);
  writeU64(into, AUTH_AT + 32, request.sendback);
  return REQUEST_SIZE;
}

export function decodeDataRetrieveRequest(bytes: Uint8Array, drop: Drop): DataRetrieveRequest | undefined {
  if (bytes.length < REQUEST_SIZE) return drop("truncated");
  if (bytes.length > REQUEST_SIZE) return drop("oversized");
  if (bytes[PUBLIC_KEY_SIZE] !== 0) return drop("malformed");
  return {
    dataPublicKey: bytes.slice(0, PUBLIC_KEY_SIZE) as PublicKey,
    auth: bytes.slice(AUTH_AT, AUTH_AT + 32),
    sendback: readU64(bytes, AUTH_AT + 32),
  };
}

export interface DataRetrieveResponse {
  readonly dataPublicKey: PublicKey;
  readonly data: Uint8Array;
  readonly sendback: bigint;
}

export function encodeDataRetrieveResponse(into: Uint8Array, response: DataRetrieveResponse): number {
  into.set(response.dataPublicKey, 0);
  into[PUBLIC_KEY_SIZE] = 1;
  into.set(response.data, AUTH_AT);
  const sendbackAt = AUTH_AT + response.data.length;
  writeU64(into, sendbackAt, response.sendback);
  return sendbackAt + SENDBACK_SIZE;
}

export function decodeDataRetrieveResponse(bytes: Uint8Array, drop: Drop): DataRetrieveResponse | undefined {
  const sendbackAt = bytes.length - SENDBACK_SIZE;
  if (sendbackAt < AUTH_AT) return drop("truncated");
  if (sendbackAt > AUTH_AT + MAX_ANNOUNCEMENT_SIZE) return drop("oversized");
  if (bytes[PUBLIC_KEY_SIZE] !== 1) return drop("malformed");
  return {
    dataPublicKey: bytes.slice(0, PUBLIC_KEY_SIZE) as PublicKey,
    data: bytes.slice(AUTH_AT, sendbackAt),
    sendback: readU64(bytes, sendbackAt),
  };
}
