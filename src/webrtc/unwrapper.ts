/** Makes numbers that go round in `bits` bits into ones that go on: each is taken for the nearest to the highest before. */
export class Unwrapper {
  readonly #range: number;
  #highest: number | undefined;

  /** 32 at most. */
  constructor(bits: number) {
    this.#range = 2 ** bits;
  }

  unwrap(number: number): number {
    const highest = this.#highest;
    if (highest === undefined) {
      this.#highest = number;
      return number;
    }
    let step = (number - highest) % this.#range;
    if (step >= this.#range / 2) step -= this.#range;
    if (step < -this.#range / 2) step += this.#range;
    const unwrapped = highest + step;
    if (step > 0) this.#highest = unwrapped;
    return unwrapped;
  }
}
