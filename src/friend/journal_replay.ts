import type { PublicKey } from "../crypto/keys.ts";
import { KeyMap } from "../util/key_map.ts";
import type { MessageMark } from "../wire/friend/extension.ts";
import { decodeMessageRecord, encodeMessageRecord, type MessageRecord, type QueuedRecord } from "./journal_records.ts";

/** What the journal knows of one friend. */
export interface MessageHistory {
  /** Epoch and last sequence of our messages to him. */
  readonly place?: MessageMark;
  /** What our app is done with, of his messages. */
  readonly handled?: MessageMark;
  /** What it is done with though not with all before it. */
  readonly handledEarly: readonly MessageMark[];
  /** Ours not yet delivered, oldest first. */
  readonly queued: readonly QueuedRecord[];
}

/** What the entries of a journal come to, for each friend. Takes time in proportion to their number. */
export function replayJournal(entries: readonly Uint8Array[]): KeyMap<MessageHistory> {
  const replays = new KeyMap<Replay>(); // bounded by the friends there once were
  for (const entry of entries) {
    const record = decodeMessageRecord(entry);
    if (record === undefined) continue;
    if (record.kind === "removed") {
      replays.delete(record.friend);
      continue;
    }
    let replay = replays.get(record.friend);
    if (replay === undefined) {
      replay = new Replay();
      replays.set(record.friend, replay);
    }
    replay.apply(record);
  }
  const histories = new KeyMap<MessageHistory>();
  for (const [friend, replay] of replays.entries()) histories.set(friend, replay.history());
  return histories;
}

/** The entries that come to this history. */
export function journalOf(friend: PublicKey, { handled, handledEarly, place, queued }: MessageHistory): Uint8Array[] {
  const entries: Uint8Array[] = [];
  if (handled) entries.push(encodeMessageRecord({ kind: "handled", friend, mark: handled }));
  for (const mark of handledEarly) entries.push(encodeMessageRecord({ kind: "handledEarly", friend, mark }));
  // Without anything queued the next message may as well begin a new epoch.
  if (place && queued.length > 0) entries.push(encodeMessageRecord({ kind: "place", friend, mark: place }));
  for (const message of queued) entries.push(encodeMessageRecord({ kind: "queued", friend, message }));
  return entries;
}

class Replay {
  #place: MessageMark | undefined;
  #handled: MessageMark | undefined;
  #early: MessageMark[] = []; // of one epoch
  /** Undefined where a message is settled: thousands are, and moving the rest up each time would take long. */
  readonly #queued: (QueuedRecord | undefined)[] = [];
  readonly #indexes = new Map<bigint, number>(); // sequence to its index in #queued
  /** Everything before this is settled. */
  #head = 0;

  apply(record: Exclude<MessageRecord, { kind: "removed" }>): void {
    switch (record.kind) {
      case "queued": {
        const { epoch, sequence } = record.message;
        this.#indexes.set(sequence, this.#queued.push(record.message) - 1);
        this.#placeAt({ epoch, sequence });
        break;
      }
      case "settled":
        this.#settle(record.first, record.last);
        break;
      case "handled":
        if (record.mark.epoch !== this.#early[0]?.epoch) this.#early = [];
        this.#handled = record.mark;
        break;
      case "handledEarly":
        if (record.mark.epoch !== this.#early[0]?.epoch) this.#early = [];
        this.#early.push(record.mark);
        break;
      case "place":
        this.#placeAt(record.mark);
        break;
    }
  }

  history(): MessageHistory {
    const [place, handled] = [this.#place, this.#handled];
    const handledEarly = this.#early.filter(
      ({ epoch, sequence }) => epoch !== handled?.epoch || sequence > handled.sequence,
    );
    const queued = this.#queued.slice(this.#head).filter((message) => message !== undefined);
    return { ...(place && { place }), ...(handled && { handled }), handledEarly, queued };
  }

  /** A place never goes back: a rewritten journal has it before the messages that wait. */
  #placeAt(mark: MessageMark): void {
    const known = this.#place;
    if (known?.epoch !== mark.epoch || known.sequence < mark.sequence) this.#place = mark;
  }

  #settle(first: bigint, last: bigint): void {
    for (let at = this.#indexes.get(first) ?? this.#head; at < this.#queued.length; at++) {
      const message = this.#queued[at];
      if (message === undefined || message.sequence < first) continue;
      if (message.sequence > last) break;
      this.#queued[at] = undefined;
      this.#indexes.delete(message.sequence);
    }
    while (this.#head < this.#queued.length && this.#queued[this.#head] === undefined) this.#head++;
  }
}
