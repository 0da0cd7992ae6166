import type { Endpoint, IpFamily } from "../env/datagram.ts";
import { readU16, readU32, sameBytes } from "./bytes.ts";

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a === b || (a.port === b.port && a.family === b.family && sameBytes(a.address, b.address));
}

const keys = new WeakMap<Endpoint, string>();

/** A string that equal endpoints share, for maps; made once for each endpoint object. */
export function endpointKey(endpoint: Endpoint): string {
  let key = keys.get(endpoint);
  if (key === undefined) {
    key = formatEndpoint(endpoint);
    keys.set(endpoint, key);
  }
  return key;
}

/** `1.2.3.4:33445` or `[2001:db8::1]:33445`. */
export function formatEndpoint(endpoint: Endpoint): string {
  const address = formatAddress(endpoint.address);
  return endpoint.family === 4 ? `${address}:${endpoint.port}` : `[${address}]:${endpoint.port}`;
}

/** Dotted decimal for 4 bytes, RFC 5952 text for 16. */
export function formatAddress(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((address[i] ?? 0) << 8) | (address[i + 1] ?? 0));
  const [start, length] = longestZeroRun(groups);
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

function longestZeroRun(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best[1]) best = [start, length];
  }
  return best;
}

/** The 4 or 16 bytes of an address in text, or undefined when it is none. Zone suffixes (`%eth0`) are not taken. */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** Digit by digit: nodes hear from new addresses all the time. */
function parseIpv4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  let part = 0;
  let value = -1; // of the digits since the last dot; -1 when there is none
  for (let i = 0; i <= text.length; i++) {
    const digit = i < text.length ? text.charCodeAt(i) - 0x30 : DOT;
    if (digit === DOT) {
      if (value < 0 || part === 4) return undefined;
      bytes[part++] = value;
      value = -1;
      continue;
    }
    if (digit < 0 || digit > 9 || value === 0) return undefined; // no leading zeros: some read them as octal
    value = value < 0 ? digit : 10 * value + digit;
    if (value > 255) return undefined;
  }
  return part === 4 ? bytes : undefined;
}

/** ".", counted from "0". */
const DOT = -2;

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = parseGroups(halves[1] ?? "", true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** The bytes of `a:b:c`, where a last group may be a dotted IPv4 address. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    if (last && i === groups.length - 1 && group.includes(".")) {
      const tail = parseIpv4(group);
      if (tail === undefined) return undefined;
      bytes.push(...tail);
      continue;
    }
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    bytes.push(value >> 8, value & 0xff);
  }
  return bytes;
}

export function makeEndpoint(address: Uint8Array, port: number): Endpoint {
  const family: IpFamily = address.length === 4 ? 4 : 6;
  return { family, address: address.slice(), port };
}

/**
 * Loopback, private, link-local and carrier-grade addresses: where a packet does not leave the neighbourhood. fd00::/8 is
 * for private networks; fc00::/8, which RFC 4193 leaves open, is used by a mesh that spans the world.
 */
export function isLanAddress(address: Uint8Array): boolean {
  const a = address[0] ?? 0;
  const b = address[1] ?? 0;
  if (address.length === 4) {
    if (a === 127 || a === 10) return true;
    if (a === 172 && b >= 16 && b <= 31) return true;
    if (a === 192 && b === 168) return true;
    if (a === 169 && b === 254) return true;
    return a === 100 && (b & 0xc0) === 64;
  }
  if (a === 0xfd || (a === 0xfe && (b & 0xc0) === 0x80)) return true; // fd00::/8, fe80::/10
  const mapped = mappedIpv4(address);
  if (mapped !== undefined) return isLanAddress(mapped);
  for (let i = 0; i < 15; i++) if (address[i] !== 0) return false;
  return address[15] === 1; // ::1
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(address: Uint8Array): boolean {
  if (address.length === 4) return address[0] === 127;
  for (let i = 0; i < 15; i++) if (address[i] !== 0) return false;
  return address[15] === 1;
}

/** A number for the /24 or /64 that an address is in; 12 bits of the latter do not fit and are left out. */
export function networkNumber({ family, address }: Endpoint): number {
  if (family === 4) return readU32(address, 0) >>> 8;
  return 0x100_0000 + readU32(address, 0) * 0x10_0000 + (readU32(address, 4) & 0xf_ffff);
}

/** A number for the /24 or /48 that an address is in: one customer of a provider has as much of IPv6. */
export function siteNumber({ family, address }: Endpoint): number {
  if (family === 4) return readU32(address, 0) >>> 8;
  return 0x100_0000 + readU32(address, 0) * 0x1_0000 + readU16(address, 4);
}

/** The IPv4 address inside `::ffff:a.b.c.d`, or undefined. */
export function mappedIpv4(address: Uint8Array): Uint8Array | undefined {
  if (address.length !== 16 || address[10] !== 0xff || address[11] !== 0xff) return undefined;
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return undefined;
  return address.slice(12);
}
