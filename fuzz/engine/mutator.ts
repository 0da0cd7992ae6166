import { SeededRandom } from "../../src/testing/seeded_random.ts";

/** What integers go wrong at. */
const INTERESTING = [0, 1, 2, 4, 7, 8, 16, 31, 32, 64, 100, 127, 128, 254, 255];
const INTERESTING_WIDE = [
  0, 1, 255, 256, 1024, 32767, 32768, 65535, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
];
/** How long the protocol's fields are: ids, nonces, keys, nodes. */
const FIELD_SIZES = [1, 2, 4, 8, 16, 24, 32, 39, 51, 59];
/** What counts as near. */
const NEAR = 12;
/** What parsers of text trip over. */
const TOKENS = [
  "{",
  "}",
  "[",
  "]",
  '"',
  ",",
  ":",
  "\\",
  "\n",
  "null",
  "-0",
  "1e999",
  "0.5",
  '"\\ud800"',
  "\u{1f600}",
  "\0",
];

/** Seeded changes to valid inputs: the same seed and corpus give the same inputs. */
export class Mutator {
  readonly #random: SeededRandom;
  readonly #maxSize: number;
  readonly #scratch: Uint8Array;
  readonly #changes: readonly ((other: Uint8Array) => void)[] = [
    () => this.#writeByte((byte) => byte ^ (1 << this.below(8))),
    () => this.#writeByte((byte) => byte ^ (1 << this.below(8))),
    () => this.#writeByte(() => this.below(256)),
    () => this.#writeByte(() => this.#pick(INTERESTING)),
    () => this.#writeByte((byte) => byte + this.below(16) - 8),
    () => this.#writeWide(this.#pick(INTERESTING_WIDE)),
    () => this.#writeLength(),
    () => this.#truncate(),
    () => this.#extend(),
    () => this.#remove(),
    () => this.#insert(this.#scratch.slice(...this.#range()), this.below(this.#length + 1)),
    () => this.#repeat(),
    (other) => this.#insert(this.#pieceOf(other), this.below(this.#length + 1)),
    (other) => this.#overwrite(this.#pieceOf(other)),
    (other) => this.#splice(other),
    () => this.#scratch.fill(this.#pick(INTERESTING), ...this.#range()),
    () => (this.#isText() ? this.#insertToken() : this.#swap()),
  ];
  #length = 0;

  constructor(seed: string, maxSize: number) {
    this.#random = new SeededRandom(seed);
    this.#maxSize = maxSize;
    this.#scratch = new Uint8Array(maxSize);
  }

  /** One to many changes to `base`, some of them with pieces of `other`. New bytes each time. */
  mutate(base: Uint8Array, other: Uint8Array): Uint8Array {
    this.#length = Math.min(base.length, this.#maxSize);
    this.#scratch.set(base.subarray(0, this.#length));
    do this.#pick(this.#changes)(other);
    while (this.#random.chance(0.6));
    return this.#scratch.slice(0, this.#length);
  }

  /** A whole number from 0 up to, never reaching, `end`; 0 when that is 0. */
  below(end: number): number {
    return this.#random.nextU32() % Math.max(1, end);
  }

  #writeByte(change: (byte: number) => number): void {
    if (this.#length === 0) this.#extend();
    const at = this.#position(this.#length);
    this.#scratch[at] = change(this.#scratch[at] ?? 0);
  }

  /** Over two, four or eight bytes, big-endian as in the protocol. */
  #writeWide(value: number): void {
    const size = this.#pick([2, 4, 8]);
    if (this.#length < size) return;
    const at = this.#position(this.#length - size + 1);
    for (let i = 0; i < size; i++) this.#scratch[at + i] = i < size - 4 ? 0 : value >>> (8 * (size - 1 - i));
  }

  /** A length that fits to what follows it, or nearly. */
  #writeLength(): void {
    const size = 1 + this.below(2);
    if (this.#length < size) return;
    const at = this.#position(this.#length - size + 1);
    const value = Math.max(0, this.#length - at - size + this.below(3) - 1);
    if (size === 2) this.#scratch[at] = value >>> 8;
    this.#scratch[at + size - 1] = value;
  }

  #truncate(): void {
    this.#length = this.below(this.#length + 1);
  }

  #extend(): void {
    const end = Math.min(this.#maxSize, this.#length + 1 + this.below(this.#random.chance(0.2) ? this.#maxSize : 64));
    const added = this.#scratch.subarray(this.#length, end);
    if (this.#random.chance(0.5)) this.#random.fill(added);
    else added.fill(this.#pick(INTERESTING));
    this.#length = end;
  }

  #remove(): void {
    const [start, end] = this.#range();
    this.#scratch.copyWithin(start, end, this.#length);
    this.#length -= end - start;
  }

  #insert(piece: Uint8Array, at: number): void {
    const size = Math.min(piece.length, this.#maxSize - this.#length);
    this.#scratch.copyWithin(at + size, at, this.#length);
    this.#scratch.set(piece.subarray(0, size), at);
    this.#length += size;
  }

  #insertToken(): void {
    this.#insert(encoder.encode(this.#pick(TOKENS)), this.below(this.#length + 1));
  }

  /** A piece stands twice, one behind the other: one more of what there are several of. */
  #repeat(): void {
    const [start, end] = this.#range();
    this.#insert(this.#scratch.slice(start, end), end);
  }

  #overwrite(piece: Uint8Array): void {
    const at = this.below(this.#length + 1);
    this.#scratch.set(piece.subarray(0, this.#length - at), at);
  }

  /** The beginning of this and the end of the other. */
  #splice(other: Uint8Array): void {
    const at = this.below(this.#length + 1);
    const tail = other.subarray(this.#random.chance(0.5) ? at : this.below(other.length + 1));
    const size = Math.min(tail.length, this.#maxSize - at);
    this.#scratch.set(tail.subarray(0, size), at);
    this.#length = at + size;
  }

  #swap(): void {
    if (this.#length < 2) return;
    const a = this.below(this.#length);
    const b = this.below(this.#length);
    const byte = this.#scratch[a] ?? 0;
    this.#scratch[a] = this.#scratch[b] ?? 0;
    this.#scratch[b] = byte;
  }

  /** Anywhere below `end`, or near the beginning, or near the end: there packets have their headers and counts. */
  #position(end: number): number {
    const choice = this.below(4);
    if (choice > 1) return this.below(end);
    const offset = this.below(Math.min(end, NEAR));
    return choice === 0 ? offset : end - 1 - offset;
  }

  /** Somewhere, mostly as long as a field. */
  #range(): [start: number, end: number] {
    const start = this.below(this.#length + 1);
    const size = this.#random.chance(0.7) ? this.#pick(FIELD_SIZES) : this.below(this.#length + 1);
    return [start, Math.min(this.#length, start + size)];
  }

  #pieceOf(bytes: Uint8Array): Uint8Array {
    const start = this.below(bytes.length + 1);
    return bytes.subarray(start, start + this.below(bytes.length - start + 1));
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  #isText(): boolean {
    for (let at = 0; at < Math.min(this.#length, 8); at++) {
      const byte = this.#scratch[at] ?? 0;
      if (byte < 9 || byte > 126) return false;
    }
    return true;
  }
}

const encoder = new TextEncoder();
