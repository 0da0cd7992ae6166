/**
 * Where a profile lives: named records that are replaced whole, and one journal that only grows until it is rewritten.
 * Both survive the process at any instant once their promise has resolved.
 */
export interface Store {
  /** For the person who is told that something is wrong there: a path, for instance. */
  readonly place?: string;
  /** The record's bytes, or undefined when there is none. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Replaces the record atomically: afterwards a reader finds the old bytes or the new ones, never a mixture. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** All entries appended since the last `rewriteJournal`, oldest first. */
  readJournal(): Promise<Uint8Array[]>;
  /**
   * Adds a copy of one entry. Entries appended in one turn are committed together: after a crash all of them are there, or
   * none.
   */
  append(entry: Uint8Array): Promise<void>;
  /** Replaces the whole journal atomically. The entries stay as they are until the promise has settled. */
  rewriteJournal(entries: readonly Uint8Array[]): Promise<void>;
  /**
   * The version of a record before the last write, where the store keeps one. To be asked for when the record turns out to be
   * damaged: until the next write it is then kept.
   */
  previous?(name: string): Promise<PreviousVersion | undefined>;
  /** Waits for what is under way and gives the store up. */
  close(): Promise<void>;
}

export interface PreviousVersion {
  readonly bytes: Uint8Array;
  /** For the person who has to put it back: a path, for instance. */
  readonly place: string;
}
