import type { PublicKey } from "../crypto/keys.ts";
import { randomU64 } from "../util/random_numbers.ts";
import { ToxError } from "../util/tox_error.ts";
import type { MessageMark } from "../wire/friend/extension.ts";
import type { FriendContext } from "./context.ts";
import type { MessageHistory } from "./journal_replay.ts";
import { isSettled, type Message, type MessageOutcome, OutboxEntry } from "./message.ts";
import { MessageExpiry } from "./message_expiry.ts";

/** Messages that wait for one friend. Only our own app can grow it. */
export const MAX_QUEUED = 65_536;

const SAFE_ALREADY = Promise.resolve();

/**
 * Numbers left out after a restart. What was sent in the last instant before we were killed may have arrived without the store
 * knowing of it: were its number given to another message, that one would be taken for a repetition.
 */
const RESTART_GAP = 1n << 24n;

/** Our messages to one friend, in order, until each is settled. Knows nothing of sessions but that they end. */
export class Outbox {
  readonly #context: FriendContext;
  readonly #friend: PublicKey;
  readonly #entries: OutboxEntry[] = []; // at most MAX_QUEUED unsettled from #head on
  readonly #expiry: MessageExpiry;
  readonly #cancel = (entry: OutboxEntry) => this.#cancelEntry(entry);
  /** Everything before this is settled. */
  #head = 0;
  /** Everything before this is settled or under way. */
  #next = 0;
  #queued = 0;
  #underWay = 0;
  #epoch: bigint | undefined;
  #sequence = 0n;
  /** Until this settles nothing is sent: the next start has to know that we leave numbers out, or it leaves out the same. */
  #placing: Promise<void> | undefined;

  /** `onExpired` is called in a turn of its own. */
  constructor(
    context: FriendContext,
    friend: PublicKey,
    history: MessageHistory | undefined,
    onExpired: (entry: OutboxEntry) => void,
  ) {
    this.#context = context;
    this.#friend = friend;
    this.#expiry = new MessageExpiry(context.clock, (entry) => {
      if (this.#expire(entry)) onExpired(entry);
    });
    // Without anything waiting the next message may as well begin a new epoch.
    if (history?.place === undefined || history.queued.length === 0) return;
    this.#epoch = history.place.epoch;
    this.#sequence = history.place.sequence + RESTART_GAP;
    this.#placing = context.journal.placed(friend, { epoch: this.#epoch, sequence: this.#sequence });
    for (const record of history.queued) {
      this.#add(new OutboxEntry(record, SAFE_ALREADY, this.#cancel, true));
    }
  }

  /** Not settled yet. */
  get queued(): number {
    return this.#queued;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Epoch of this outbox and the last sequence that it gave away. */
  get place(): MessageMark | undefined {
    return this.#epoch === undefined ? undefined : { epoch: this.#epoch, sequence: this.#sequence };
  }

  get epoch(): bigint {
    this.#epoch ??= randomU64(this.#context.random);
    return this.#epoch;
  }

  /** `expiresAt`: Unix seconds. Throws `queue-full`. */
  enqueue(bytes: Uint8Array, action: boolean, expiresAt: number | undefined): Message {
    if (this.#queued >= MAX_QUEUED) {
      throw new ToxError("queue-full", `Wait for the friend: ${MAX_QUEUED} messages to him are waiting already.`);
    }
    const number = this.#context.nextMessageNumber();
    const sequence = ++this.#sequence;
    const record = { number, epoch: this.epoch, sequence, action, bytes, expiresAt };
    const stored = this.#context.journal.queued(this.#friend, record);
    const entry = new OutboxEntry(record, stored, this.#cancel);
    this.#add(entry);
    return entry.message;
  }

  /** Calls back when there may be something to send that there was not before. */
  whenPlaced(ready: () => void): void {
    const placed = () => {
      this.#placing = undefined;
      ready();
    };
    this.#placing?.then(placed, placed); // a store that fails has told the logger
  }

  /** The oldest message that is not under way, if it may be sent. */
  peekNext(): OutboxEntry | undefined {
    if (this.#placing) return undefined;
    let entry = this.#entries[this.#next];
    while (entry && (isSettled(entry.state) || this.#isOver(entry))) entry = this.#entries[++this.#next];
    return entry;
  }

  /** The session has taken what `peekNext` gave. */
  markSent(entry: OutboxEntry): void {
    entry.state = "sent";
    entry.maybeSent = true;
    this.#underWay++;
    this.#next++;
  }

  /** The session is gone: what it carried unacknowledged is sent again, in order. */
  sessionLost(): void {
    for (let at = this.#head; at < this.#next; at++) {
      const entry = this.#entries[at];
      if (entry?.state !== "sent") continue;
      entry.state = "queued";
      this.#expiry.watch(entry);
    }
    this.#underWay = 0;
    this.#next = this.#head;
  }

  /** A toxcore peer has acknowledged the packet of this message. Answers whether that was news. */
  delivered(entry: OutboxEntry): boolean {
    if (isSettled(entry.state)) return false;
    this.#settle(entry, "delivered");
    this.#context.journal.settled(this.#friend, entry.sequence, entry.sequence, 1);
    this.#trim();
    return true;
  }

  /** One of ours has handled all messages up to this mark. Answers those for which that was news. */
  handledUpTo(mark: MessageMark): OutboxEntry[] {
    const news: OutboxEntry[] = [];
    if (mark.epoch !== this.#epoch) return news;
    for (let at = this.#head; at < this.#entries.length; at++) {
      const entry = this.#entries[at] as OutboxEntry;
      if (isSettled(entry.state)) continue;
      if (entry.sequence > mark.sequence || !entry.maybeSent) break;
      this.#settle(entry, "delivered");
      news.push(entry);
    }
    const [first, last] = [news[0], news.at(-1)];
    if (first && last) this.#context.journal.settled(this.#friend, first.sequence, last.sequence, news.length);
    this.#trim();
    return news;
  }

  /** Messages not settled yet, oldest first. */
  unsettled(): OutboxEntry[] {
    return this.#entries.slice(this.#head).filter((entry) => !isSettled(entry.state));
  }

  /** Settles everything. The journal keeps the messages, unless it is told otherwise. */
  settleAll(outcome: MessageOutcome): void {
    for (const entry of this.unsettled()) this.#settle(entry, outcome);
    this.#trim();
  }

  #add(entry: OutboxEntry): void {
    this.#entries.push(entry);
    this.#queued++;
    this.#context.queuedMessages.set(entry.number, entry.message);
    this.#expiry.watch(entry);
  }

  /** Settled in a turn of its own, where listeners do not come between what is being sent. */
  #isOver(entry: OutboxEntry): boolean {
    const over = this.#expiry.isOver(entry);
    if (over) this.#expiry.watch(entry);
    return over;
  }

  /** What is under way may be handled this very moment: it expires only if its session is lost. */
  #expire(entry: OutboxEntry): boolean {
    if (entry.state !== "queued") return false;
    this.#settle(entry, "expired");
    this.#context.journal.settled(this.#friend, entry.sequence, entry.sequence, 1);
    this.#trim();
    return true;
  }

  #cancelEntry(entry: OutboxEntry): boolean {
    if (entry.state !== "queued") return false;
    this.#settle(entry, "cancelled");
    this.#context.journal.settled(this.#friend, entry.sequence, entry.sequence, 1);
    this.#trim();
    return true;
  }

  #settle(entry: OutboxEntry, outcome: MessageOutcome): void {
    if (entry.state === "sent") this.#underWay--;
    this.#queued--;
    this.#context.queuedMessages.delete(entry.number);
    entry.settle(outcome);
  }

  #trim(): void {
    let entry = this.#entries[this.#head];
    while (entry && isSettled(entry.state)) entry = this.#entries[++this.#head];
    if (this.#next < this.#head) this.#next = this.#head;
    if (this.#head < 1024 || this.#head * 2 < this.#entries.length) return;
    this.#entries.splice(0, this.#head);
    this.#next -= this.#head;
    this.#head = 0;
  }
}
