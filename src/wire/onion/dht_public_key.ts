/**
 * Tells a friend our temporary DHT key, as onion data or as a DHT request. c-toxcore `onion_client.c`
 * (handle_dhtpk_announce, handle_dht_dhtpk), spec.md "DHT public key onion packet".
 *
 *   1    156
 *   8    no_replay: Unix seconds, big-endian; only a greater one than before is taken
 *   32   DHT public key
 *   n    up to 4 packed nodes next to us: relays (TCP families) and DHT nodes
 *
 * As a DHT request of id 156 it travels once more encrypted, so that the nodes on the way learn nothing:
 *   32   long-term key of the sender
 *   24   nonce
 *   n    box of the above, under the long-term keys
 */
import { MAC_SIZE, NONCE_SIZE, PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import { readU64, writeU64 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { decodePackedNodes, encodePackedNodes, PACKED_NODE_IPV6_SIZE, type PackedNode } from "../packed_node.ts";
import { OnionDataId } from "./onion_data.ts";
import { MAX_ONION_NODES } from "./sizes.ts";

export interface DhtPublicKeyPacket {
  readonly noReplay: bigint;
  /** A view of the bytes that were decoded. */
  readonly dhtPublicKey: PublicKey;
  readonly nodes: readonly PackedNode[];
}

/** Bytes are views of the payload that was decoded. */
export interface SealedDhtPublicKey {
  readonly sender: PublicKey;
  readonly nonce: Uint8Array;
  readonly box: Uint8Array;
}

const KEY_AT = 9;
const NODES_AT = KEY_AT + PUBLIC_KEY_SIZE;
/** 245. */
export const MAX_DHT_PUBLIC_KEY_PACKET_SIZE = NODES_AT + MAX_ONION_NODES * PACKED_NODE_IPV6_SIZE;
const BOX_AT = PUBLIC_KEY_SIZE + NONCE_SIZE;

/** Writes the packet with its id and answers its length. At most 4 nodes. */
export function encodeDhtPublicKeyPacket(into: Uint8Array, packet: DhtPublicKeyPacket): number {
  into[0] = OnionDataId.DhtPublicKey;
  writeU64(into, 1, packet.noReplay);
  into.set(packet.dhtPublicKey, KEY_AT);
  return encodePackedNodes(into, NODES_AT, packet.nodes);
}

export function decodeDhtPublicKeyPacket(bytes: Uint8Array, drop: Drop): DhtPublicKeyPacket | undefined {
  if (bytes[0] !== OnionDataId.DhtPublicKey) return drop("unknown-id");
  if (bytes.length < NODES_AT) return drop("truncated");
  const found = decodePackedNodes(bytes, NODES_AT, MAX_ONION_NODES);
  if (found === undefined) return drop("malformed");
  if (found.end !== bytes.length) return drop("oversized");
  return {
    noReplay: readU64(bytes, 1),
    dhtPublicKey: bytes.subarray(KEY_AT, NODES_AT) as PublicKey,
    nodes: found.nodes,
  };
}

/** What stands behind the id in a DHT request. Writes it and answers its length. */
export function encodeSealedDhtPublicKey(into: Uint8Array, packet: SealedDhtPublicKey): number {
  into.set(packet.sender);
  into.set(packet.nonce, PUBLIC_KEY_SIZE);
  into.set(packet.box, BOX_AT);
  return BOX_AT + packet.box.length;
}

export function decodeSealedDhtPublicKey(bytes: Uint8Array, drop: Drop): SealedDhtPublicKey | undefined {
  if (bytes.length < BOX_AT + NODES_AT + MAC_SIZE) return drop("truncated");
  if (bytes.length > BOX_AT + MAX_DHT_PUBLIC_KEY_PACKET_SIZE + MAC_SIZE) return drop("oversized");
  return {
    sender: bytes.subarray(0, PUBLIC_KEY_SIZE) as PublicKey,
    nonce: bytes.subarray(PUBLIC_KEY_SIZE, BOX_AT),
    box: bytes.subarray(BOX_AT),
  };
}
