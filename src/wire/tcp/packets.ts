/**
 * What travels in the frames of a TCP relay connection. spec.md "TCP server", c-toxcore `TCP_common.h`, `TCP_server.c`,
 * `TCP_client.c`.
 *
 *   frame: u16 length of the box, big-endian ‖ box; each frame's nonce is one more than that of the one before
 *
 *   0   routing request    32 key of a peer                    client to relay
 *   1   routing response   1 connection id (0: refused) ‖ 32 key      to client
 *   2   connect notice     1 connection id                     to client (a client's is ignored)
 *   3   disconnect notice  1 connection id                     both ways
 *   4   ping, 5 pong       8 ping id, not 0                    both ways
 *   6   out-of-band send   32 key of the receiver ‖ 1–1024 data        to relay
 *   7   out-of-band recv   32 key of the sender ‖ data                 to client
 *   8   onion request      24 nonce ‖ 19 next hop ‖ 32 key ‖ box: layer 0 as the first hop has it opened
 *   9   onion response     data
 *   10  forward request    IP_Port, packed ‖ data
 *   11  forwarding         data
 *   16–255  data           for or from the peer of that connection id
 */
import { MAC_SIZE, NONCE_SIZE, PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import type { Endpoint } from "../../env/datagram.ts";
import { readU64, writeU64 } from "../../util/bytes.ts";
import { MAX_FORWARD_DATA_SIZE } from "../dht/forwarding.ts";
import type { Drop } from "../drop.ts";
import { decodeIpPort, encodeIpPort, ONION_IP_PORT_SIZE } from "../ip_port.ts";

export const TcpPacketId = {
  RoutingRequest: 0,
  RoutingResponse: 1,
  ConnectNotice: 2,
  DisconnectNotice: 3,
  Ping: 4,
  Pong: 5,
  OobSend: 6,
  OobRecv: 7,
  OnionRequest: 8,
  OnionResponse: 9,
  ForwardRequest: 10,
  Forwarding: 11,
} as const;

/** Ids below are packets of the relay itself. toxcore's NUM_RESERVED_PORTS. */
export const FIRST_CONNECTION_ID = 16;
export const MAX_ROUTES = 256 - FIRST_CONNECTION_ID;
export const FRAME_HEADER_SIZE = 2;
/** The longest box that anybody takes. toxcore's MAX_PACKET_SIZE. */
export const MAX_FRAME_BOX_SIZE = 2048;
export const MAX_TCP_PACKET_SIZE = MAX_FRAME_BOX_SIZE - MAC_SIZE;
/** A packet of data, with the id before it; the tag and the length must fit into 2048 as well, as older relays count. */
export const MAX_ROUTED_DATA_SIZE = MAX_FRAME_BOX_SIZE - FRAME_HEADER_SIZE - MAC_SIZE - 1;
export const MAX_OOB_SIZE = 1024;
/** What a relay cuts its client off for: two more layers, each of key, address and tag, and something in them. */
export const MIN_TCP_ONION_REQUEST_SIZE = NONCE_SIZE + 2 * (PUBLIC_KEY_SIZE + ONION_IP_PORT_SIZE + MAC_SIZE) + 1;

/** `data` and keys are views of what was decoded. */
export type TcpPacket =
  | { readonly type: "routingRequest"; readonly publicKey: PublicKey }
  | { readonly type: "routingResponse"; readonly connectionId: number; readonly publicKey: PublicKey }
  | { readonly type: "connectNotice" | "disconnectNotice"; readonly connectionId: number }
  | { readonly type: "ping" | "pong"; readonly pingId: bigint }
  | { readonly type: "oobSend" | "oobRecv"; readonly publicKey: PublicKey; readonly data: Uint8Array }
  | { readonly type: "onionRequest" | "onionResponse" | "forwarding"; readonly data: Uint8Array }
  | { readonly type: "forwardRequest"; readonly to: Endpoint; readonly data: Uint8Array }
  | { readonly type: "data"; readonly connectionId: number; readonly data: Uint8Array };

/** Writes the packet and answers its length. */
export function encodeTcpPacket(into: Uint8Array, packet: TcpPacket): number {
  into[0] = idOf(packet);
  switch (packet.type) {
    case "routingRequest":
      into.set(packet.publicKey, 1);
      return 1 + PUBLIC_KEY_SIZE;
    case "routingResponse":
      into[1] = packet.connectionId;
      into.set(packet.publicKey, 2);
      return 2 + PUBLIC_KEY_SIZE;
    case "connectNotice":
    case "disconnectNotice":
      into[1] = packet.connectionId;
      return 2;
    case "ping":
    case "pong":
      writeU64(into, 1, packet.pingId);
      return 9;
    case "oobSend":
    case "oobRecv":
      into.set(packet.publicKey, 1);
      return putData(into, 1 + PUBLIC_KEY_SIZE, packet.data);
    case "forwardRequest":
      return putData(into, encodeIpPort(into, 1, packet.to), packet.data);
    default:
      return putData(into, 1, packet.data);
  }
}

export function decodeTcpPacket(bytes: Uint8Array, drop: Drop): TcpPacket | undefined {
  const id = bytes[0];
  if (id === undefined) return drop("truncated");
  if (bytes.length > MAX_TCP_PACKET_SIZE) return drop("oversized");
  if (id >= FIRST_CONNECTION_ID) return { type: "data", connectionId: id, data: bytes.subarray(1) };
  switch (id) {
    case TcpPacketId.RoutingRequest:
      if (!hasSize(bytes, 1 + PUBLIC_KEY_SIZE, drop)) return undefined;
      return { type: "routingRequest", publicKey: bytes.subarray(1) as PublicKey };
    case TcpPacketId.RoutingResponse:
      if (!hasSize(bytes, 2 + PUBLIC_KEY_SIZE, drop)) return undefined;
      return { type: "routingResponse", connectionId: bytes[1] ?? 0, publicKey: bytes.subarray(2) as PublicKey };
    case TcpPacketId.ConnectNotice:
      if (!hasSize(bytes, 2, drop)) return undefined;
      return { type: "connectNotice", connectionId: bytes[1] ?? 0 };
    case TcpPacketId.DisconnectNotice:
      if (!hasSize(bytes, 2, drop)) return undefined;
      return { type: "disconnectNotice", connectionId: bytes[1] ?? 0 };
    case TcpPacketId.Ping:
      return hasSize(bytes, 9, drop) ? { type: "ping", pingId: readU64(bytes, 1) } : undefined;
    case TcpPacketId.Pong:
      return hasSize(bytes, 9, drop) ? { type: "pong", pingId: readU64(bytes, 1) } : undefined;
    case TcpPacketId.OobSend:
      return decodeOob(bytes, "oobSend", drop);
    case TcpPacketId.OobRecv:
      return decodeOob(bytes, "oobRecv", drop);
    case TcpPacketId.OnionRequest:
      if (bytes.length < 1 + MIN_TCP_ONION_REQUEST_SIZE) return drop("truncated");
      return { type: "onionRequest", data: bytes.subarray(1) };
    case TcpPacketId.OnionResponse:
      return { type: "onionResponse", data: bytes.subarray(1) };
    case TcpPacketId.ForwardRequest:
      return decodeForwardRequest(bytes, drop);
    case TcpPacketId.Forwarding:
      return { type: "forwarding", data: bytes.subarray(1) };
    default:
      return drop("unknown-id");
  }
}

function decodeOob(bytes: Uint8Array, type: "oobSend" | "oobRecv", drop: Drop): TcpPacket | undefined {
  const dataAt = 1 + PUBLIC_KEY_SIZE;
  if (bytes.length <= dataAt) return drop("truncated");
  if (bytes.length > dataAt + MAX_OOB_SIZE) return drop("oversized");
  return { type, publicKey: bytes.subarray(1, dataAt) as PublicKey, data: bytes.subarray(dataAt) };
}

function decodeForwardRequest(bytes: Uint8Array, drop: Drop): TcpPacket | undefined {
  const to = decodeIpPort(bytes, 1);
  if (to === undefined || to.transport !== "udp") return drop("malformed");
  const data = bytes.subarray(1 + to.size);
  if (data.length > MAX_FORWARD_DATA_SIZE) return drop("oversized");
  return { type: "forwardRequest", to: to.endpoint, data };
}

function hasSize(bytes: Uint8Array, size: number, drop: Drop): boolean {
  if (bytes.length !== size) drop(bytes.length < size ? "truncated" : "oversized");
  return bytes.length === size;
}

function putData(into: Uint8Array, at: number, data: Uint8Array): number {
  into.set(data, at);
  return at + data.length;
}

const ID_OF_TYPE: Readonly<Record<Exclude<TcpPacket["type"], "data">, number>> = {
  routingRequest: TcpPacketId.RoutingRequest,
  routingResponse: TcpPacketId.RoutingResponse,
  connectNotice: TcpPacketId.ConnectNotice,
  disconnectNotice: TcpPacketId.DisconnectNotice,
  ping: TcpPacketId.Ping,
  pong: TcpPacketId.Pong,
  oobSend: TcpPacketId.OobSend,
  oobRecv: TcpPacketId.OobRecv,
  onionRequest: TcpPacketId.OnionRequest,
  onionResponse: TcpPacketId.OnionResponse,
  forwardRequest: TcpPacketId.ForwardRequest,
  forwarding: TcpPacketId.Forwarding,
};

function idOf(packet: TcpPacket): number {
  return packet.type === "data" ? packet.connectionId : ID_OF_TYPE[packet.type];
}
