import { sameBytes } from "./bytes.ts";
import { keyHash } from "./key_hash.ts";

interface Entry<V> {
  readonly key: Uint8Array;
  value: V;
  /** Another key with the same hash. */
  next: Entry<V> | undefined;
}

/**
 * A map from byte strings of one length (32-byte keys mostly) to values, without making a string for each look-up. The
 * hash is seeded, so that a stranger who chooses keys cannot make them collide. Iterates in order of insertion.
 */
export class KeyMap<V> {
  readonly #byHash = new Map<number, Entry<V>>(); // bounded by whoever owns the map
  readonly #entries = new Set<Entry<V>>();
  readonly #seed: number;

  /** `seed`: 32 random bits; leave it out where strangers do not choose the keys. */
  constructor(seed = 0x9e3779b9) {
    this.#seed = seed | 1;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Uint8Array): V | undefined {
    return this.#find(key)?.value;
  }

  has(key: Uint8Array): boolean {
    return this.#find(key) !== undefined;
  }

  /** Stores `value`; the key is copied, so it may be a view of a packet. */
  set(key: Uint8Array, value: V): void {
    const hash = keyHash(key, this.#seed);
    const first = this.#byHash.get(hash);
    const known = findIn(first, key);
    if (known !== undefined) {
      known.value = value;
      return;
    }
    const entry = { key: key.slice(), value, next: first };
    this.#byHash.set(hash, entry);
    this.#entries.add(entry);
  }

  delete(key: Uint8Array): boolean {
    const hash = keyHash(key, this.#seed);
    const first = this.#byHash.get(hash);
    const entry = findIn(first, key);
    if (first === undefined || entry === undefined) return false;
    this.#entries.delete(entry);
    if (entry !== first) {
      let before = first;
      while (before.next !== undefined && before.next !== entry) before = before.next;
      before.next = entry.next;
    } else if (entry.next !== undefined) this.#byHash.set(hash, entry.next);
    else this.#byHash.delete(hash);
    return true;
  }

  clear(): void {
    this.#byHash.clear();
    this.#entries.clear();
  }

  /** The key stored first, for tables that forget their oldest. */
  oldestKey(): Uint8Array | undefined {
    for (const entry of this.#entries) return entry.key;
    return undefined;
  }

  *keys(): IterableIterator<Uint8Array> {
    for (const entry of this.#entries) yield entry.key;
  }

  *values(): IterableIterator<V> {
    for (const entry of this.#entries) yield entry.value;
  }

  *entries(): IterableIterator<[Uint8Array, V]> {
    for (const entry of this.#entries) yield [entry.key, entry.value];
  }

  #find(key: Uint8Array): Entry<V> | undefined {
    if (this.#entries.size === 0) return undefined;
    return findIn(this.#byHash.get(keyHash(key, this.#seed)), key);
  }
}

function findIn<V>(first: Entry<V> | undefined, key: Uint8Array): Entry<V> | undefined {
  for (let entry = first; entry !== undefined; entry = entry.next) if (sameBytes(entry.key, key)) return entry;
  return undefined;
}
