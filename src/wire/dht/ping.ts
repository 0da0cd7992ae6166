/**
 * The payload of PingRequest (0x00) and PingResponse (0x01). spec.md "Ping Service", c-toxcore `ping.c`.
 *
 *   1   the packet's own id again, so that a request sent back to its sender is no response
 *   8   sendback: chosen by the asker, returned by the answerer
 */
import { readU64, writeU64 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { PacketId } from "../packet_ids.ts";
import { DHT_PACKET_OVERHEAD } from "./dht_packet.ts";

export interface PingPayload {
  readonly id: typeof PacketId.PingRequest | typeof PacketId.PingResponse;
  readonly sendback: bigint;
}

export const PING_PAYLOAD_SIZE = 9;
export const PING_PACKET_SIZE = DHT_PACKET_OVERHEAD + PING_PAYLOAD_SIZE;

export function encodePingPayload(into: Uint8Array, payload: PingPayload): number {
  into[0] = payload.id;
  writeU64(into, 1, payload.sendback);
  return PING_PAYLOAD_SIZE;
}

export function decodePingPayload(bytes: Uint8Array, drop: Drop): PingPayload | undefined {
  if (bytes.length < PING_PAYLOAD_SIZE) return drop("truncated");
  if (bytes.length > PING_PAYLOAD_SIZE) return drop("oversized");
  const id = bytes[0];
  if (id !== PacketId.PingRequest && id !== PacketId.PingResponse) return drop("malformed");
  return { id, sendback: readU64(bytes, 1) };
}
