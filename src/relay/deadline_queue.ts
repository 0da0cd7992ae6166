/** Things that are all due the same time after they were put in, so that the oldest is always next: no timer each. */
export class DeadlineQueue<T> {
  readonly #delay: number;
  readonly #due = new Map<T, number>(); // in order of time; bounded by whoever owns the queue

  constructor(delayMs: number) {
    this.#delay = delayMs;
  }

  get size(): number {
    return this.#due.size;
  }

  /** Puts a thing in, at the end if it was there already. */
  add(thing: T, now: number): void {
    this.#due.delete(thing);
    this.#due.set(thing, now + this.#delay);
  }

  delete(thing: T): boolean {
    return this.#due.delete(thing);
  }

  oldest(): T | undefined {
    for (const thing of this.#due.keys()) return thing;
    return undefined;
  }

  /** When the next is due. */
  next(): number {
    for (const time of this.#due.values()) return time;
    return Number.POSITIVE_INFINITY;
  }

  takeDue(now: number): T | undefined {
    for (const [thing, time] of this.#due) {
      if (time > now) return undefined;
      this.#due.delete(thing);
      return thing;
    }
    return undefined;
  }

  clear(): void {
    this.#due.clear();
  }
}
