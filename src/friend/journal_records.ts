/**
 * Entries of the store's journal that belong to messages. The first byte is 1; other floors take other bytes.
 *
 *   1  1
 *   1  1 queued, 2 settled, 3 handled, 4 removed, 5 place
 *  32  the friend's public key
 *   -- queued:  8 message number ‖ 8 epoch ‖ 8 sequence ‖ 1 action ‖ text
 *   -- settled: 8 first sequence ‖ 8 last sequence
 *   -- handled: 8 epoch ‖ 8 sequence: what our app is done with, of the friend's messages
 *   -- place:   8 epoch ‖ 8 sequence: the last one given to a message of ours
 */
import { asPublicKey, PUBLIC_KEY_SIZE, type PublicKey } from "../crypto/keys.ts";
import { readU64, writeU64 } from "../util/bytes.ts";
import type { MessageMark } from "../wire/friend/extension.ts";

export const MESSAGE_RECORD = 1;

const HEADER_SIZE = 2 + PUBLIC_KEY_SIZE;
const Kind = { Queued: 1, Settled: 2, Handled: 3, Removed: 4, Place: 5 } as const;

export interface QueuedRecord extends MessageMark {
  readonly number: bigint;
  readonly action: boolean;
  readonly bytes: Uint8Array;
}

export type MessageRecord =
  | { readonly kind: "queued"; readonly friend: PublicKey; readonly message: QueuedRecord }
  | { readonly kind: "settled"; readonly friend: PublicKey; readonly first: bigint; readonly last: bigint }
  | { readonly kind: "handled"; readonly friend: PublicKey; readonly mark: MessageMark }
  | { readonly kind: "place"; readonly friend: PublicKey; readonly mark: MessageMark }
  | { readonly kind: "removed"; readonly friend: PublicKey };

export function encodeMessageRecord(record: MessageRecord): Uint8Array {
  switch (record.kind) {
    case "queued": {
      const { message } = record;
      const entry = withHeader(Kind.Queued, record.friend, 25 + message.bytes.length);
      writeU64(entry, HEADER_SIZE, message.number);
      writeU64(entry, HEADER_SIZE + 8, message.epoch);
      writeU64(entry, HEADER_SIZE + 16, message.sequence);
      entry[HEADER_SIZE + 24] = message.action ? 1 : 0;
      entry.set(message.bytes, HEADER_SIZE + 25);
      return entry;
    }
    case "settled":
      return withPair(Kind.Settled, record.friend, record.first, record.last);
    case "handled":
      return withPair(Kind.Handled, record.friend, record.mark.epoch, record.mark.sequence);
    case "place":
      return withPair(Kind.Place, record.friend, record.mark.epoch, record.mark.sequence);
    case "removed":
      return withHeader(Kind.Removed, record.friend, 0);
  }
}

/** Undefined for what is no message record, or a torn one. */
export function decodeMessageRecord(entry: Uint8Array): MessageRecord | undefined {
  if (entry[0] !== MESSAGE_RECORD || entry.length < HEADER_SIZE) return undefined;
  const friend = asPublicKey(entry.slice(2, HEADER_SIZE));
  const pairFits = entry.length === HEADER_SIZE + 16;
  const first = readU64(entry, HEADER_SIZE);
  const last = readU64(entry, HEADER_SIZE + 8);
  const mark = { epoch: first, sequence: last };
  switch (entry[1]) {
    case Kind.Queued: {
      if (entry.length <= HEADER_SIZE + 25) return undefined;
      const sequence = readU64(entry, HEADER_SIZE + 16);
      const action = entry[HEADER_SIZE + 24] !== 0;
      const bytes = entry.slice(HEADER_SIZE + 25);
      return { kind: "queued", friend, message: { number: first, epoch: last, sequence, action, bytes } };
    }
    case Kind.Settled:
      return pairFits ? { kind: "settled", friend, first, last } : undefined;
    case Kind.Handled:
      return pairFits ? { kind: "handled", friend, mark } : undefined;
    case Kind.Place:
      return pairFits ? { kind: "place", friend, mark } : undefined;
    case Kind.Removed:
      return entry.length === HEADER_SIZE ? { kind: "removed", friend } : undefined;
    default:
      return undefined;
  }
}

function withHeader(kind: number, friend: PublicKey, size: number): Uint8Array {
  const entry = new Uint8Array(HEADER_SIZE + size);
  entry[0] = MESSAGE_RECORD;
  entry[1] = kind;
  entry.set(friend, 2);
  return entry;
}

function withPair(kind: number, friend: PublicKey, first: bigint, last: bigint): Uint8Array {
  const entry = withHeader(kind, friend, 16);
  writeU64(entry, HEADER_SIZE, first);
  writeU64(entry, HEADER_SIZE + 8, last);
  return entry;
}
