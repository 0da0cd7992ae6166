/** When so much of all files of one friend waits for the disk all are paused, beside which comes what was under way … */
const HIGH = 64 * 1024 * 1024;
/** … and go on when no more than this does. */
const LOW = 32 * 1024 * 1024;
/** Who listens does not get there. */
const MOST = 128 * 1024 * 1024;

/** What of one friend's files has come and is not on the disk yet. */
export class HeldBytes {
  readonly #changed: () => void;
  #held = 0; // MOST
  #isFull = false;

  /** `changed`: `isFull` has. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** So many more, or fewer. False: that is too much. */
  add(bytes: number): boolean {
    this.#held += bytes;
    const isFull = this.#held > (this.#isFull ? LOW : HIGH);
    if (isFull !== this.#isFull) {
      this.#isFull = isFull;
      this.#changed();
    }
    return this.#held <= MOST;
  }
}
