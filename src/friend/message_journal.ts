import type { PublicKey } from "../crypto/keys.ts";
import type { Logger } from "../env/logger.ts";
import type { Store } from "../env/store.ts";
import { KeyMap } from "../util/key_map.ts";
import type { MessageMark } from "../wire/friend/extension.ts";
import {
  decodeMessageRecord,
  encodeMessageRecord,
  MESSAGE_RECORD,
  type MessageRecord,
  type QueuedRecord,
} from "./journal_records.ts";

/** A journal shorter than this is not worth rewriting. */
const MIN_COMPACTION = 4096;

/** What the journal knows of one friend. */
export interface MessageHistory {
  /** Epoch and last sequence of our messages to him. */
  readonly place?: MessageMark;
  /** What our app is done with, of his messages. */
  readonly handled?: MessageMark;
  /** Ours not yet delivered, oldest first. */
  readonly queued: readonly QueuedRecord[];
}

interface Replayed {
  place?: MessageMark;
  handled?: MessageMark;
  queued: QueuedRecord[];
}

const SAFE_ALREADY = Promise.resolve();

/**
 * Keeps outboxes and marks over restarts: appends what happens, and rewrites itself when most of it is history. Without a
 * store there is no restart to keep them for, and it does nothing.
 */
export class MessageJournal {
  readonly #store: Store | undefined;
  readonly #logger: Logger;
  /** Friends whom nobody has added again yet. Bounded by the friends there once were. */
  readonly #unclaimed: KeyMap<MessageHistory>;
  /** Other floors' entries, kept when the journal is rewritten. */
  readonly #foreign: readonly Uint8Array[];
  readonly #living = new KeyMap<() => MessageHistory>(); // bounded by the app's friends
  #entries: number;
  #compactAt = MIN_COMPACTION;
  #tail: Promise<unknown> = Promise.resolve();

  private constructor(store: Store | undefined, logger: Logger, entries: readonly Uint8Array[]) {
    this.#store = store;
    this.#logger = logger;
    this.#unclaimed = replay(entries);
    this.#foreign = entries.filter((entry) => entry[0] !== MESSAGE_RECORD);
    this.#entries = entries.length;
  }

  static async open(store: Store | undefined, logger: Logger): Promise<MessageJournal> {
    return new MessageJournal(store, logger, (await store?.readJournal()) ?? []);
  }

  /** Hands over what is known of a friend, whose state comes from `current` from now on. */
  claim(friend: PublicKey, current: () => MessageHistory): MessageHistory | undefined {
    const history = this.#unclaimed.get(friend);
    this.#unclaimed.delete(friend);
    this.#living.set(friend, current);
    return history;
  }

  /** Resolves when the message is safe. A rejection is the caller's to see, and never unhandled. */
  queued(friend: PublicKey, message: QueuedRecord): Promise<void> {
    return this.#append({ kind: "queued", friend, message }) ?? SAFE_ALREADY;
  }

  /** Our messages from `first` to `last` need not be sent any more. */
  settled(friend: PublicKey, first: bigint, last: bigint): void {
    this.#append({ kind: "settled", friend, first, last });
  }

  /** From where on our messages to him are numbered. */
  placed(friend: PublicKey, mark: MessageMark): Promise<void> | undefined {
    return this.#append({ kind: "place", friend, mark });
  }

  /** Resolves when it is noted; undefined where there is no store. A rejection is never unhandled. */
  handled(friend: PublicKey, mark: MessageMark): Promise<void> | undefined {
    return this.#append({ kind: "handled", friend, mark });
  }

  removed(friend: PublicKey): void {
    this.#living.delete(friend);
    this.#append({ kind: "removed", friend });
  }

  /** Waits until the store has everything so far. */
  async flush(): Promise<void> {
    await this.#tail;
  }

  #append(record: MessageRecord): Promise<void> | undefined {
    const store = this.#store;
    if (store === undefined) return undefined;
    this.#entries++;
    const stored = store.append(encodeMessageRecord(record));
    this.#watch(stored.then(() => this.#compact(store)));
    return stored;
  }

  /**
   * In a turn of its own: by then the state that is written out has all that was appended, and what belongs together was
   * appended together. The store keeps the order of calls, so what is appended from here on stands behind.
   */
  #compact(store: Store): void {
    if (this.#entries < this.#compactAt) return;
    const entries = [...this.#foreign];
    for (const [friend, history] of this.#unclaimed.entries()) append(entries, friend as PublicKey, history);
    for (const [friend, current] of this.#living.entries()) append(entries, friend as PublicKey, current());
    this.#entries = entries.length;
    this.#compactAt = Math.max(MIN_COMPACTION, 4 * entries.length);
    this.#watch(store.rewriteJournal(entries));
  }

  #watch(stored: Promise<void>): void {
    this.#tail = stored.catch((error: unknown) => {
      this.#logger.error("the store failed", { reason: error instanceof Error ? error.message : String(error) });
    });
  }
}

function append(entries: Uint8Array[], friend: PublicKey, history: MessageHistory): void {
  if (history.handled) entries.push(encodeMessageRecord({ kind: "handled", friend, mark: history.handled }));
  // Without anything queued the next message may as well begin a new epoch.
  if (history.place && history.queued.length > 0) {
    entries.push(encodeMessageRecord({ kind: "place", friend, mark: history.place }));
  }
  for (const message of history.queued) entries.push(encodeMessageRecord({ kind: "queued", friend, message }));
}

function replay(entries: readonly Uint8Array[]): KeyMap<MessageHistory> {
  const histories = new KeyMap<Replayed>();
  for (const entry of entries) {
    const record = decodeMessageRecord(entry);
    if (record === undefined) continue;
    if (record.kind === "removed") {
      histories.delete(record.friend);
      continue;
    }
    let history = histories.get(record.friend);
    if (history === undefined) {
      history = { queued: [] };
      histories.set(record.friend, history);
    }
    apply(history, record);
  }
  return histories;
}

function apply(history: Replayed, record: Exclude<MessageRecord, { kind: "removed" }>): void {
  switch (record.kind) {
    case "queued":
      history.queued.push(record.message);
      history.place = { epoch: record.message.epoch, sequence: record.message.sequence };
      break;
    case "settled":
      removeSettled(history.queued, record.first, record.last);
      break;
    case "handled":
      history.handled = record.mark;
      break;
    case "place":
      history.place = record.mark;
      break;
  }
}

/** Mostly the oldest are settled, and taking those off the front is cheap. */
function removeSettled(queued: QueuedRecord[], first: bigint, last: bigint): void {
  const settled = ({ sequence }: QueuedRecord) => sequence >= first && sequence <= last;
  let oldest = queued[0];
  while (oldest && settled(oldest)) {
    queued.shift();
    oldest = queued[0];
  }
  const start = queued.findIndex(settled);
  if (start < 0) return;
  let end = start;
  for (let next = queued[end]; next && settled(next); next = queued[end]) end++;
  queued.splice(start, end - start);
}
