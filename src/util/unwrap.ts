/** Follows a counter of `bits` bits that begins anew after its end, as one that goes on. */
export class Unwrapper {
  readonly #size: number;
  #last: number | undefined;

  constructor(bits: 16 | 32) {
    this.#size = 2 ** bits;
  }

  /** The number near the highest one so far that `value` stands for; below zero for what is older than the first. */
  unwrap(value: number): number {
    if (this.#last === undefined) {
      this.#last = value;
      return value;
    }
    const size = this.#size;
    const ahead = (((value - this.#last) % size) + size) % size;
    const number = ahead < size / 2 ? this.#last + ahead : this.#last + ahead - size;
    this.#last = Math.max(this.#last, number);
    return number;
  }

  /** The next value begins anew. */
  restart(): void {
    this.#last = undefined;
  }
}
