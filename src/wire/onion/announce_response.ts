/**
 * An announce node's answer. c-toxcore `onion_announce.c`, spec.md "Announce Response".
 *
 *   1    0x84 to 0x83, 0x88 to 0x87
 *   8    sendback data of the request
 *   24   nonce
 *   n    box
 *
 * Inside the box:
 *   1    is_stored: 0 not found here, 1 found, 2 you yourself are stored here with this data key
 *   32   0 and 2: a ping_id for you to announce with; 1: the data public key of whom you search
 *   1    0x88 only: how many nodes follow
 *   n    up to 4 packed nodes next to the searched key
 *   n    0x88 only: announces of the group's members, see `group_announce.ts`
 */
import { MAC_SIZE, NONCE_SIZE } from "../../crypto/keys.ts";
import type { Drop } from "../drop.ts";
import { decodePackedNodes, encodePackedNodes, PACKED_NODE_IPV6_SIZE, type PackedNode } from "../packed_node.ts";
import { PacketId } from "../packet_ids.ts";
import { MAX_MEMBER_ANNOUNCES_SIZE } from "./group_announce.ts";
import { MAX_ONION_NODES, PING_ID_SIZE, SENDBACK_DATA_SIZE } from "./sizes.ts";

/** Bytes are views of the packet that was decoded. */
export interface AnnounceResponse {
  /** Whether it is 0x88. */
  readonly group: boolean;
  readonly sendbackData: Uint8Array;
  readonly nonce: Uint8Array;
  readonly box: Uint8Array;
}

/** 0: not found. 1: found. 2: the asker is stored with this data key. */
export type IsStored = 0 | 1 | 2;

/** What stands in the box. Bytes are views of the plaintext that was decoded, but for the nodes. */
export interface AnnounceResponseBody {
  readonly isStored: IsStored;
  /** With `isStored` 1 the data public key of whom we search, else a ping_id. */
  readonly pingIdOrDataKey: Uint8Array;
  readonly nodes: readonly PackedNode[];
  /** Empty with 0x84. */
  readonly groupAnnounces: Uint8Array;
}

const NONCE_AT = 1 + SENDBACK_DATA_SIZE;
const BOX_AT = NONCE_AT + NONCE_SIZE;
const NODES_AT = 1 + PING_ID_SIZE;
/** 237: the longest plaintext with 0x84. */
export const MAX_ANNOUNCE_RESPONSE_BODY_SIZE = NODES_AT + MAX_ONION_NODES * PACKED_NODE_IPV6_SIZE;
/** The longest plaintext with 0x88. */
export const MAX_GROUP_ANNOUNCE_RESPONSE_BODY_SIZE = MAX_ANNOUNCE_RESPONSE_BODY_SIZE + 1 + MAX_MEMBER_ANNOUNCES_SIZE;
/** 82: the packet without nodes, with 0x84. */
export const MIN_ANNOUNCE_RESPONSE_SIZE = BOX_AT + NODES_AT + MAC_SIZE;

/** Writes the packet and answers its length. */
export function encodeAnnounceResponse(into: Uint8Array, packet: AnnounceResponse): number {
  into[0] = packet.group ? PacketId.GroupAnnounceResponse : PacketId.AnnounceResponse;
  into.set(packet.sendbackData, 1);
  into.set(packet.nonce, NONCE_AT);
  into.set(packet.box, BOX_AT);
  return BOX_AT + packet.box.length;
}

/** Takes 0x84 and 0x88. */
export function decodeAnnounceResponse(bytes: Uint8Array, drop: Drop): AnnounceResponse | undefined {
  const group = bytes[0] === PacketId.GroupAnnounceResponse;
  if (!group && bytes[0] !== PacketId.AnnounceResponse) return drop("unknown-id");
  const longestBody = group ? MAX_GROUP_ANNOUNCE_RESPONSE_BODY_SIZE : MAX_ANNOUNCE_RESPONSE_BODY_SIZE;
  if (bytes.length < MIN_ANNOUNCE_RESPONSE_SIZE + (group ? 1 : 0)) return drop("truncated");
  if (bytes.length > BOX_AT + longestBody + MAC_SIZE) return drop("oversized");
  return {
    group,
    sendbackData: bytes.subarray(1, NONCE_AT),
    nonce: bytes.subarray(NONCE_AT, BOX_AT),
    box: bytes.subarray(BOX_AT),
  };
}

/** Writes the plaintext and answers its length. At most 4 nodes. */
export function encodeAnnounceResponseBody(into: Uint8Array, body: AnnounceResponseBody, group: boolean): number {
  into[0] = body.isStored;
  into.set(body.pingIdOrDataKey, 1);
  if (!group) return encodePackedNodes(into, NODES_AT, body.nodes);
  into[NODES_AT] = body.nodes.length;
  const announcesAt = encodePackedNodes(into, NODES_AT + 1, body.nodes);
  into.set(body.groupAnnounces, announcesAt);
  return announcesAt + body.groupAnnounces.length;
}

/** Nodes of TCP families are refused, the packet with them, as toxcore refuses them. */
export function decodeAnnounceResponseBody(
  plain: Uint8Array,
  group: boolean,
  drop: Drop,
): AnnounceResponseBody | undefined {
  const isStored = plain[0];
  if (isStored === undefined || plain.length < NODES_AT + (group ? 1 : 0)) return drop("truncated");
  if (isStored !== 0 && isStored !== 1 && isStored !== 2) return drop("malformed");
  const limit = group ? (plain[NODES_AT] ?? 0) : MAX_ONION_NODES;
  if (limit > MAX_ONION_NODES) return drop("malformed");
  const found = decodePackedNodes(plain, group ? NODES_AT + 1 : NODES_AT, limit);
  if (found === undefined || found.nodes.some((node) => node.transport !== "udp")) return drop("malformed");
  if (group ? found.nodes.length !== limit : found.end !== plain.length) return drop("malformed");
  const groupAnnounces = plain.subarray(found.end);
  if (groupAnnounces.length > MAX_MEMBER_ANNOUNCES_SIZE) return drop("oversized");
  return { isStored, pingIdOrDataKey: plain.subarray(1, NODES_AT), nodes: found.nodes, groupAnnounces };
}
