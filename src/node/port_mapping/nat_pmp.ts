/**
 * NAT-PMP (RFC 6886) over UDP, to port 5351 of the router.
 *
 *   request of the outer address     0, 0
 *   its response                     0, 128, result u16, epoch u32, IPv4 address 4
 *   request of a mapping             0, 1 (UDP) or 2 (TCP), 0 u16, internal port u16, wished external port u16, lifetime u32
 *   its response                     0, 129 or 130, result u16, epoch u32, internal port u16, external port u16, lifetime u32
 *
 * Lifetime 0 with external port 0 takes a mapping back.
 */
import type { MappedProtocol } from "../../env/port_mapper.ts";
import { readU16, readU32, writeU16, writeU32 } from "../../util/bytes.ts";

export const NAT_PMP_VERSION = 0;
const RESPONSE = 128;
const ADDRESS_RESPONSE_SIZE = 12;
const MAP_RESPONSE_SIZE = 16;

export interface NatPmpMapping {
  readonly result: number;
  readonly port: number;
  readonly externalPort: number;
  readonly lifetime: number;
}

const opcode = (protocol: MappedProtocol): number => (protocol === "udp" ? 1 : 2);

export function encodeAddressRequest(): Uint8Array {
  return Uint8Array.of(NAT_PMP_VERSION, 0);
}

/** The outer address, or the result code (not 0) with which it was refused. */
export function decodeAddressResponse(bytes: Uint8Array): Uint8Array | number | undefined {
  if (bytes.length < 8 || bytes[0] !== NAT_PMP_VERSION || bytes[1] !== RESPONSE) return undefined;
  const result = readU16(bytes, 2);
  if (result !== 0) return result;
  return bytes.length === ADDRESS_RESPONSE_SIZE ? bytes.slice(8, 12) : undefined;
}

export function encodeMapRequest(
  protocol: MappedProtocol,
  port: number,
  externalPort: number,
  lifetime: number,
): Uint8Array {
  const bytes = new Uint8Array(12);
  bytes[1] = opcode(protocol);
  writeU16(bytes, 4, port);
  writeU16(bytes, 6, externalPort);
  writeU32(bytes, 8, lifetime);
  return bytes;
}

/** The answer to a request for that protocol; ports and lifetime mean nothing when `result` is not 0. */
export function decodeMapResponse(bytes: Uint8Array, protocol: MappedProtocol): NatPmpMapping | undefined {
  if (bytes.length !== MAP_RESPONSE_SIZE || bytes[0] !== NAT_PMP_VERSION) return undefined;
  if (bytes[1] !== RESPONSE + opcode(protocol)) return undefined;
  return {
    result: readU16(bytes, 2),
    port: readU16(bytes, 8),
    externalPort: readU16(bytes, 10),
    lifetime: readU32(bytes, 12),
  };
}
