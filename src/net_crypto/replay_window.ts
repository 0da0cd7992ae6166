/** Counters that far behind the highest are taken for replayed: 2 KiB of bits a session. */
const WINDOW = 16384;

/** Which of the packets numbered by their nonces have been seen: each counter is new once. */
export class ReplayWindow {
  readonly #bits = new Uint32Array(WINDOW / 32);
  #highest = -1;

  isNew(counter: number): boolean {
    if (counter > this.#highest) return true;
    if (this.#highest - counter >= WINDOW) return false;
    return ((this.#bits[(counter % WINDOW) >>> 5] ?? 0) & (1 << (counter & 31))) === 0;
  }

  add(counter: number): void {
    if (counter > this.#highest) this.#advance(counter);
    const word = (counter % WINDOW) >>> 5;
    this.#bits[word] = (this.#bits[word] ?? 0) | (1 << (counter & 31));
  }

  #advance(to: number): void {
    if (to - this.#highest >= WINDOW) {
      this.#bits.fill(0);
    } else {
      let counter = this.#highest + 1;
      while (counter <= to) counter += this.#forget(counter, to);
    }
    this.#highest = to;
  }

  /** A whole word where it can be, for a peer may jump ahead with every packet. Answers how many counters it forgot. */
  #forget(counter: number, last: number): number {
    const word = (counter % WINDOW) >>> 5;
    if ((counter & 31) === 0 && counter + 31 <= last) {
      this.#bits[word] = 0;
      return 32;
    }
    this.#bits[word] = (this.#bits[word] ?? 0) & ~(1 << (counter & 31));
    return 1;
  }
}
