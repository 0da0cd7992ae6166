import type { Store } from "./store.ts";

/**
 * A store that lives as long as the process: for tests and for throw-away instances. After `close` it may be used again,
 * which is how a test starts an instance anew on the same profile.
 */
export function memoryStore(): Store {
  return new MemoryStore();
}

class MemoryStore implements Store {
  readonly #records = new Map<string, Uint8Array>(); // the caller's names
  #journal: Uint8Array[] = []; // the caller rewrites it

  async read(name: string): Promise<Uint8Array | undefined> {
    return this.#records.get(name)?.slice();
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    this.#records.set(name, bytes.slice());
  }

  async readJournal(): Promise<Uint8Array[]> {
    return this.#journal.map((entry) => entry.slice());
  }

  async append(entry: Uint8Array): Promise<void> {
    this.#journal.push(entry.slice());
  }

  async rewriteJournal(entries: readonly Uint8Array[]): Promise<void> {
    this.#journal = entries.map((entry) => entry.slice());
  }

  async close(): Promise<void> {}
}
