/**
 * The payload of NodesResponse (0x04). spec.md "Nodes Response", c-toxcore `DHT.c` (handle_nodes_response_core).
 *
 *   1     number of nodes, at most 4
 *   39/51 each node, packed
 *   8     sendback
 *
 * As in toxcore a response is dropped whole when it names no node, holds more bytes than its nodes, or names a TCP address.
 * A node that knows nobody sends such an empty response nevertheless.
 */
import { readU64, writeU64 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import {
  decodePackedNodes,
  encodePackedNodes,
  PACKED_NODE_IPV4_SIZE,
  PACKED_NODE_IPV6_SIZE,
  type PackedNode,
} from "../packed_node.ts";

export interface NodesResponsePayload {
  readonly nodes: readonly PackedNode[];
  readonly sendback: bigint;
}

/** toxcore's MAX_SENT_NODES. */
export const MAX_SENT_NODES = 4;
export const MAX_NODES_RESPONSE_PAYLOAD_SIZE = 1 + MAX_SENT_NODES * PACKED_NODE_IPV6_SIZE + 8;
const MIN_NODES_RESPONSE_PAYLOAD_SIZE = 1 + PACKED_NODE_IPV4_SIZE + 8;

export function encodeNodesResponsePayload(into: Uint8Array, payload: NodesResponsePayload): number {
  into[0] = payload.nodes.length;
  const end = encodePackedNodes(into, 1, payload.nodes);
  writeU64(into, end, payload.sendback);
  return end + 8;
}

export function decodeNodesResponsePayload(bytes: Uint8Array, drop: Drop): NodesResponsePayload | undefined {
  if (bytes.length < MIN_NODES_RESPONSE_PAYLOAD_SIZE) return drop("truncated");
  if (bytes.length > MAX_NODES_RESPONSE_PAYLOAD_SIZE) return drop("oversized");
  const count = bytes[0] ?? 0;
  if (count === 0 || count > MAX_SENT_NODES) return drop("malformed");
  const sendbackAt = bytes.length - 8;
  const packed = decodePackedNodes(bytes.subarray(0, sendbackAt), 1, count);
  if (packed === undefined || packed.nodes.length !== count || packed.end !== sendbackAt) return drop("malformed");
  if (packed.nodes.some((node) => node.transport === "tcp")) return drop("malformed");
  return { nodes: packed.nodes, sendback: readU64(bytes, sendbackAt) };
}
