import { readU32 } from "../util/bytes.ts";

/** How many leading bits two keys share, up to 256. spec.md "Bucket Index"; c-toxcore `DHT.c` (bit_by_bit_cmp). */
export function sharedPrefixBits(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < 32; at += 4) {
    const difference = readU32(a, at) ^ readU32(b, at);
    if (difference !== 0) return 8 * at + Math.clz32(difference);
  }
  return 256;
}

/** Below 0 when `a` is nearer to `target` than `b` is, above 0 when `b` is, 0 when they are the same. Distance is XOR. */
export function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < 32; i++) {
    const byte = target[i] ?? 0;
    const difference = ((a[i] ?? 0) ^ byte) - ((b[i] ?? 0) ^ byte);
    if (difference !== 0) return difference;
  }
  return 0;
}
