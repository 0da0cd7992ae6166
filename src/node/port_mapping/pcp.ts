/**
 * PCP (RFC 6887) over UDP, to port 5351 of the router: the opcodes ANNOUNCE (0, nothing but the header) and MAP (1).
 *
 *    0  1   version 2
 *    1  1   opcode; in responses + 128
 *    2  2   0; in responses 0 and the result code
 *    4  4   lifetime in s; 0 takes a mapping back
 *    8 16   the client's address, IPv4 as ::ffff:a.b.c.d; in responses: epoch u32 and 12 zeros
 *   MAP:
 *   24 12   nonce, the same in the response
 *   36  1   protocol: 17 UDP, 6 TCP
 *   37  3   0
 *   40  2   internal port
 *   42  2   external port, wished or given
 *   44 16   external address, wished (::ffff:0.0.0.0: any IPv4) or given
 */
import type { MappedProtocol } from "../../env/port_mapper.ts";
import { readU16, readU32, sameBytes, writeU16, writeU32 } from "../../util/bytes.ts";

export const PCP_VERSION = 2;
export const PCP_NONCE_SIZE = 12;
export const UNSUPPORTED_VERSION = 1;
const RESPONSE = 128;
const HEADER_SIZE = 24;
const MAP_SIZE = 60;
const MAP = 1;

export interface PcpMapRequest {
  readonly client: Uint8Array;
  readonly nonce: Uint8Array;
  readonly protocol: MappedProtocol;
  readonly port: number;
  readonly externalPort: number;
  readonly lifetime: number;
}

export interface PcpMapping {
  readonly result: number;
  readonly port: number;
  readonly externalPort: number;
  /** 16 bytes. */
  readonly externalAddress: Uint8Array;
  readonly lifetime: number;
}

const protocolNumber = (protocol: MappedProtocol): number => (protocol === "udp" ? 17 : 6);

export function encodeAnnounce(client: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE);
  bytes[0] = PCP_VERSION;
  writeMapped(bytes, 8, client);
  return bytes;
}

/** The result code of the answer to an ANNOUNCE. */
export function decodeAnnounceResponse(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEADER_SIZE || bytes[0] !== PCP_VERSION || bytes[1] !== RESPONSE) return undefined;
  return bytes[3];
}

export function encodePcpMap(request: PcpMapRequest): Uint8Array {
  const bytes = new Uint8Array(MAP_SIZE);
  bytes[0] = PCP_VERSION;
  bytes[1] = MAP;
  writeU32(bytes, 4, request.lifetime);
  writeMapped(bytes, 8, request.client);
  bytes.set(request.nonce, 24);
  bytes[36] = protocolNumber(request.protocol);
  writeU16(bytes, 40, request.port);
  writeU16(bytes, 42, request.externalPort);
  writeMapped(bytes, 44, new Uint8Array(4));
  return bytes;
}

/** The answer to the request with that nonce. Options behind it are not looked at. */
export function decodePcpMapResponse(
  bytes: Uint8Array,
  { nonce, protocol }: Pick<PcpMapRequest, "nonce" | "protocol">,
): PcpMapping | undefined {
  if (bytes.length < MAP_SIZE || bytes[0] !== PCP_VERSION || bytes[1] !== RESPONSE + MAP) return undefined;
  if (!sameBytes(bytes.subarray(24, 36), nonce) || bytes[36] !== protocolNumber(protocol)) return undefined;
  return {
    result: bytes[3] ?? 0,
    port: readU16(bytes, 40),
    externalPort: readU16(bytes, 42),
    externalAddress: bytes.slice(44, 60),
    lifetime: readU32(bytes, 4),
  };
}

function writeMapped(bytes: Uint8Array, at: number, ipv4: Uint8Array): void {
  bytes[at + 10] = 0xff;
  bytes[at + 11] = 0xff;
  bytes.set(ipv4, at + 12);
}
