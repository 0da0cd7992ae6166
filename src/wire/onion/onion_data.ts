/**
 * Data for somebody who is announced: sent through a path to his announce node as 0x85, from there over his stored path to
 * him as 0x86. c-toxcore `onion_announce.c`, `onion_client.c`; spec.md "Onion data request", "Onion data response".
 *
 *   0x85:                                        0x86:
 *   1    0x85                                    1    0x86
 *   32   long-term key of the addressee          24   nonce
 *   24   nonce                                   32   temporary public key of this packet
 *   32   temporary public key of this packet     n    box
 *   n    box
 *
 * Inside the box (temporary key to data key):   Inside the inner box (long-term keys, the same nonce):
 *   32   long-term key of the sender               1    what it is: `OnionDataId`
 *   n    inner box                                 n    its body, see `dht_public_key.ts`, `../friend/`
 */
import { MAC_SIZE, NONCE_SIZE, PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import type { Drop } from "../drop.ts";
import { PacketId } from "../packet_ids.ts";
import { MAX_ONION_REQUEST_DATA_SIZE } from "./sizes.ts";

/** First byte inside the inner box. */
export const OnionDataId = { FriendRequest: 32, DhtPublicKey: 156 } as const;

/** Bytes are views of the packet that was decoded. */
export interface OnionDataRequest {
  /** Whose announcement to use. */
  readonly destination: PublicKey;
  readonly nonce: Uint8Array;
  readonly temporaryKey: PublicKey;
  readonly box: Uint8Array;
}

/** Bytes are views of the packet that was decoded. */
export type OnionDataResponse = Omit<OnionDataRequest, "destination">;

/** What stands in the box. Bytes are views of the plaintext that was decoded. */
export interface OnionDataBody {
  readonly sender: PublicKey;
  /** Under the long-term keys and the packet's nonce. */
  readonly box: Uint8Array;
}

const RESPONSE_BOX_AT = 1 + NONCE_SIZE + PUBLIC_KEY_SIZE;
const REQUEST_BOX_AT = RESPONSE_BOX_AT + PUBLIC_KEY_SIZE;
const MIN_BODY_SIZE = PUBLIC_KEY_SIZE + MAC_SIZE + 1;

/** 1069: clients drop 0x86 packets above this, though a path could carry more. toxcore's MAX_DATA_REQUEST_SIZE. */
export const MAX_ONION_DATA_RESPONSE_SIZE = MAX_ONION_REQUEST_DATA_SIZE - REQUEST_BOX_AT - MAC_SIZE;
/** 948: id and body in the inner box, so that the addressee takes the packet. */
export const MAX_ONION_DATA_PAYLOAD_SIZE =
  MAX_ONION_DATA_RESPONSE_SIZE - RESPONSE_BOX_AT - MAC_SIZE - PUBLIC_KEY_SIZE - MAC_SIZE;

/** Writes the packet and answers its length. */
export function encodeOnionDataRequest(into: Uint8Array, packet: OnionDataRequest): number {
  into[0] = PacketId.OnionDataRequest;
  into.set(packet.destination, 1);
  return encodeFrom(into, 1 + PUBLIC_KEY_SIZE, packet);
}

/** Without the sendback behind (see `decodeDeliveredRequest`). */
export function decodeOnionDataRequest(bytes: Uint8Array, drop: Drop): OnionDataRequest | undefined {
  if (bytes[0] !== PacketId.OnionDataRequest) return drop("unknown-id");
  if (bytes.length <= REQUEST_BOX_AT + MAC_SIZE) return drop("truncated");
  if (bytes.length > MAX_ONION_REQUEST_DATA_SIZE) return drop("oversized");
  const nonceAt = 1 + PUBLIC_KEY_SIZE;
  return { destination: bytes.subarray(1, nonceAt) as PublicKey, ...decodeFrom(bytes, nonceAt) };
}

/** Writes the packet and answers its length. */
export function encodeOnionDataResponse(into: Uint8Array, packet: OnionDataResponse): number {
  into[0] = PacketId.OnionDataResponse;
  return encodeFrom(into, 1, packet);
}

export function decodeOnionDataResponse(bytes: Uint8Array, drop: Drop): OnionDataResponse | undefined {
  if (bytes[0] !== PacketId.OnionDataResponse) return drop("unknown-id");
  if (bytes.length < RESPONSE_BOX_AT + MAC_SIZE + MIN_BODY_SIZE) return drop("truncated");
  if (bytes.length > MAX_ONION_DATA_RESPONSE_SIZE) return drop("oversized");
  return decodeFrom(bytes, 1);
}

/** Writes the plaintext and answers its length. */
export function encodeOnionDataBody(into: Uint8Array, body: OnionDataBody): number {
  into.set(body.sender);
  into.set(body.box, PUBLIC_KEY_SIZE);
  return PUBLIC_KEY_SIZE + body.box.length;
}

export function decodeOnionDataBody(plain: Uint8Array, drop: Drop): OnionDataBody | undefined {
  if (plain.length < MIN_BODY_SIZE) return drop("truncated");
  return { sender: plain.subarray(0, PUBLIC_KEY_SIZE) as PublicKey, box: plain.subarray(PUBLIC_KEY_SIZE) };
}

function encodeFrom(into: Uint8Array, nonceAt: number, packet: OnionDataResponse): number {
  into.set(packet.nonce, nonceAt);
  into.set(packet.temporaryKey, nonceAt + NONCE_SIZE);
  const boxAt = nonceAt + NONCE_SIZE + PUBLIC_KEY_SIZE;
  into.set(packet.box, boxAt);
  return boxAt + packet.box.length;
}

function decodeFrom(bytes: Uint8Array, nonceAt: number): OnionDataResponse {
  const boxAt = nonceAt + NONCE_SIZE + PUBLIC_KEY_SIZE;
  return {
    nonce: bytes.subarray(nonceAt, nonceAt + NONCE_SIZE),
    temporaryKey: bytes.subarray(nonceAt + NONCE_SIZE, boxAt) as PublicKey,
    box: bytes.subarray(boxAt),
  };
}
