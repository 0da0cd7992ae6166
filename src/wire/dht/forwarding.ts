/**
 * Forwarding: a request reaches a DHT node over other nodes, and its reply comes back the same way. c-toxcore
 * `forwarding.c`, `forwarding.h`; spec.md is silent.
 *
 *   ForwardRequest               Forwarding                     ForwardReply
 *   1    0x90                    1     0x91                     1      0x92
 *   32   next node's DHT key     1     sendback's length        1      sendback's length
 *   0+   data                    0–254 sendback                 1–254  sendback
 *                                0+    data                     0+     data
 *
 * A chain is ForwardRequests inside one another. The first forwarder gives an empty sendback to the one who asked.
 */
import { PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import type { Endpoint } from "../../env/datagram.ts";
import { MAX_DATAGRAM_SIZE } from "../../env/datagram.ts";
import { readU64, writeU64 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { decodeIpPort, encodeIpPort } from "../ip_port.ts";
import { PacketId } from "../packet_ids.ts";

/** One below what a length byte holds: 255 is kept for extensions. */
export const MAX_SENDBACK_SIZE = 254;
export const MAX_FORWARD_DATA_SIZE = MAX_DATAGRAM_SIZE - 2 - MAX_SENDBACK_SIZE;
/** Only the one who sends a chain looks at this. */
export const MAX_FORWARD_CHAIN_LENGTH = 4;

const FORWARD_REQUEST_HEADER_SIZE = 1 + PUBLIC_KEY_SIZE;

export interface ForwardRequest {
  readonly next: PublicKey;
  readonly data: Uint8Array;
}

export function encodeForwardRequest(into: Uint8Array, request: ForwardRequest): number {
  into[0] = PacketId.ForwardRequest;
  into.set(request.next, 1);
  into.set(request.data, FORWARD_REQUEST_HEADER_SIZE);
  return FORWARD_REQUEST_HEADER_SIZE + request.data.length;
}

/** The fields are views of `bytes`. */
export function decodeForwardRequest(bytes: Uint8Array, drop: Drop): ForwardRequest | undefined {
  if (bytes.length < FORWARD_REQUEST_HEADER_SIZE) return drop("truncated");
  if (bytes.length > FORWARD_REQUEST_HEADER_SIZE + MAX_FORWARD_DATA_SIZE) return drop("oversized");
  if (bytes[0] !== PacketId.ForwardRequest) return drop("malformed");
  return {
    next: bytes.subarray(1, FORWARD_REQUEST_HEADER_SIZE) as PublicKey,
    data: bytes.subarray(FORWARD_REQUEST_HEADER_SIZE),
  };
}

export interface Forwarding {
  readonly sendback: Uint8Array;
  readonly data: Uint8Array;
}

export function encodeForwarding(into: Uint8Array, packet: Forwarding): number {
  return encodeWithSendback(into, PacketId.Forwarding, packet);
}

/** The fields are views of `bytes`. */
export function decodeForwarding(bytes: Uint8Array, drop: Drop): Forwarding | undefined {
  return decodeWithSendback(bytes, PacketId.Forwarding, 0, drop);
}

export interface ForwardReply {
  readonly sendback: Uint8Array;
  readonly data: Uint8Array;
}

export function encodeForwardReply(into: Uint8Array, packet: ForwardReply): number {
  return encodeWithSendback(into, PacketId.ForwardReply, packet);
}

/** The fields are views of `bytes`. */
export function decodeForwardReply(bytes: Uint8Array, drop: Drop): ForwardReply | undefined {
  return decodeWithSendback(bytes, PacketId.ForwardReply, 1, drop);
}

function encodeWithSendback(into: Uint8Array, id: number, packet: Forwarding): number {
  into[0] = id;
  into[1] = packet.sendback.length;
  into.set(packet.sendback, 2);
  into.set(packet.data, 2 + packet.sendback.length);
  return 2 + packet.sendback.length + packet.data.length;
}

function decodeWithSendback(bytes: Uint8Array, id: number, shortest: number, drop: Drop): Forwarding | undefined {
  const sendbackSize = bytes[1];
  if (sendbackSize === undefined) return drop("truncated");
  if (bytes[0] !== id || sendbackSize < shortest || sendbackSize > MAX_SENDBACK_SIZE) return drop("malformed");
  const dataAt = 2 + sendbackSize;
  if (bytes.length < dataAt) return drop("truncated");
  if (bytes.length > dataAt + MAX_FORWARD_DATA_SIZE) return drop("oversized");
  return { sendback: bytes.subarray(2, dataAt), data: bytes.subarray(dataAt) };
}

/**
 * What a forwarder puts into its sendback, behind the authenticator: where the reply goes.
 *
 *   1       0 the reply goes to the asker, 1 to another forwarder, 2 to a client of our TCP relay
 *   7 / 19  IP_Port, packed (kinds 0 and 1)
 *   0+      that forwarder's own sendback (kind 1 only)
 *   8       the client's number (kind 2; toxcore has its own form, which nobody else reads)
 */
export type ForwardReturn =
  | {
      readonly to: Endpoint;
      /** The next forwarder's sendback; left out when `to` is the asker. */
      readonly sendback?: Uint8Array;
    }
  | { readonly client: number };

const RETURN_TO_ASKER = 0;
const RETURN_TO_FORWARDER = 1;
const RETURN_TO_CLIENT = 2;

export function encodeForwardReturn(into: Uint8Array, at: number, way: ForwardReturn): number {
  if ("client" in way) {
    into[at] = RETURN_TO_CLIENT;
    writeU64(into, at + 1, BigInt(way.client));
    return at + 9;
  }
  into[at] = way.sendback === undefined ? RETURN_TO_ASKER : RETURN_TO_FORWARDER;
  const end = encodeIpPort(into, at + 1, way.to);
  if (way.sendback === undefined) return end;
  into.set(way.sendback, end);
  return end + way.sendback.length;
}

export function decodeForwardReturn(bytes: Uint8Array, drop: Drop): ForwardReturn | undefined {
  const kind = bytes[0];
  if (kind === RETURN_TO_CLIENT) {
    const client = bytes.length === 9 ? Number(readU64(bytes, 1)) : -1;
    return Number.isSafeInteger(client) && client >= 0 ? { client } : drop("malformed");
  }
  if (kind !== RETURN_TO_ASKER && kind !== RETURN_TO_FORWARDER) return drop("malformed");
  const ipPort = decodeIpPort(bytes, 1);
  if (ipPort === undefined || ipPort.transport !== "udp") return drop("malformed");
  const end = 1 + ipPort.size;
  if (kind === RETURN_TO_FORWARDER) return { to: ipPort.endpoint, sendback: bytes.subarray(end) };
  return bytes.length === end ? { to: ipPort.endpoint } : drop("malformed");
}
