/**
 * BootstrapInfo (0xf0): the version and message of the day of a bootstrap daemon. c-toxcore
 * `other/bootstrap_node_packets.c`, spec.md "Bootstrap Node Info Packet".
 *
 *   request                                    response
 *   1    0xf0                                  1      0xf0
 *   77   anything, so that the answer is       4      version, u32
 *        hardly longer than the question       0–256  message of the day with its ending NUL
 */
import { readU32, writeU32 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { PacketId } from "../packet_ids.ts";

export const BOOTSTRAP_INFO_REQUEST_SIZE = 78;
/** With its NUL. */
export const MAX_MOTD_SIZE = 256;
const MOTD_AT = 5;

export function encodeBootstrapInfoRequest(into: Uint8Array): number {
  into.fill(0, 0, BOOTSTRAP_INFO_REQUEST_SIZE);
  into[0] = PacketId.BootstrapInfo;
  return BOOTSTRAP_INFO_REQUEST_SIZE;
}

/** True for a request: all that it says is its length. */
export function decodeBootstrapInfoRequest(bytes: Uint8Array, drop: Drop): true | undefined {
  if (bytes.length < BOOTSTRAP_INFO_REQUEST_SIZE) return drop("truncated");
  if (bytes.length > BOOTSTRAP_INFO_REQUEST_SIZE) return drop("oversized");
  return bytes[0] === PacketId.BootstrapInfo ? true : drop("malformed");
}

export interface BootstrapInfoResponse {
  /** 1000000000 + major · 10^6 + minor · 10^3 + patch, from a toxcore. */
  readonly version: number;
  readonly motd: Uint8Array;
}

export function encodeBootstrapInfoResponse(into: Uint8Array, response: BootstrapInfoResponse): number {
  into[0] = PacketId.BootstrapInfo;
  writeU32(into, 1, response.version);
  into.set(response.motd, MOTD_AT);
  return MOTD_AT + response.motd.length;
}

export function decodeBootstrapInfoResponse(bytes: Uint8Array, drop: Drop): BootstrapInfoResponse | undefined {
  if (bytes.length < MOTD_AT) return drop("truncated");
  if (bytes.length > MOTD_AT + MAX_MOTD_SIZE) return drop("oversized");
  if (bytes[0] !== PacketId.BootstrapInfo) return drop("malformed");
  return { version: readU32(bytes, 1), motd: bytes.slice(MOTD_AT) };
}
