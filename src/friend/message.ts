import { toHex, writeU64 } from "../util/bytes.ts";

/**
 * `queued`: waits for a session. `sent`: under way in one. `delivered`: his client has handled it (one of ours) or his
 * stack has it (toxcore). `closed`: this instance was closed first; a durable store still has it.
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
  readonly message: Message;
  state: MessageState = "queued";
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
    this.maybeSent = maybeSent;
    this.message = new Message(this, content.text, stored, cancel);
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
    this.#resolve?.(outcome);
  }
}

export interface EntryContent {
  readonly number: bigint;
  readonly sequence: bigint;
  readonly action: boolean;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** A message to a friend, on its way. */
export class Message {
  readonly text: string;
  /** "/me" style. */
  readonly action: boolean;
  /** Resolves when the store has the message: from then on it survives the process. Rejects when the store fails. */
  readonly stored: Promise<void>;
  readonly #entry: OutboxEntry;
  readonly #cancel: (entry: OutboxEntry) => boolean;

  constructor(entry: OutboxEntry, text: string, stored: Promise<void>, cancel: (entry: OutboxEntry) => boolean) {
    this.text = text;
    this.action = entry.action;
    this.stored = stored;
    this.#entry = entry;
    this.#cancel = cancel;
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
   * same: cancelling only keeps it from being sent again.
   */
  cancel(): boolean {
    return this.#cancel(this.#entry);
  }
}
