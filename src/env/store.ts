/**
 * Where a profile lives: named records that are replaced whole, and one journal that only grows until it is rewritten.
 * Both survive the process at any instant once their promise has resolved.
 */
export interface Store {
  /** The record's bytes, or undefined when there is none. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Replaces the record atomically: afterwards a reader finds the old bytes or the new ones, never a mixture. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** All entries appended since the last `rewriteJournal`, oldest first. */
  readJournal(): Promise<Uint8Array[]>;
  /** Adds one entry. Entries appended in one turn are committed together. */
  append(entry: Uint8Array): Promise<void>;
  /** Replaces the whole journal atomically. */
  rewriteJournal(entries: readonly Uint8Array[]): Promise<void>;
  /** Waits for what is under way and gives the store up. */
  close(): Promise<void>;
}
