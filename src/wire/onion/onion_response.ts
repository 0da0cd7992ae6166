/**
 * A response on its way back through the hops that its request passed. spec.md "Onion packet: Response packet 1..3",
 * c-toxcore `onion.c`.
 *
 *   1    0x8c to the third hop, 0x8d to the second, 0x8e to the first
 *   177, 118 or 59   sendback, sealed by the hop that receives this: nonce ‖ box
 *   n    the packet for the client, who receives it bare
 *
 * Inside the sendback's box:
 *   19   address that the request came from, onion form (TCP families: a client of the first hop's relay)
 *   118, 59 or 0   sendback of the hop before
 */
import { MAC_SIZE, NONCE_SIZE } from "../../crypto/keys.ts";
import type { Endpoint } from "../../env/datagram.ts";
import type { Drop } from "../drop.ts";
import { decodeOnionIpPort, encodeOnionIpPort, ONION_IP_PORT_SIZE, type Transport } from "../ip_port.ts";
import { PacketId } from "../packet_ids.ts";
import { MAX_ONION_PACKET_SIZE, type SendbackDepth, sendbackSize } from "./sizes.ts";

/** All bytes are views of the packet that was decoded. */
export interface OnionResponse {
  /** How many hops are still to go, the receiver included: 3 for 0x8c, 1 for 0x8e. */
  readonly depth: SendbackDepth;
  readonly sendback: Uint8Array;
  readonly data: Uint8Array;
}

/** A sendback as it travels. Views. */
export interface SealedSendback {
  readonly nonce: Uint8Array;
  readonly box: Uint8Array;
}

/** What a hop remembers by giving it away sealed. `rest` is a view. */
export interface Sendback {
  readonly from: Endpoint;
  readonly transport: Transport;
  /** The sendback that came with the request: empty at the first hop. */
  readonly rest: Uint8Array;
}

/** Writes the packet and answers its length. */
export function encodeOnionResponse(into: Uint8Array, packet: OnionResponse): number {
  into[0] = PacketId.OnionResponse1 + 1 - packet.depth;
  into.set(packet.sendback, 1);
  const dataAt = 1 + packet.sendback.length;
  into.set(packet.data, dataAt);
  return dataAt + packet.data.length;
}

/** Takes 0x8c, 0x8d and 0x8e. */
export function decodeOnionResponse(bytes: Uint8Array, drop: Drop): OnionResponse | undefined {
  const depth = depthOf(bytes[0]);
  if (depth === undefined) return drop("unknown-id");
  if (bytes.length > MAX_ONION_PACKET_SIZE) return drop("oversized");
  const dataAt = 1 + sendbackSize(depth);
  if (bytes.length <= dataAt) return drop("truncated");
  return { depth, sendback: bytes.subarray(1, dataAt), data: bytes.subarray(dataAt) };
}

export function encodeSealedSendback(into: Uint8Array, sealed: SealedSendback): number {
  into.set(sealed.nonce);
  into.set(sealed.box, NONCE_SIZE);
  return NONCE_SIZE + sealed.box.length;
}

export function decodeSealedSendback(bytes: Uint8Array, drop: Drop): SealedSendback | undefined {
  if (bytes.length < NONCE_SIZE + MAC_SIZE) return drop("truncated");
  return { nonce: bytes.subarray(0, NONCE_SIZE), box: bytes.subarray(NONCE_SIZE) };
}

/** The plaintext of a sendback's box. Writes it and answers its length. */
export function encodeSendback(into: Uint8Array, sendback: Sendback): number {
  const restAt = encodeOnionIpPort(into, 0, sendback.from, sendback.transport);
  into.set(sendback.rest, restAt);
  return restAt + sendback.rest.length;
}

/** `plain` has passed our own tag, so this only fails when our key has leaked. */
export function decodeSendback(plain: Uint8Array, drop: Drop): Sendback | undefined {
  if (plain.length < ONION_IP_PORT_SIZE) return drop("truncated");
  const from = decodeOnionIpPort(plain, 0);
  if (from === undefined || from.endpoint.port === 0) return drop("malformed");
  return { from: from.endpoint, transport: from.transport, rest: plain.subarray(ONION_IP_PORT_SIZE) };
}

/** The only packets that a hop passes back. */
export function isOnionResponseData(id: number | undefined): boolean {
  return id === PacketId.AnnounceResponse || id === PacketId.OnionDataResponse || id === PacketId.GroupAnnounceResponse;
}

function depthOf(id: number | undefined): SendbackDepth | undefined {
  switch (id) {
    case PacketId.OnionResponse1:
      return 1;
    case PacketId.OnionResponse2:
      return 2;
    case PacketId.OnionResponse3:
      return 3;
    default:
      return undefined;
  }
}
