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
    if (to - this.#highest >= WINDOW) this.#bits.fill(0);
    else for (let counter = this.#highest + 1; counter <= to; counter++) this.#forget(counter);
    this.#highest = to;
  }

  #forget(counter: number): void {
    const word = (counter % WINDOW) >>> 5;
    this.#bits[word] = (this.#bits[word] ?? 0) & ~(1 << (counter & 31));
  }
}
