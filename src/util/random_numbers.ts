import type { Random } from "../env/random.ts";
import { readU32, readU64 } from "./bytes.ts";

export function randomBytes(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return bytes;
}

export function randomU32(random: Random): number {
  return readU32(randomBytes(random, 4), 0);
}

export function randomU64(random: Random): bigint {
  return readU64(randomBytes(random, 8), 0);
}

/** A whole number from 0 to `limit` - 1, each as likely as the others. `limit` is at most 2^32. */
export function randomBelow(random: Random, limit: number): number {
  const unbiased = 0x1_0000_0000 - (0x1_0000_0000 % limit);
  for (;;) {
    const value = randomU32(random);
    if (value < unbiased) return value % limit;
  }
}

/** One of the items, or undefined when there are none. */
export function randomItem<T>(random: Random, items: readonly T[]): T | undefined {
  return items.length === 0 ? undefined : items[randomBelow(random, items.length)];
}

/** Puts the items into random order, in place. */
export function shuffle<T>(random: Random, items: T[]): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = randomBelow(random, last + 1);
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
  return items;
}
