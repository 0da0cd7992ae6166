/**
 * A node as packets name it. spec.md "Packed Node", c-toxcore `DHT.c` (pack_nodes, unpack_nodes).
 *
 *   7 or 19  IP_Port, packed form
 *   32       public key
 */

import { PUBLIC_KEY_SIZE, type PublicKey } from "../crypto/keys.ts";
import type { Endpoint } from "../env/datagram.ts";
import { decodeIpPort, encodeIpPort, PACKED_IPV4_SIZE, PACKED_IPV6_SIZE, type Transport } from "./ip_port.ts";

export const PACKED_NODE_IPV4_SIZE = PACKED_IPV4_SIZE + PUBLIC_KEY_SIZE;
export const PACKED_NODE_IPV6_SIZE = PACKED_IPV6_SIZE + PUBLIC_KEY_SIZE;

export interface PackedNode {
  readonly publicKey: PublicKey;
  readonly endpoint: Endpoint;
  /** UDP when left out. */
  readonly transport?: Transport;
}

export function packedNodeSize(node: PackedNode): number {
  return node.endpoint.family === 4 ? PACKED_NODE_IPV4_SIZE : PACKED_NODE_IPV6_SIZE;
}

/** Writes the node and answers where it ends. */
export function encodePackedNode(into: Uint8Array, at: number, node: PackedNode): number {
  const keyAt = encodeIpPort(into, at, node.endpoint, node.transport);
  into.set(node.publicKey, keyAt);
  return keyAt + PUBLIC_KEY_SIZE;
}

/** Writes the nodes one behind the other and answers where they end. */
export function encodePackedNodes(into: Uint8Array, at: number, nodes: readonly PackedNode[]): number {
  let end = at;
  for (const node of nodes) end = encodePackedNode(into, end, node);
  return end;
}

/** At most `limit` nodes from `at` on, and where they end; nothing when one is malformed. */
export function decodePackedNodes(
  bytes: Uint8Array,
  at: number,
  limit: number,
): { nodes: PackedNode[]; end: number } | undefined {
  const nodes: PackedNode[] = [];
  let end = at;
  while (end < bytes.length && nodes.length < limit) {
    const ipPort = decodeIpPort(bytes, end);
    if (ipPort === undefined) return undefined;
    const keyAt = end + ipPort.size;
    const publicKey = bytes.slice(keyAt, keyAt + PUBLIC_KEY_SIZE);
    if (publicKey.length < PUBLIC_KEY_SIZE) return undefined;
    nodes.push({
      publicKey: publicKey as Uint8Array as PublicKey,
      endpoint: ipPort.endpoint,
      transport: ipPort.transport,
    });
    end = keyAt + PUBLIC_KEY_SIZE;
  }
  return { nodes, end };
}
