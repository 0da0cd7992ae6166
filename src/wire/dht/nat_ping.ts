/**
 * NAT ping: the payload of a DHT request with id 254, by which two friends agree to punch. spec.md "NAT Ping Packets",
 * c-toxcore `DHT.c` (send_nat_ping).
 *
 *   1   0 request, 1 response
 *   8   ping id, returned in the response
 */
import { readU64, writeU64 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";

export interface NatPing {
  readonly kind: "request" | "response";
  readonly pingId: bigint;
}

export const NAT_PING_SIZE = 9;

export function encodeNatPing(into: Uint8Array, ping: NatPing): number {
  into[0] = ping.kind === "request" ? 0 : 1;
  writeU64(into, 1, ping.pingId);
  return NAT_PING_SIZE;
}

export function decodeNatPing(bytes: Uint8Array, drop: Drop): NatPing | undefined {
  if (bytes.length < NAT_PING_SIZE) return drop("truncated");
  if (bytes.length > NAT_PING_SIZE) return drop("oversized");
  const kind = bytes[0];
  if (kind !== 0 && kind !== 1) return drop("malformed");
  return { kind: kind === 0 ? "request" : "response", pingId: readU64(bytes, 1) };
}
