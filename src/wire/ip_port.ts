/**
 * An address on the wire. c-toxcore `network.c` (pack_ip_port), spec.md "IP_Port" and onion.c (ipport_pack).
 *
 * Packed form, 7 or 19 bytes:        Onion form, always 19 bytes:
 *   1   family: 2 IPv4, 10 IPv6        1   family
 *       (130, 138: TCP relays)         16  address, an IPv4 one in the first 4 with zeros behind
 *   4 or 16  address                   2   port, big-endian
 *   2   port, big-endian
 */
import type { Endpoint, IpFamily } from "../env/datagram.ts";
import { readU16, writeU16 } from "../util/bytes.ts";

export const PACKED_IPV4_SIZE = 7;
export const PACKED_IPV6_SIZE = 19;
/** Onion packets carry addresses at one length, whatever the family. */
export const ONION_IP_PORT_SIZE = 19;

const FAMILY_UDP_IPV4 = 2;
const FAMILY_UDP_IPV6 = 10;
export const FAMILY_TCP_IPV4 = 130;
export const FAMILY_TCP_IPV6 = 138;

export type Transport = "udp" | "tcp";

export interface PackedIpPort {
  readonly transport: Transport;
  readonly endpoint: Endpoint;
  /** Bytes taken. */
  readonly size: number;
}

/** Writes the packed form and answers where it ends. */
export function encodeIpPort(into: Uint8Array, at: number, endpoint: Endpoint, transport: Transport = "udp"): number {
  into[at] = familyByte(endpoint.family, transport);
  into.set(endpoint.address, at + 1);
  const portAt = at + 1 + endpoint.address.length;
  writeU16(into, portAt, endpoint.port);
  return portAt + 2;
}

/** Reads the packed form, or nothing when it is cut short or of an unknown family. */
export function decodeIpPort(bytes: Uint8Array, at: number): PackedIpPort | undefined {
  const kind = kindOf(bytes[at]);
  if (kind === undefined) return undefined;
  const size = kind.family === 4 ? PACKED_IPV4_SIZE : PACKED_IPV6_SIZE;
  if (bytes.length < at + size) return undefined;
  const address = bytes.slice(at + 1, at + size - 2);
  const endpoint = { family: kind.family, address, port: readU16(bytes, at + size - 2) };
  return { transport: kind.transport, endpoint, size };
}

/** Writes the 19-byte onion form and answers where it ends. */
export function encodeOnionIpPort(
  into: Uint8Array,
  at: number,
  endpoint: Endpoint,
  transport: Transport = "udp",
): number {
  into[at] = familyByte(endpoint.family, transport);
  into.fill(0, at + 1, at + 17);
  into.set(endpoint.address, at + 1);
  writeU16(into, at + 17, endpoint.port);
  return at + ONION_IP_PORT_SIZE;
}

/** Reads the 19-byte onion form; what stands behind an IPv4 address is not looked at. */
export function decodeOnionIpPort(bytes: Uint8Array, at: number): PackedIpPort | undefined {
  const kind = kindOf(bytes[at]);
  if (kind === undefined || bytes.length < at + ONION_IP_PORT_SIZE) return undefined;
  const address = bytes.slice(at + 1, at + 1 + (kind.family === 4 ? 4 : 16));
  const endpoint = { family: kind.family, address, port: readU16(bytes, at + 17) };
  return { transport: kind.transport, endpoint, size: ONION_IP_PORT_SIZE };
}

function familyByte(family: IpFamily, transport: Transport): number {
  if (transport === "tcp") return family === 4 ? FAMILY_TCP_IPV4 : FAMILY_TCP_IPV6;
  return family === 4 ? FAMILY_UDP_IPV4 : FAMILY_UDP_IPV6;
}

function kindOf(byte: number | undefined): { family: IpFamily; transport: Transport } | undefined {
  switch (byte) {
    case FAMILY_UDP_IPV4:
      return { family: 4, transport: "udp" };
    case FAMILY_UDP_IPV6:
      return { family: 6, transport: "udp" };
    case FAMILY_TCP_IPV4:
      return { family: 4, transport: "tcp" };
    case FAMILY_TCP_IPV6:
      return { family: 6, transport: "tcp" };
    default:
      return undefined;
  }
}
