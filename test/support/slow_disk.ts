import type { Store } from "../../src/env/store.ts";
import type { Timeline } from "../../src/testing/timeline.ts";

interface Change {
  readonly at: number;
  readonly apply: (() => void)[];
  readonly done: Promise<void>;
}

/**
 * A disk in virtual time: what is written reaches it after a while, in order, and all of one instant together. Whoever opens it
 * while somebody else has it open has killed him: what had not arrived is gone.
 */
export class SlowDisk {
  readonly #timeline: Timeline;
  readonly #delay: () => number;
  readonly #records = new Map<string, Uint8Array>(); // the test's names
  #journal: Uint8Array[] = []; // rewritten by the one who writes
  #opened = 0;

  /** `delay`: how long (ms) the next write takes. */
  constructor(timeline: Timeline, delay: () => number) {
    this.#timeline = timeline;
    this.#delay = delay;
  }

  kill(): void {
    this.#opened++;
  }

  /** So many journal entries more, as if written long ago. */
  litter(entry: Uint8Array, count: number): void {
    for (let i = 0; i < count; i++) this.#journal.push(entry);
  }

  open(): Store {
    const opened = ++this.#opened;
    let last: Change | undefined;
    let arrivesAt = 0;
    const write = (change: () => void): Promise<void> => {
      if (opened !== this.#opened) return new Promise(() => {});
      const { now } = this.#timeline;
      if (last?.at === now && last.apply.length > 0) {
        last.apply.push(change);
        return last.done;
      }
      const delay = this.#delay();
      if (delay === 0 && arrivesAt <= now) {
        change();
        return Promise.resolve();
      }
      arrivesAt = Math.max(arrivesAt, now + delay);
      const apply = [change];
      const done = new Promise<void>((resolve) => {
        this.#timeline.schedule(arrivesAt, () => {
          if (opened !== this.#opened) return;
          for (const one of apply.splice(0)) one();
          resolve();
        });
      });
      last = { at: now, apply, done };
      return done;
    };
    return {
      read: async (name) => this.#records.get(name)?.slice(),
      write: (name, bytes) => {
        const copy = bytes.slice();
        return write(() => this.#records.set(name, copy));
      },
      readJournal: async () => this.#journal.map((entry) => entry.slice()),
      append: (entry) => {
        const copy = entry.slice();
        return write(() => this.#journal.push(copy));
      },
      rewriteJournal: (entries) => {
        const copies = entries.map((entry) => entry.slice());
        return write(() => {
          this.#journal = copies;
        });
      },
      close: async () => {},
    };
  }
}
