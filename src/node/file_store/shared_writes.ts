import { setImmediate as endOfTurn } from "node:timers/promises";
import { Serial } from "./serial.ts";

/**
 * What is written whole each time: whoever asks while a write is waiting for its turn shares it. `write` gets all that was asked
 * for since the last one.
 */
export class SharedWrites<Change> {
  readonly #queue = new Serial();
  readonly #write: (changes: readonly Change[]) => Promise<void>;
  #waiting: { readonly changes: Change[]; readonly done: Promise<void> } | undefined; // bounded by who waits for it

  constructor(write: (changes: readonly Change[]) => Promise<void>) {
    this.#write = write;
  }

  add(change: Change): Promise<void> {
    this.#waiting ??= this.#next();
    this.#waiting.changes.push(change);
    return this.#waiting.done;
  }

  /** Runs between two writes, after those that were asked for before. */
  read<T>(operation: () => Promise<T>): Promise<T> {
    this.#waiting = undefined;
    return this.#queue.run(operation);
  }

  idle(): Promise<void> {
    return this.#queue.idle();
  }

  #next(): { readonly changes: Change[]; readonly done: Promise<void> } {
    const changes: Change[] = [];
    const done = this.#queue.run(async () => {
      await endOfTurn();
      if (this.#waiting === waiting) this.#waiting = undefined;
      await this.#write(changes);
    });
    const waiting = { changes, done };
    return waiting;
  }
}
