import { keyHash } from "../util/key_hash.ts";
import { PUBLIC_KEY_SIZE, SHARED_KEY_SIZE, type SharedKey } from "./keys.ts";

const SLOT_SIZE = PUBLIC_KEY_SIZE + SHARED_KEY_SIZE;
/** A slab of 256 slots is 16 KiB. */
const SLAB_BITS = 8;
const SLAB_SLOTS = 1 << SLAB_BITS;
const FIRST_BUCKETS = 256;
const NONE = -1;

/**
 * Shared keys by the public key they were made with, in slabs of bytes: 75 bytes a key, where objects take 650, and nothing
 * for the garbage collector to look through. Grows as it is used. When it is full the next key that was not used since the
 * last time round has to go ("second chance"), so a flood of new ones cannot push out the busy ones.
 */
export class KeySlab {
  readonly #limit: number;
  readonly #seed: number;
  readonly #slabs: Uint8Array[] = []; // bounded by #limit slots
  /** The first slot of each bucket, and the one behind each slot in its bucket. */
  #heads = new Int32Array(FIRST_BUCKETS).fill(NONE);
  #next = new Int32Array(FIRST_BUCKETS);
  #wasUsed = new Uint8Array(FIRST_BUCKETS);
  #size = 0;
  #hand = 0;

  /** Holds at most `limit` keys. `seed`: 32 random bits. */
  constructor(limit: number, seed: number) {
    this.#limit = limit;
    this.#seed = seed;
  }

  get size(): number {
    return this.#size;
  }

  /** A view of the key, which holds another one some time after it was forgotten: for use in this turn. */
  get(publicKey: Uint8Array): SharedKey | undefined {
    for (let slot = this.#heads[this.#bucketOf(publicKey)] ?? NONE; slot !== NONE; slot = this.#next[slot] ?? NONE) {
      if (!this.#isAt(slot, publicKey)) continue;
      this.#wasUsed[slot] = 1;
      return this.#sharedKeyAt(slot);
    }
    return undefined;
  }

  /** Keeps a key that is not there yet. Both are copied. */
  add(publicKey: Uint8Array, sharedKey: Uint8Array): SharedKey {
    const slot = this.#size < this.#limit ? this.#freshSlot() : this.#vacatedSlot();
    this.#slabOf(slot).set(publicKey.subarray(0, PUBLIC_KEY_SIZE), startOf(slot));
    const kept = this.#sharedKeyAt(slot);
    kept.set(sharedKey);
    this.#wasUsed[slot] = 0;
    this.#link(slot, this.#bucketOf(publicKey));
    return kept;
  }

  /** Overwrites every key and gives the memory back. */
  clear(): void {
    for (const slab of this.#slabs) slab.fill(0);
    this.#slabs.length = 0;
    this.#heads = new Int32Array(FIRST_BUCKETS).fill(NONE);
    this.#next = new Int32Array(FIRST_BUCKETS);
    this.#wasUsed = new Uint8Array(FIRST_BUCKETS);
    this.#size = 0;
    this.#hand = 0;
  }

  #freshSlot(): number {
    const slot = this.#size++;
    if (slot === this.#next.length) this.#grow();
    if (slot === this.#slabs.length * SLAB_SLOTS) {
      const slots = Math.min(SLAB_SLOTS, this.#limit - slot);
      this.#slabs.push(new Uint8Array(slots * SLOT_SIZE));
    }
    return slot;
  }

  #vacatedSlot(): number {
    while (this.#wasUsed[this.#hand] === 1) {
      this.#wasUsed[this.#hand] = 0;
      this.#hand = (this.#hand + 1) % this.#limit;
    }
    const slot = this.#hand;
    this.#hand = (slot + 1) % this.#limit;
    this.#unlink(slot, this.#bucketOfSlot(slot));
    return slot;
  }

  #grow(): void {
    const length = 2 * this.#next.length;
    this.#next = grown(this.#next, new Int32Array(length));
    this.#wasUsed = grown(this.#wasUsed, new Uint8Array(length));
    this.#heads = new Int32Array(length).fill(NONE);
    for (let slot = 0; slot < this.#size - 1; slot++) this.#link(slot, this.#bucketOfSlot(slot));
  }

  #link(slot: number, bucket: number): void {
    this.#next[slot] = this.#heads[bucket] ?? NONE;
    this.#heads[bucket] = slot;
  }

  #unlink(slot: number, bucket: number): void {
    const behind = this.#next[slot] ?? NONE;
    let at = this.#heads[bucket] ?? NONE;
    if (at === slot) {
      this.#heads[bucket] = behind;
      return;
    }
    while (at !== NONE && this.#next[at] !== slot) at = this.#next[at] ?? NONE;
    if (at !== NONE) this.#next[at] = behind;
  }

  /** The number of buckets is a power of two. */
  #bucketOf(publicKey: Uint8Array): number {
    return keyHash(publicKey, this.#seed) & (this.#heads.length - 1);
  }

  #bucketOfSlot(slot: number): number {
    const start = startOf(slot);
    return this.#bucketOf(this.#slabOf(slot).subarray(start, start + PUBLIC_KEY_SIZE));
  }

  #isAt(slot: number, publicKey: Uint8Array): boolean {
    const slab = this.#slabOf(slot);
    const start = startOf(slot);
    for (let i = 0; i < PUBLIC_KEY_SIZE; i++) if (slab[start + i] !== publicKey[i]) return false;
    return true;
  }

  #sharedKeyAt(slot: number): SharedKey {
    const start = startOf(slot) + PUBLIC_KEY_SIZE;
    return this.#slabOf(slot).subarray(start, start + SHARED_KEY_SIZE) as Uint8Array as SharedKey;
  }

  #slabOf(slot: number): Uint8Array {
    return this.#slabs[slot >>> SLAB_BITS] as Uint8Array;
  }
}

/** Where a slot begins in its slab. */
function startOf(slot: number): number {
  return (slot & (SLAB_SLOTS - 1)) * SLOT_SIZE;
}

function grown<T extends Int32Array | Uint8Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
