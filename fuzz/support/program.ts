import { concatBytes } from "../../src/util/bytes.ts";

/** Steps that one input may take: what the mutations make longer is not better. */
const MAX_STEPS = 400;

/**
 * An input of a state machine's target, read as a program: each step is a byte that chooses an action, and the bytes that
 * the action asks for. Every string of bytes is a program; at its end all reads give zeros.
 */
export class Program {
  readonly #bytes: Uint8Array;
  #at = 0;
  #steps = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next action, a number below `count`; undefined at the end. */
  step(count: number): number | undefined {
    if (this.#at >= this.#bytes.length || ++this.#steps > MAX_STEPS) return undefined;
    return this.byte() % count;
  }

  /** True for one program in eight, always the same: for checks that take longer than the program. */
  get isThorough(): boolean {
    let sum = this.#bytes.length;
    for (const byte of this.#bytes) sum += byte;
    return sum % 8 === 0;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  u16(): number {
    return (this.byte() << 8) | this.byte();
  }

  u32(): number {
    return ((this.u16() << 16) | this.u16()) >>> 0;
  }

  flag(): boolean {
    return (this.byte() & 1) === 1;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.byte() % items.length] as T;
  }

  /** The nth from the end; undefined when there are no items. */
  recent<T>(items: readonly T[]): T | undefined {
    const back = this.byte();
    return items.length === 0 ? undefined : items[items.length - 1 - (back % items.length)];
  }

  /** So many bytes of the program, or fewer at its end. */
  bytes(length: number): Uint8Array {
    const taken = this.#bytes.slice(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  /** A copy of `bytes`: as they are most of the time, else cut, longer, or with something changed. */
  damaged(bytes: Uint8Array): Uint8Array {
    const how = this.byte();
    if (how < INTACT) return bytes.slice();
    switch (how % 6) {
      case 0:
        return bytes.slice(0, (bytes.length * this.byte()) >> 8);
      case 1:
        return bytes.slice(0, Math.max(0, bytes.length - 1 - (this.byte() & 15)));
      case 2:
        return concatBytes(bytes, this.bytes(1 + (this.byte() & 31)));
      case 3:
        return this.#changed(bytes, (old) => old ^ (1 << (this.byte() & 7)));
      case 4:
        return this.#changed(bytes, () => this.byte());
      default:
        return this.#changed(bytes, () => 0xff);
    }
  }

  #changed(bytes: Uint8Array, change: (old: number) => number): Uint8Array {
    const copy = bytes.slice();
    const at = this.u16() % Math.max(1, copy.length);
    if (at < copy.length) copy[at] = change(copy[at] ?? 0);
    return copy;
  }
}

/** First bytes below this leave a packet intact: three in four. */
const INTACT = 192;

/** One step, as a corpus writes it: what the action does not find behind it is zero. */
export function step(action: number, ...parameters: ReadonlyArray<number | Uint8Array>): Uint8Array {
  const parts = parameters.map((part) => (typeof part === "number" ? Uint8Array.of(part) : part));
  return concatBytes(Uint8Array.of(action), ...parts);
}

export function program(...steps: ReadonlyArray<Uint8Array | readonly Uint8Array[]>): Uint8Array {
  return concatBytes(...steps.flatMap((part) => (part instanceof Uint8Array ? [part] : part)));
}

export function repeated(times: number, make: (index: number) => Uint8Array): Uint8Array[] {
  return Array.from({ length: times }, (_, index) => make(index));
}
