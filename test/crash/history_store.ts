import type { Store } from "../../src/core.ts";

const HISTORY = 0x80;

/**
 * How an app keeps its history in the library's own store: a note that is appended by a handler is committed together with the
 * library's that the message was handled.
 */
export class HistoryStore implements Store {
  readonly #store: Store;
  readonly #notes: Uint8Array[] = []; // the test's words

  constructor(store: Store) {
    this.#store = store;
  }

  get history(): string[] {
    return this.#notes.map((note) => Buffer.from(note.subarray(1)).toString());
  }

  note(text: string): Promise<void> {
    const entry = Buffer.concat([Uint8Array.of(HISTORY), Buffer.from(text)]);
    this.#notes.push(entry);
    return this.#store.append(entry);
  }

  async readJournal(): Promise<Uint8Array[]> {
    const entries = await this.#store.readJournal();
    this.#notes.splice(0, this.#notes.length, ...entries.filter((entry) => entry[0] === HISTORY));
    return entries.filter((entry) => entry[0] !== HISTORY);
  }

  append(entry: Uint8Array): Promise<void> {
    return this.#store.append(entry);
  }

  rewriteJournal(entries: readonly Uint8Array[]): Promise<void> {
    return this.#store.rewriteJournal([...this.#notes, ...entries]);
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.#store.read(name);
  }

  write(name: string, bytes: Uint8Array): Promise<void> {
    return this.#store.write(name, bytes);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
