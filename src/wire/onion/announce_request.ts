/**
 * Announces its sender, or searches for someone; always sent through a path. c-toxcore `onion_announce.c`, spec.md
 * "Announce Request". 0x83 is what clients send for themselves and their friends; 0x87 is the family of group chats.
 *
 *   1    0x83, or 0x87
 *   24   nonce
 *   32   public key: who announces (long-term key), or a temporary one to search with
 *   n    box: 120 bytes, with 0x87 up to 136 more
 *
 * Inside the box:
 *   32   ping_id that the announce node gave us, or zeros
 *   32   public key that is searched for
 *   32   data public key: what others shall encrypt onion data for us with, or zeros
 *   8    sendback data, echoed in the response
 *   n    0x87 only, may be empty: a group's announce, see `group_announce.ts`
 */
import { MAC_SIZE, NONCE_SIZE, PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import type { Drop } from "../drop.ts";
import { PacketId } from "../packet_ids.ts";
import { PING_ID_SIZE, SENDBACK_DATA_SIZE } from "./sizes.ts";

/** Bytes are views of the packet that was decoded. */
export interface AnnounceRequest {
  /** Whether it is 0x87. */
  readonly group: boolean;
  readonly nonce: Uint8Array;
  readonly publicKey: PublicKey;
  readonly box: Uint8Array;
}

/** What stands in the box. Bytes are views of the plaintext that was decoded. */
export interface AnnounceRequestBody {
  readonly pingId: Uint8Array;
  readonly searchedKey: PublicKey;
  readonly dataPublicKey: PublicKey;
  readonly sendbackData: Uint8Array;
  /** Empty with 0x83. */
  readonly groupAnnounce: Uint8Array;
}

/** The group's announce, at most. toxcore's ONION_MAX_EXTRA_DATA_SIZE. */
export const MAX_GROUP_ANNOUNCE_SIZE = 136;

const BOX_AT = 1 + NONCE_SIZE + PUBLIC_KEY_SIZE;
const SEARCHED_KEY_AT = PING_ID_SIZE;
const DATA_KEY_AT = SEARCHED_KEY_AT + PUBLIC_KEY_SIZE;
const SENDBACK_DATA_AT = DATA_KEY_AT + PUBLIC_KEY_SIZE;
/** 104: the plaintext without a group's announce. */
export const ANNOUNCE_REQUEST_BODY_SIZE = SENDBACK_DATA_AT + SENDBACK_DATA_SIZE;
/** 177: the packet without a group's announce, and without the sendback that the hops add. */
export const ANNOUNCE_REQUEST_SIZE = BOX_AT + ANNOUNCE_REQUEST_BODY_SIZE + MAC_SIZE;
export const MAX_ANNOUNCE_REQUEST_SIZE = ANNOUNCE_REQUEST_SIZE + MAX_GROUP_ANNOUNCE_SIZE;

/** Writes the packet and answers its length. */
export function encodeAnnounceRequest(into: Uint8Array, packet: AnnounceRequest): number {
  into[0] = packet.group ? PacketId.GroupAnnounceRequest : PacketId.AnnounceRequest;
  into.set(packet.nonce, 1);
  into.set(packet.publicKey, 1 + NONCE_SIZE);
  into.set(packet.box, BOX_AT);
  return BOX_AT + packet.box.length;
}

/** Takes 0x83 and 0x87, without the sendback behind (see `decodeDeliveredRequest`). */
export function decodeAnnounceRequest(bytes: Uint8Array, drop: Drop): AnnounceRequest | undefined {
  const group = bytes[0] === PacketId.GroupAnnounceRequest;
  if (!group && bytes[0] !== PacketId.AnnounceRequest) return drop("unknown-id");
  if (bytes.length < ANNOUNCE_REQUEST_SIZE) return drop("truncated");
  if (bytes.length > (group ? MAX_ANNOUNCE_REQUEST_SIZE : ANNOUNCE_REQUEST_SIZE)) return drop("oversized");
  return {
    group,
    nonce: bytes.subarray(1, 1 + NONCE_SIZE),
    publicKey: bytes.subarray(1 + NONCE_SIZE, BOX_AT) as PublicKey,
    box: bytes.subarray(BOX_AT),
  };
}

/** Writes the plaintext and answers its length. */
export function encodeAnnounceRequestBody(into: Uint8Array, body: AnnounceRequestBody): number {
  into.set(body.pingId);
  into.set(body.searchedKey, SEARCHED_KEY_AT);
  into.set(body.dataPublicKey, DATA_KEY_AT);
  into.set(body.sendbackData, SENDBACK_DATA_AT);
  into.set(body.groupAnnounce, ANNOUNCE_REQUEST_BODY_SIZE);
  return ANNOUNCE_REQUEST_BODY_SIZE + body.groupAnnounce.length;
}

export function decodeAnnounceRequestBody(plain: Uint8Array, drop: Drop): AnnounceRequestBody | undefined {
  if (plain.length < ANNOUNCE_REQUEST_BODY_SIZE) return drop("truncated");
  if (plain.length > ANNOUNCE_REQUEST_BODY_SIZE + MAX_GROUP_ANNOUNCE_SIZE) return drop("oversized");
  return {
    pingId: plain.subarray(0, SEARCHED_KEY_AT),
    searchedKey: plain.subarray(SEARCHED_KEY_AT, DATA_KEY_AT) as PublicKey,
    dataPublicKey: plain.subarray(DATA_KEY_AT, SENDBACK_DATA_AT) as PublicKey,
    sendbackData: plain.subarray(SENDBACK_DATA_AT, ANNOUNCE_REQUEST_BODY_SIZE),
    groupAnnounce: plain.subarray(ANNOUNCE_REQUEST_BODY_SIZE),
  };
}
