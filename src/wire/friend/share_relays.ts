/**
 * Relays over which the sender can be reached too. c-toxcore `friend_connection.c` (send_relays).
 *
 *   1  17
 *   *  packed nodes, at most 3, TCP all of them
 */
import type { Drop } from "../drop.ts";
import { decodePackedNodes, encodePackedNodes, type PackedNode, packedNodeSize } from "../packed_node.ts";
import { FriendPacketId } from "./packet_ids.ts";

export const MAX_SHARED_RELAYS = 3;

export function encodeShareRelays(relays: readonly PackedNode[]): Uint8Array {
  let size = 1;
  for (const relay of relays) size += packedNodeSize(relay);
  const packet = new Uint8Array(size);
  packet[0] = FriendPacketId.ShareRelays;
  encodePackedNodes(packet, 1, relays);
  return packet;
}

export function decodeShareRelays(packet: Uint8Array, drop: Drop): PackedNode[] | undefined {
  if (packet[0] !== FriendPacketId.ShareRelays) return drop("unknown-id");
  const decoded = decodePackedNodes(packet, 1, MAX_SHARED_RELAYS);
  if (decoded === undefined) return drop("malformed");
  if (decoded.end !== packet.length) return drop("oversized");
  if (decoded.nodes.some((node) => node.transport !== "tcp")) return drop("malformed");
  return decoded.nodes;
}
