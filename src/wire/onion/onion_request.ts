/**
 * A request on its way out through three hops. spec.md "Onion packet: Request packet 0..2", c-toxcore `onion.c`.
 *
 *   1    0x80 to the first hop, 0x81 to the second, 0x82 to the third
 *   24   nonce, the same in every layer
 *   32   public key: the sender's half of the shared key with this hop
 *   n    box: the layer for this hop
 *   0, 59 or 118   sendback, made by the hops so far
 *
 * Inside the box of layers 0 and 1:            Inside the box of layer 2:
 *   19   address of the next hop, onion form     19   address of the destination, onion form
 *   32   public key for the next hop             n    the packet for the destination
 *   n    box for the next hop
 *
 * What the third hop delivers is that packet ‖ sendback of 177 bytes.
 */
import { MAC_SIZE, NONCE_SIZE, PUBLIC_KEY_SIZE } from "../../crypto/keys.ts";
import type { Endpoint } from "../../env/datagram.ts";
import type { Drop } from "../drop.ts";
import { decodeOnionIpPort, encodeOnionIpPort, ONION_IP_PORT_SIZE } from "../ip_port.ts";
import { PacketId } from "../packet_ids.ts";
import { MAX_ONION_PACKET_SIZE, REQUEST_LAYER_SIZE, SENDBACK_SIZE, type SendbackDepth, sendbackSize } from "./sizes.ts";

/** 0 for what the first hop receives, 1 the second, 2 the third. */
export type OnionLayer = 0 | 1 | 2;

/** All bytes are views of the packet that was decoded. */
export interface OnionRequest {
  readonly layer: OnionLayer;
  readonly nonce: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly box: Uint8Array;
  /** Empty in layer 0. */
  readonly sendback: Uint8Array;
}

/** What one hop finds in its box. `data` is a view. */
export interface OnionRequestLayer {
  /** Where `data` goes. */
  readonly next: Endpoint;
  /** Layers 0 and 1: public key ‖ box for the next hop. Layer 2: the packet for the destination. */
  readonly data: Uint8Array;
}

/** What the destination receives from the third hop. Views. */
export interface DeliveredRequest {
  readonly request: Uint8Array;
  readonly sendback: Uint8Array;
}

const BOX_AT = 1 + NONCE_SIZE + PUBLIC_KEY_SIZE;

/** Writes the packet and answers its length. */
export function encodeOnionRequest(into: Uint8Array, packet: OnionRequest): number {
  into[0] = PacketId.OnionRequest0 + packet.layer;
  into.set(packet.nonce, 1);
  into.set(packet.publicKey, 1 + NONCE_SIZE);
  into.set(packet.box, BOX_AT);
  const sendbackAt = BOX_AT + packet.box.length;
  into.set(packet.sendback, sendbackAt);
  return sendbackAt + packet.sendback.length;
}

/** Takes 0x80, 0x81 and 0x82. */
export function decodeOnionRequest(bytes: Uint8Array, drop: Drop): OnionRequest | undefined {
  const layer = layerOf(bytes[0]);
  if (layer === undefined) return drop("unknown-id");
  if (bytes.length > MAX_ONION_PACKET_SIZE) return drop("oversized");
  const sendbackAt = bytes.length - sendbackSize(layer);
  if (sendbackAt - BOX_AT < smallestBox(layer)) return drop("truncated");
  return {
    layer,
    nonce: bytes.subarray(1, 1 + NONCE_SIZE),
    publicKey: bytes.subarray(1 + NONCE_SIZE, BOX_AT),
    box: bytes.subarray(BOX_AT, sendbackAt),
    sendback: bytes.subarray(sendbackAt),
  };
}

/** The plaintext of a box. Writes it and answers its length. */
export function encodeOnionRequestLayer(into: Uint8Array, layer: OnionRequestLayer): number {
  const dataAt = encodeOnionIpPort(into, 0, layer.next);
  into.set(layer.data, dataAt);
  return dataAt + layer.data.length;
}

/** Takes UDP addresses only, as toxcore does; how long `data` must be follows from the packet that held the box. */
export function decodeOnionRequestLayer(plain: Uint8Array, drop: Drop): OnionRequestLayer | undefined {
  if (plain.length <= ONION_IP_PORT_SIZE) return drop("truncated");
  const next = decodeOnionIpPort(plain, 0);
  if (next === undefined || next.transport !== "udp" || next.endpoint.port === 0) return drop("malformed");
  return { next: next.endpoint, data: plain.subarray(ONION_IP_PORT_SIZE) };
}

export function encodeDeliveredRequest(into: Uint8Array, packet: DeliveredRequest): number {
  into.set(packet.request);
  into.set(packet.sendback, packet.request.length);
  return packet.request.length + packet.sendback.length;
}

export function decodeDeliveredRequest(bytes: Uint8Array, drop: Drop): DeliveredRequest | undefined {
  if (bytes.length > MAX_ONION_PACKET_SIZE) return drop("oversized");
  if (bytes.length <= SENDBACK_SIZE) return drop("truncated");
  const sendbackAt = bytes.length - SENDBACK_SIZE;
  return { request: bytes.subarray(0, sendbackAt), sendback: bytes.subarray(sendbackAt) };
}

/** The only packets that a third hop delivers: else an announce node could make relays tell it who announced (c-toxcore #872). */
export function isOnionRequestData(id: number | undefined): boolean {
  return id === PacketId.AnnounceRequest || id === PacketId.OnionDataRequest || id === PacketId.GroupAnnounceRequest;
}

/** The sendback that a hop which received `layer` adds: one address deeper than what came with the request. */
export function sendbackDepthAfter(layer: OnionLayer): SendbackDepth {
  return (layer + 1) as SendbackDepth;
}

/** At least one byte must reach the destination. */
function smallestBox(layer: OnionLayer): number {
  return (2 - layer) * REQUEST_LAYER_SIZE + ONION_IP_PORT_SIZE + MAC_SIZE + 1;
}

function layerOf(id: number | undefined): OnionLayer | undefined {
  switch (id) {
    case PacketId.OnionRequest0:
      return 0;
    case PacketId.OnionRequest1:
      return 1;
    case PacketId.OnionRequest2:
      return 2;
    default:
      return undefined;
  }
}
