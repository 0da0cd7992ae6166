/**
 * How a member of a group chat is announced, inside 0x87 requests and 0x88 responses. c-toxcore `group_announce.c`.
 *
 * In a request, once:                          In a response, up to 4, one behind the other:
 *   32   the group's public key (chat id)        32   the member's public key in the group
 *   n    as in a response                        1    whether an address follows
 *                                                1    how many relays follow: 0 or 1
 *                                                7 or 19  the member's UDP address, packed form
 *                                                n    the relay, a packed node
 */
import { PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import type { Endpoint } from "../../env/datagram.ts";
import type { Drop } from "../drop.ts";
import { decodeIpPort, encodeIpPort, PACKED_IPV6_SIZE } from "../ip_port.ts";
import { decodePackedNodes, encodePackedNodes, PACKED_NODE_IPV6_SIZE, type PackedNode } from "../packed_node.ts";

/** `publicKey` is a view of the bytes that were decoded. */
export interface MemberAnnounce {
  readonly publicKey: PublicKey;
  readonly endpoint: Endpoint | undefined;
  /** At most 1. */
  readonly relays: readonly PackedNode[];
}

export interface GroupAnnounce {
  readonly chatId: PublicKey;
  readonly member: MemberAnnounce;
}

const MAX_RELAYS = 1;
const MAX_MEMBERS = 4;
const MAX_MEMBER_ANNOUNCE_SIZE = PUBLIC_KEY_SIZE + 2 + PACKED_IPV6_SIZE + MAX_RELAYS * PACKED_NODE_IPV6_SIZE;
/** 416: the announces of a response. */
export const MAX_MEMBER_ANNOUNCES_SIZE = MAX_MEMBERS * MAX_MEMBER_ANNOUNCE_SIZE;

/** Writes what a request carries and answers its length. */
export function encodeGroupAnnounce(into: Uint8Array, announce: GroupAnnounce): number {
  into.set(announce.chatId);
  return encodeMemberAnnounce(into, PUBLIC_KEY_SIZE, announce.member);
}

/** Bytes behind the announce are refused. */
export function decodeGroupAnnounce(bytes: Uint8Array, drop: Drop): GroupAnnounce | undefined {
  if (bytes.length < PUBLIC_KEY_SIZE) return drop("truncated");
  const found = decodeMemberAnnounce(bytes, PUBLIC_KEY_SIZE, drop);
  if (found === undefined) return undefined;
  if (found.end !== bytes.length) return drop("oversized");
  return { chatId: bytes.subarray(0, PUBLIC_KEY_SIZE) as PublicKey, member: found.member };
}

/** Writes what a response carries and answers its length. */
export function encodeMemberAnnounces(into: Uint8Array, members: readonly MemberAnnounce[]): number {
  let end = 0;
  for (const member of members) end = encodeMemberAnnounce(into, end, member);
  return end;
}

export function decodeMemberAnnounces(bytes: Uint8Array, drop: Drop): MemberAnnounce[] | undefined {
  const members: MemberAnnounce[] = []; // bounded by MAX_MEMBERS
  let at = 0;
  while (at < bytes.length) {
    if (members.length === MAX_MEMBERS) return drop("oversized");
    const found = decodeMemberAnnounce(bytes, at, drop);
    if (found === undefined) return undefined;
    members.push(found.member);
    at = found.end;
  }
  return members;
}

function encodeMemberAnnounce(into: Uint8Array, at: number, member: MemberAnnounce): number {
  into.set(member.publicKey, at);
  const flagAt = at + PUBLIC_KEY_SIZE;
  into[flagAt] = member.endpoint === undefined ? 0 : 1;
  into[flagAt + 1] = member.relays.length;
  const addressAt = flagAt + 2;
  const relaysAt = member.endpoint === undefined ? addressAt : encodeIpPort(into, addressAt, member.endpoint);
  return encodePackedNodes(into, relaysAt, member.relays);
}

function decodeMemberAnnounce(
  bytes: Uint8Array,
  at: number,
  drop: Drop,
): { member: MemberAnnounce; end: number } | undefined {
  const flagAt = at + PUBLIC_KEY_SIZE;
  const hasEndpoint = bytes[flagAt];
  const relayCount = bytes[flagAt + 1];
  if (hasEndpoint === undefined || relayCount === undefined) return drop("truncated");
  if (relayCount > MAX_RELAYS || (hasEndpoint === 0 && relayCount === 0)) return drop("malformed");
  let relaysAt = flagAt + 2;
  let endpoint: Endpoint | undefined;
  if (hasEndpoint !== 0) {
    const address = decodeIpPort(bytes, relaysAt);
    if (address === undefined || address.transport !== "udp") return drop("malformed");
    endpoint = address.endpoint;
    relaysAt += address.size;
  }
  const relays = decodePackedNodes(bytes, relaysAt, relayCount);
  if (relays === undefined || relays.nodes.length !== relayCount) return drop("malformed");
  const publicKey = bytes.subarray(at, flagAt) as PublicKey;
  return { member: { publicKey, endpoint, relays: relays.nodes }, end: relays.end };
}
