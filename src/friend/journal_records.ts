/**
 * Entries of the store's journal that belong to messages. The first byte is 1; other floors take other bytes.
 *
 *   1  1
 *   1  1 queued, 2 settled, 3 handled, 4 removed, 5 place, 6 handled early
 *  32  the friend's public key
 *   -- queued:  8 message number ‖ 8 epoch ‖ 8 sequence ‖ 1 flags: 1 action, 2 expires ‖ (8 Unix seconds, if it does) ‖ text
 *   -- settled: 8 first sequence ‖ 8 last sequence
 *   -- handled: 8 epoch ‖ 8 sequence: what our app is done with, of the friend's messages
 *   -- place:   8 epoch ‖ 8 sequence: the last one given to a message of ours
 *   -- handled early: 8 epoch ‖ 8 sequence: the app is done with this one, but not with all before it
 */
import { asPublicKey, PUBLIC_KEY_SIZE, type PublicKey } from "../crypto/keys.ts";
import { readU64, writeU64 } from "../util/bytes.ts";
import type { MessageMark } from "../wire/friend/extension.ts";
import { MAX_MESSAGE_SIZE } from "../wire/friend/message.ts";

export const MESSAGE_RECORD = 1;

const HEADER_SIZE = 2 + PUBLIC_KEY_SIZE;
const FLAG_ACTION = 1;
const FLAG_EXPIRES = 2;
const Kind = { Queued: 1, Settled: 2, Handled: 3, Removed: 4, Place: 5, HandledEarly: 6 } as const;

export interface QueuedRecord extends MessageMark {
  readonly number: bigint;
  readonly action: boolean;
  /** 1–1372 bytes. */
  readonly bytes: Uint8Array;
  /** Unix seconds. */
  readonly expiresAt?: number | undefined;
}

export type MessageRecord =
  | { readonly kind: "queued"; readonly friend: PublicKey; readonly message: QueuedRecord }
  | { readonly kind: "settled"; readonly friend: PublicKey; readonly first: bigint; readonly last: bigint }
  | { readonly kind: "handled"; readonly friend: PublicKey; readonly mark: MessageMark }
  | { readonly kind: "handledEarly"; readonly friend: PublicKey; readonly mark: MessageMark }
  | { readonly kind: "place"; readonly friend: PublicKey; readonly mark: MessageMark }
  | { readonly kind: "removed"; readonly friend: PublicKey };

export function encodeMessageRecord(record: MessageRecord): Uint8Array {
  switch (record.kind) {
    case "queued":
      return encodeQueued(record.friend, record.message);
    case "settled":
      return withPair(Kind.Settled, record.friend, record.first, record.last);
    case "handled":
      return withPair(Kind.Handled, record.friend, record.mark.epoch, record.mark.sequence);
    case "handledEarly":
      return withPair(Kind.HandledEarly, record.friend, record.mark.epoch, record.mark.sequence);
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
      const message = decodeQueued(entry);
      return message && { kind: "queued", friend, message };
    }
    case Kind.Settled:
      return pairFits ? { kind: "settled", friend, first, last } : undefined;
    case Kind.Handled:
      return pairFits ? { kind: "handled", friend, mark } : undefined;
    case Kind.HandledEarly:
      return pairFits ? { kind: "handledEarly", friend, mark } : undefined;
    case Kind.Place:
      return pairFits ? { kind: "place", friend, mark } : undefined;
    case Kind.Removed:
      return entry.length === HEADER_SIZE ? { kind: "removed", friend } : undefined;
    default:
      return undefined;
  }
}

function encodeQueued(friend: PublicKey, message: QueuedRecord): Uint8Array {
  const { bytes, expiresAt } = message;
  const textAt = HEADER_SIZE + 25 + (expiresAt === undefined ? 0 : 8);
  const entry = withHeader(Kind.Queued, friend, textAt - HEADER_SIZE + bytes.length);
  writeU64(entry, HEADER_SIZE, message.number);
  writeU64(entry, HEADER_SIZE + 8, message.epoch);
  writeU64(entry, HEADER_SIZE + 16, message.sequence);
  entry[HEADER_SIZE + 24] = (message.action ? FLAG_ACTION : 0) | (expiresAt === undefined ? 0 : FLAG_EXPIRES);
  if (expiresAt !== undefined) writeU64(entry, HEADER_SIZE + 25, BigInt(expiresAt));
  entry.set(bytes, textAt);
  return entry;
}

function decodeQueued(entry: Uint8Array): QueuedRecord | undefined {
  const flags = entry[HEADER_SIZE + 24] ?? 0;
  const expires = (flags & FLAG_EXPIRES) !== 0;
  const textAt = HEADER_SIZE + 25 + (expires ? 8 : 0);
  if (flags > (FLAG_ACTION | FLAG_EXPIRES)) return undefined;
  if (entry.length <= textAt || entry.length > textAt + MAX_MESSAGE_SIZE) return undefined;
  const expiresAt = Number(readU64(entry, HEADER_SIZE + 25));
  if (expires && !Number.isSafeInteger(expiresAt)) return undefined;
  return {
    number: readU64(entry, HEADER_SIZE),
    epoch: readU64(entry, HEADER_SIZE + 8),
    sequence: readU64(entry, HEADER_SIZE + 16),
    action: (flags & FLAG_ACTION) !== 0,
    ...(expires && { expiresAt }),
    bytes: entry.slice(textAt),
  };
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
