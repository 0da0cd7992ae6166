import type { Cancel } from "../env/clock.ts";
import { fromHex, readU64, toHex, writeU64 } from "../util/bytes.ts";
import { fromUtf8 } from "../util/text.ts";

/**
 * `queued`: waits for a session. `sent`: under way in one. `delivered`: his client has handled it (one of ours) or his
 * stack has it (toxcore). `expired`: its time was over first. `cancelled`: taken back, or the friend was removed. `closed`: this
 * instance was closed first; a durable store still has it.
 */
export type MessageState = "queued" | "sent" | MessageOutcome;
export type MessageOutcome = "delivered" | "expired" | "cancelled" | "closed";

export function isSettled(state: MessageState): state is MessageOutcome {
  return state !== "queued" && state !== "sent";
}

/** A message in an outbox, as the library works with it. */
export class OutboxEntry {
  /** Unique in the profile. */
  readonly number: bigint;
  /** Its place among all messages of this epoch to this friend. */
  readonly sequence: bigint;
  readonly action: boolean;
  readonly bytes: Uint8Array;
  /** Unix seconds from which on it is not sent any more. */
  readonly expiresAt: number | undefined;
  readonly message: Message;
  state: MessageState = "queued";
  /** Ends the timer of its expiry. */
  cancelExpiry: Cancel | undefined;
  /** Whether any session may have carried it: only then can a peer have handled it. */
  maybeSent: boolean;
  #outcome: Promise<MessageOutcome> | undefined;
  #resolve: ((outcome: MessageOutcome) => void) | undefined;

  constructor(
    content: EntryContent,
    stored: Promise<void>,
    cancel: (entry: OutboxEntry) => boolean,
    maybeSent = false,
  ) {
    this.number = content.number;
    this.sequence = content.sequence;
    this.action = content.action;
    this.bytes = content.bytes;
    this.expiresAt = content.expiresAt;
    this.maybeSent = maybeSent;
    this.message = new Message(this, stored, cancel);
  }

  /** Made when somebody asks, for most messages nobody does. */
  get outcome(): Promise<MessageOutcome> {
    if (isSettled(this.state)) return Promise.resolve(this.state);
    this.#outcome ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#outcome;
  }

  settle(outcome: MessageOutcome): void {
    this.state = outcome;
    this.cancelExpiry?.();
    this.#resolve?.(outcome);
  }
}

export interface EntryContent {
  readonly number: bigint;
  readonly sequence: bigint;
  readonly action: boolean;
  /** 1–1372 bytes of UTF-8. */
  readonly bytes: Uint8Array;
  readonly expiresAt?: number | undefined;
}

/** The number in what `Message.id` gives, in any case; undefined for anything else. */
export function messageNumber(id: string): bigint | undefined {
  const bytes = fromHex(id);
  return bytes?.length === 8 ? readU64(bytes, 0) : undefined;
}

/** A message to a friend, on its way. */
export class Message {
  /** "/me" style. */
  readonly action: boolean;
  /** Resolves when the store has the message: from then on it survives the process. Rejects when the store fails. */
  readonly stored: Promise<void>;
  readonly #entry: OutboxEntry;
  readonly #cancel: (entry: OutboxEntry) => boolean;

  constructor(entry: OutboxEntry, stored: Promise<void>, cancel: (entry: OutboxEntry) => boolean) {
    this.action = entry.action;
    this.stored = stored;
    this.#entry = entry;
    this.#cancel = cancel;
  }

  /** As it is sent: half a surrogate pair has become U+FFFD. */
  get text(): string {
    return fromUtf8(this.#entry.bytes); // thousands may wait: they are kept once
  }

  /** Unix seconds from which on it is not sent any more; undefined: it waits as long as it takes. */
  get expiresAt(): number | undefined {
    return this.#entry.expiresAt;
  }

  /** Unique in the profile, the same after a restart: 16 hex digits. */
  get id(): string {
    const bytes = new Uint8Array(8);
    writeU64(bytes, 0, this.#entry.number);
    return toHex(bytes);
  }

  get state(): MessageState {
    return this.#entry.state;
  }

  /** How it ended. Never rejects. */
  get delivered(): Promise<MessageOutcome> {
    return this.#entry.outcome;
  }

  /**
   * Takes the message back. False when it is under way or settled. A message that a session lost may have arrived all the
   * same: cancelling only keeps it from being sent again. Should the process be killed before the store has noted it (some
   * milliseconds, see `Tox.close`), the message waits again after the restart.
   */
  cancel(): boolean {
    return this.#cancel(this.#entry);
  }
}
