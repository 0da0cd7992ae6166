import type { PublicKey } from "../crypto/keys.ts";
import type { Clock } from "../env/clock.ts";
import type { Logger } from "../env/logger.ts";
import type { Store } from "../env/store.ts";
import { KeyMap } from "../util/key_map.ts";
import { Retry } from "../util/retry.ts";
import type { MessageMark } from "../wire/friend/extension.ts";
import { encodeMessageRecord, MESSAGE_RECORD, type MessageRecord, type QueuedRecord } from "./journal_records.ts";
import { journalOf, type MessageHistory, replayJournal } from "./journal_replay.ts";

/** A journal shorter than this is not worth rewriting; a longer one is when three quarters of it are history. */
const MIN_COMPACTION = 4096;
/** Entries for a friend beside his messages: the place, and what is handled. */
const MARKS = 2;

const SAFE_ALREADY = Promise.resolve();

/**
 * Keeps outboxes and marks over restarts: appends what happens, and rewrites itself when most of it is history, or when
 * something could not be appended and the store may take it by now. Without a store there is no restart to keep them for,
 * and it does nothing.
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
  /** About as many of them would be left if the journal were written anew. */
  #needed: number;
  #frozen = false;
  #tail: Promise<unknown> = Promise.resolve();
  readonly #retry: Retry;
  /** Resolves with the next rewriting that succeeds: it has what could not be appended. */
  #rewritten: PromiseWithResolvers<void> | undefined;

  private constructor(store: Store | undefined, logger: Logger, clock: Clock, entries: readonly Uint8Array[]) {
    this.#store = store;
    this.#logger = logger;
    this.#retry = new Retry(clock, () => {
      if (store !== undefined && !this.#frozen) this.#rewrite(store);
    });
    this.#unclaimed = replayJournal(entries);
    this.#foreign = entries.filter((entry) => entry[0] !== MESSAGE_RECORD);
    this.#entries = entries.length;
    this.#needed = this.#foreign.length;
    for (const { queued, handledEarly } of this.#unclaimed.values()) {
      this.#needed += queued.length + handledEarly.length + MARKS;
    }
  }

  static async open(store: Store | undefined, logger: Logger, clock: Clock): Promise<MessageJournal> {
    return new MessageJournal(store, logger, clock, (await store?.readJournal()) ?? []);
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
    this.#needed++;
    return this.#append({ kind: "queued", friend, message }) ?? SAFE_ALREADY;
  }

  /** Our messages from `first` to `last`, `count` of them, need not be sent any more. */
  settled(friend: PublicKey, first: bigint, last: bigint, count: number): void {
    this.#needed -= count;
    this.#append({ kind: "settled", friend, first, last });
  }

  /** From where on our messages to him are numbered. */
  placed(friend: PublicKey, mark: MessageMark): Promise<void> | undefined {
    return this.#append({ kind: "place", friend, mark });
  }

  /** Resolves when it is noted, however late a store that fails takes it; undefined where there is no store. */
  handled(friend: PublicKey, mark: MessageMark): Promise<void> | undefined {
    return this.#append({ kind: "handled", friend, mark })?.catch(() => {
      this.#rewritten ??= Promise.withResolvers();
      return this.#rewritten.promise;
    });
  }

  /** The same for a message before which others are still being handled. */
  handledEarly(friend: PublicKey, mark: MessageMark): void {
    this.#append({ kind: "handledEarly", friend, mark });
  }

  /** The friend is no friend any more; `queued` messages waited for him. */
  removed(friend: PublicKey, queued: number): void {
    this.#needed -= queued;
    this.#living.delete(friend);
    this.#append({ kind: "removed", friend });
  }

  /** From here on the state that others hold is no longer what the store has to keep: what is appended is all. */
  freeze(): void {
    if (this.#store !== undefined && this.#retry.isDue) this.#rewrite(this.#store);
    this.#frozen = true;
    this.#retry.stop();
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
    stored.catch(() => this.#retry.failed());
    return stored;
  }

  /**
   * In a turn of its own: by then the state that is written out has all that was appended, and what belongs together was
   * appended together. The store keeps the order of calls, so what is appended from here on stands behind.
   */
  #compact(store: Store): void {
    if (this.#frozen || this.#entries < Math.max(MIN_COMPACTION, 4 * this.#needed)) return;
    this.#rewrite(store);
  }

  #rewrite(store: Store): void {
    const entries = [...this.#foreign];
    const add = (friend: Uint8Array, history: MessageHistory) => {
      for (const entry of journalOf(friend as PublicKey, history)) entries.push(entry);
    };
    for (const [friend, history] of this.#unclaimed.entries()) add(friend, history);
    for (const [friend, current] of this.#living.entries()) add(friend, current());
    this.#entries = entries.length;
    this.#needed = entries.length;
    const waiting = this.#rewritten;
    this.#rewritten = undefined;
    const rewriting = store.rewriteJournal(entries);
    this.#watch(rewriting);
    rewriting.then(
      () => {
        this.#retry.succeeded();
        waiting?.resolve();
      },
      () => {
        this.#retry.failed();
        if (this.#rewritten === undefined) this.#rewritten = waiting;
        else waiting?.resolve(this.#rewritten.promise);
      },
    );
  }

  #watch(stored: Promise<void>): void {
    this.#tail = stored.catch((error: unknown) => {
      this.#logger.error("the store failed", { reason: error instanceof Error ? error.message : String(error) });
    });
  }
}
