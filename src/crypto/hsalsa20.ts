import { hsalsa } from "@noble/ciphers/salsa.js";

// "expand 32-byte k"
const SIGMA = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);
const ZERO_INPUT = new Uint32Array(4);

/** HSalsa20 with an all-zero input: what NaCl does to an X25519 result before it serves as a key. `out`: 32 bytes. */
export function hsalsa20(out: Uint8Array, key: Uint8Array): void {
  const words = new Uint32Array(8);
  for (let i = 0; i < 8; i++) words[i] = readLittleEndian(key, 4 * i);
  const result = new Uint32Array(8);
  hsalsa(SIGMA, words, ZERO_INPUT, result);
  for (let i = 0; i < 8; i++) writeLittleEndian(out, 4 * i, result[i] ?? 0);
  words.fill(0);
  result.fill(0);
}

function readLittleEndian(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

function writeLittleEndian(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
