import { sharedPrefixBits } from "./distance.ts";
import type { NodeEntry } from "./node_entry.ts";

/**
 * Nodes in the order of their keys. Those that begin with the same bits stand together, so the nearest to a key are found by
 * halving, however many there are.
 */
export class KeyOrder {
  readonly #entries: NodeEntry[] = []; // bounded by whoever owns it

  get entries(): readonly NodeEntry[] {
    return this.#entries;
  }

  add(entry: NodeEntry): void {
    this.#entries.splice(this.#placeOf(entry), 0, entry);
  }

  delete(entry: NodeEntry): void {
    const at = this.#placeOf(entry);
    if (this.#entries[at] === entry) this.#entries.splice(at, 1);
  }

  /** Shows the nodes to `visit`, nearest to `target` first, until it answers true. */
  fromNearest(target: Uint8Array, visit: (entry: NodeEntry) => boolean): void {
    this.#walk(target, 0, this.#entries.length, visit);
  }

  /** All keys from `low` on and below `high` that have a bit in common with the target are nearer than those that differ. */
  #walk(target: Uint8Array, low: number, high: number, visit: (entry: NodeEntry) => boolean): boolean {
    while (high - low > 1) {
      const bit = commonBits(this.#at(low), this.#at(high - 1));
      const middle = this.#firstWith(bit, low, high);
      if (bitOf(target, bit) === 0) {
        if (this.#walk(target, low, middle, visit)) return true;
        low = middle;
      } else {
        if (this.#walk(target, middle, high, visit)) return true;
        high = middle;
      }
    }
    return low < high && visit(this.#at(low));
  }

  /** Where the keys that have this bit begin; all bits before it are the same between `low` and `high`. */
  #firstWith(bit: number, low: number, high: number): number {
    let [without, at] = [low, high - 1];
    while (at - without > 1) {
      const half = (without + at) >>> 1;
      if (bitOf(this.#at(half).publicKey, bit) === 0) without = half;
      else at = half;
    }
    return at;
  }

  #placeOf(entry: NodeEntry): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const half = (low + high) >>> 1;
      if (compareKeys(this.#at(half), entry) < 0) low = half + 1;
      else high = half;
    }
    return low;
  }

  #at(index: number): NodeEntry {
    return this.#entries[index] as NodeEntry;
  }
}

function commonBits(a: NodeEntry, b: NodeEntry): number {
  const difference = a.prefix ^ b.prefix;
  return difference === 0 ? sharedPrefixBits(a.publicKey, b.publicKey) : Math.clz32(difference);
}

function bitOf(key: Uint8Array, bit: number): number {
  return ((key[bit >>> 3] ?? 0) >>> (7 - (bit & 7))) & 1;
}

function compareKeys(a: NodeEntry, b: NodeEntry): number {
  if (a.prefix !== b.prefix) return a.prefix - b.prefix;
  const bit = commonBits(a, b);
  return bitOf(a.publicKey, bit) - bitOf(b.publicKey, bit);
}
