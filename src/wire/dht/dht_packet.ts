/**
 * What ping, nodes and announce-store packets are wrapped in. spec.md "DHT Packet", c-toxcore `DHT.c` (dht_create_packet).
 *
 *   1    packet id
 *   32   sender's DHT public key
 *   24   nonce
 *   16+  box of the payload, under the keys of sender and receiver
 */
import { MAC_SIZE, NONCE_SIZE, type Nonce, PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import { MAX_DATAGRAM_SIZE } from "../../env/datagram.ts";
import type { Drop } from "../drop.ts";

export interface DhtPacket {
  readonly id: number;
  readonly sender: PublicKey;
  readonly nonce: Nonce;
  readonly box: Uint8Array;
}

const NONCE_AT = 1 + PUBLIC_KEY_SIZE;
/** Where the box begins. */
export const DHT_PACKET_HEADER_SIZE = NONCE_AT + NONCE_SIZE;
/** What such a packet is longer than its payload. */
export const DHT_PACKET_OVERHEAD = DHT_PACKET_HEADER_SIZE + MAC_SIZE;

/** Writes everything before the box and answers where that begins. */
export function encodeDhtPacketHeader(into: Uint8Array, id: number, sender: Uint8Array, nonce: Uint8Array): number {
  into[0] = id;
  into.set(sender, 1);
  into.set(nonce, NONCE_AT);
  return DHT_PACKET_HEADER_SIZE;
}

/** Writes the packet and answers its length. */
export function encodeDhtPacket(into: Uint8Array, packet: DhtPacket): number {
  const at = encodeDhtPacketHeader(into, packet.id, packet.sender, packet.nonce);
  into.set(packet.box, at);
  return at + packet.box.length;
}

/** Who says that he sent it, shorter than a key when the packet is too short. A view. */
export function dhtPacketSender(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(1, NONCE_AT);
}

/** The fields are views of `bytes`. */
export function decodeDhtPacket(bytes: Uint8Array, drop: Drop): DhtPacket | undefined {
  if (bytes.length < DHT_PACKET_OVERHEAD) return drop("truncated");
  if (bytes.length > MAX_DATAGRAM_SIZE) return drop("oversized");
  return {
    id: bytes[0] ?? 0,
    sender: bytes.subarray(1, NONCE_AT) as PublicKey,
    nonce: bytes.subarray(NONCE_AT, DHT_PACKET_HEADER_SIZE) as Nonce,
    box: bytes.subarray(DHT_PACKET_HEADER_SIZE),
  };
}
