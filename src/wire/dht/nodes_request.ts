/**
 * The payload of NodesRequest (0x02). spec.md "Nodes Request", c-toxcore `DHT.c` (dht_send_nodes_request).
 *
 *   32   the key to which near nodes are wanted
 *   8    sendback
 */
import { PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import { readU64, writeU64 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { DHT_PACKET_OVERHEAD } from "./dht_packet.ts";

export interface NodesRequestPayload {
  readonly target: PublicKey;
  readonly sendback: bigint;
}

export const NODES_REQUEST_PAYLOAD_SIZE = PUBLIC_KEY_SIZE + 8;
export const NODES_REQUEST_PACKET_SIZE = DHT_PACKET_OVERHEAD + NODES_REQUEST_PAYLOAD_SIZE;

export function encodeNodesRequestPayload(into: Uint8Array, payload: NodesRequestPayload): number {
  into.set(payload.target, 0);
  writeU64(into, PUBLIC_KEY_SIZE, payload.sendback);
  return NODES_REQUEST_PAYLOAD_SIZE;
}

/** `target` is a view of `bytes`. */
export function decodeNodesRequestPayload(bytes: Uint8Array, drop: Drop): NodesRequestPayload | undefined {
  if (bytes.length < NODES_REQUEST_PAYLOAD_SIZE) return drop("truncated");
  if (bytes.length > NODES_REQUEST_PAYLOAD_SIZE) return drop("oversized");
  return { target: bytes.subarray(0, PUBLIC_KEY_SIZE) as PublicKey, sendback: readU64(bytes, PUBLIC_KEY_SIZE) };
}
