import { readU32 } from "./bytes.ts";

/**
 * 32 bits of a byte string, a whole number of 4-byte words long; what is beyond is left out. Seeded, so that a stranger who
 * chooses keys cannot make them collide.
 */
export function keyHash(key: Uint8Array, seed: number): number {
  let hash = seed;
  for (let at = 0; at + 4 <= key.length; at += 4) {
    hash = Math.imul(hash ^ readU32(key, at), 0x85ebca6b);
    hash ^= hash >>> 15;
    hash = Math.imul(hash + seed, 0xc2b2ae35);
  }
  return (hash ^ (hash >>> 13)) | 0;
}
