import type { Store } from "../../../src/env/store.ts";

const NEVER = new Promise<void>(() => {});

/** A store that takes nothing more from an instance that has crashed. */
export class CuttableStore implements Store {
  readonly #store: Store;
  #cut = false;

  constructor(store: Store) {
    this.#store = store;
  }

  cut(): CuttableStore {
    this.#cut = true;
    return new CuttableStore(this.#store);
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.#store.read(name);
  }

  write(name: string, bytes: Uint8Array): Promise<void> {
    return this.#cut ? NEVER : this.#store.write(name, bytes);
  }

  readJournal(): Promise<Uint8Array[]> {
    return this.#store.readJournal();
  }

  append(entry: Uint8Array): Promise<void> {
    return this.#cut ? NEVER : this.#store.append(entry);
  }

  rewriteJournal(entries: readonly Uint8Array[]): Promise<void> {
    return this.#cut ? NEVER : this.#store.rewriteJournal(entries);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
