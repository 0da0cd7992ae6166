/** Frames whose way is remembered: 5 s of sound. */
const WINDOW = 250;
/** So many of 100 frames shall come in time. */
const IN_TIME = 0.97;
/** Before so many have come, little is known. */
const FIRST_FRAMES = 10;

/**
 * How long frames are under way, of which only differences are known: the sender's clock is another one. Over the window the
 * shortest is the base; how much longer others take says how long to wait for them.
 */
export class Transit {
  readonly #transits: number[] = []; // at most WINDOW, in order of arrival
  readonly #sorted: number[] = []; // the same: a friend may have each frame look late
  #at = 0;
  #latest = 0;

  /** `transit`: time of arrival less time of sending, by two clocks. */
  add(transit: number): void {
    const replaced = this.#transits[this.#at];
    this.#transits[this.#at] = transit;
    this.#at = (this.#at + 1) % WINDOW;
    this.#latest = transit;
    if (replaced !== undefined) this.#sorted.splice(this.#place(replaced), 1);
    this.#sorted.splice(this.#place(transit), 0, transit);
  }

  /** The shortest there was lately; infinite before the first. */
  get base(): number {
    return this.#sorted[0] ?? Number.POSITIVE_INFINITY;
  }

  /** How much longer than at best the last one took. */
  get latest(): number {
    return this.#sorted.length === 0 ? 0 : this.#latest - this.base;
  }

  /** How long to wait beyond the base, so that nearly all come in time. */
  get spread(): number {
    const count = this.#sorted.length;
    if (count === 0) return 0;
    const index = count < FIRST_FRAMES ? count - 1 : Math.min(count - 1, Math.floor(count * IN_TIME));
    return (this.#sorted[index] as number) - this.base;
  }

  clear(): void {
    this.#transits.length = 0;
    this.#sorted.length = 0;
    this.#at = 0;
  }

  /** Of the first that is not smaller. */
  #place(transit: number): number {
    let [from, to] = [0, this.#sorted.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#sorted[middle] as number) < transit) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
