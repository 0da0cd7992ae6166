/**
 * The request packet (session id 1): which lossless packets are missing. spec.md "Packet Request", c-toxcore
 * `net_crypto.c` (generate_request_packet, handle_request_packet).
 *
 *   1    1
 *   n    one byte for each missing packet: how many numbers it stands behind the one listed before (or behind the one
 *        before buffer_start); 0 says that the next 255 numbers have all arrived
 *
 * Numbers up to the last listed one and not listed have arrived; about those behind it the packet says nothing.
 */
import type { Drop } from "../drop.ts";
import { MAX_SESSION_DATA_SIZE } from "./crypto_data.ts";
import { SessionPacketId } from "./session_ids.ts";

/** The farthest that one byte reaches. */
const STEP = 255;

/**
 * Writes a request about the numbers from buffer_start to `span` behind it, as far as `limit` bytes reach, and answers
 * its length. `isMissing` is asked for offsets from buffer_start, in order.
 */
export function encodePacketRequestOf(
  into: Uint8Array,
  span: number,
  isMissing: (offset: number) => boolean,
  limit = MAX_SESSION_DATA_SIZE,
): number {
  into[0] = SessionPacketId.Request;
  let end = 1;
  let distance = 1;
  for (let offset = 0; offset < span && end < limit; offset++) {
    if (isMissing(offset)) {
      into[end++] = distance;
      distance = 1;
    } else if (distance === STEP) {
      into[end++] = 0;
      distance = 1;
    } else {
      distance++;
    }
  }
  return end;
}

/** Told about the numbers that a request speaks of, in order, as offsets from its buffer_start. */
export interface PacketRequestVisitor {
  /** The numbers from `from` up to, but not with, `to` have arrived. */
  arrived(from: number, to: number): void;
  missing(offset: number): void;
}

/** Reads a request as far as the sender's window of `span` numbers reaches. Any bytes are a request. */
export function visitPacketRequest(packet: Uint8Array, span: number, visitor: PacketRequestVisitor): void {
  let offset = 0;
  for (let at = 1; at < packet.length && offset < span; at++) {
    const byte = packet[at] ?? 0;
    const arrivedUntil = offset + (byte === 0 ? STEP : byte - 1);
    if (arrivedUntil > offset) visitor.arrived(offset, Math.min(arrivedUntil, span));
    offset = arrivedUntil;
    if (byte === 0) continue;
    if (offset < span) visitor.missing(offset);
    offset++;
  }
}

/** A request as a plain object. */
export interface PacketRequest {
  /** Offsets from buffer_start, growing. */
  readonly missing: readonly number[];
  /** So many numbers from buffer_start on are spoken of. */
  readonly span: number;
}

export function encodePacketRequest(into: Uint8Array, request: PacketRequest): number {
  let next = 0;
  return encodePacketRequestOf(into, request.span, (offset) => {
    if (request.missing[next] !== offset) return false;
    next++;
    return true;
  });
}

export function decodePacketRequest(bytes: Uint8Array, drop: Drop): PacketRequest | undefined {
  if (bytes.length === 0) return drop("truncated");
  if (bytes.length > MAX_SESSION_DATA_SIZE) return drop("oversized");
  if (bytes[0] !== SessionPacketId.Request) return drop("malformed");
  const missing: number[] = [];
  let span = 0;
  visitPacketRequest(bytes, Number.MAX_SAFE_INTEGER, {
    arrived: (_, to) => {
      span = to;
    },
    missing: (offset) => {
      missing.push(offset);
      span = offset + 1;
    },
  });
  return { missing, span };
}
