import { PACKET_WINDOW } from "./limits.ts";

const SMALLEST = 64;

/** How far the packet number `b` is ahead of `a`; numbers are u32 and wrap around. */
export const distance = (a: number, b: number): number => (b - a) >>> 0;
export const nextNumber = (number: number, by = 1): number => (number + by) >>> 0;

/**
 * Things by packet number, for a window of at most PACKET_WINDOW numbers that moves up. Grows as the window widens and
 * shrinks once it is empty, so that an idle session holds next to nothing.
 */
export class NumberRing<T> {
  #slots: Array<T | undefined> = new Array<T | undefined>(SMALLEST); // bounded by PACKET_WINDOW
  /** How many slots there are. */
  get capacity(): number {
    return this.#slots.length;
  }

  get(number: number): T | undefined {
    return this.#slots[number & (this.#slots.length - 1)];
  }

  /** Makes room for the `span` numbers from `start` on. */
  reserve(start: number, span: number): void {
    if (span <= this.#slots.length) return;
    let capacity = this.#slots.length;
    while (capacity < span && capacity < PACKET_WINDOW) capacity *= 2;
    const slots = new Array<T | undefined>(capacity);
    for (let offset = 0; offset < this.#slots.length; offset++) {
      const number = nextNumber(start, offset);
      slots[number & (capacity - 1)] = this.get(number);
    }
    this.#slots = slots;
  }

  set(number: number, value: T): void {
    this.#slots[number & (this.#slots.length - 1)] = value;
  }

  delete(number: number): void {
    this.#slots[number & (this.#slots.length - 1)] = undefined;
  }

  /** Forgets everything, and the room it took. */
  clear(): void {
    this.#slots = new Array<T | undefined>(SMALLEST);
  }
}
