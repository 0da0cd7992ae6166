import type { Random } from "../env/random.ts";

/**
 * Reproducible randomness (sfc32, seeded by a hash of the seed's text). For tests only: whoever knows the seed knows every
 * key made from it.
 */
export class SeededRandom implements Random {
  readonly seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  constructor(seed: number | string) {
    this.seed = String(seed);
    [this.#a, this.#b, this.#c, this.#counter] = hashText(this.seed);
    for (let i = 0; i < 16; i++) this.nextU32();
  }

  /** A stream of its own, which depends on the seed and the name alone, not on what has been drawn here. */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.seed}/${name}`);
  }

  fill(into: Uint8Array): void {
    let at = 0;
    for (; at + 4 <= into.length; at += 4) {
      const word = this.nextU32();
      into[at] = word;
      into[at + 1] = word >>> 8;
      into[at + 2] = word >>> 16;
      into[at + 3] = word >>> 24;
    }
    if (at === into.length) return;
    let word = this.nextU32();
    for (; at < into.length; at++) {
      into[at] = word;
      word >>>= 8;
    }
  }

  /** A whole number of 32 bits. */
  nextU32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number from 0 up to, never reaching, 1. */
  next(): number {
    return this.nextU32() / 0x1_0000_0000;
  }

  /** A number between the two. Draws nothing when they are the same. */
  between(min: number, max: number): number {
    return min >= max ? min : min + (max - min) * this.next();
  }

  /** True in the given share of calls. Draws nothing for a share of 0. */
  chance(share: number): boolean {
    return share > 0 && this.next() < share;
  }
}

/** FNV-1a over the characters with four different starts, each result mixed to the end. */
function hashText(text: string): [number, number, number, number] {
  const starts: [number, number, number, number] = [0x811c9dc5, 0x1b873593, 0xcc9e2d51, 0x2545f491];
  const hash = (start: number): number => {
    let state = start;
    for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
    state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    return state ^ (state >>> 16);
  };
  return [hash(starts[0]), hash(starts[1]), hash(starts[2]), hash(starts[3]) | 1];
}
