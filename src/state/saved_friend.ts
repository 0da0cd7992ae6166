/**
 * A friend in toxcore's savedata: its `struct Saved_Friend` with the gaps that a C compiler leaves. c-toxcore
 * `Messenger.c` (friend_save, friend_load). Numbers are big-endian, but for the status.
 *
 *      0     1  1 added, 2 request sent, 3 confirmed (4, online, is not written)
 *      1    32  public key
 *     33  1024  message of the request; unconfirmed ones only
 *   1058     2  its length
 *   1060   128  name; from here on confirmed ones only
 *   1188     2  its length
 *   1190  1007  status message
 *   2198     2  its length
 *   2200     1  0 here, 1 away, 2 busy
 *   2204     4  nospam of the request, as in the Tox ID; unconfirmed ones only
 *   2208     8  last seen, Unix seconds; 0: never
 */
import { PUBLIC_KEY_SIZE, type PublicKey } from "../crypto/keys.ts";
import { readU16, readU32, readU64, writeU16, writeU32 } from "../util/bytes.ts";
import type { UserStatus } from "../wire/friend/presence.ts";
import { damaged } from "./sections.ts";

export const SAVED_FRIEND_SIZE = 2216;

const KEY_AT = 1;
const MESSAGE_AT = 33;
const MESSAGE_LENGTH_AT = 1058;
const NAME_AT = 1060;
const NAME_LENGTH_AT = 1188;
const STATUS_MESSAGE_AT = 1190;
const STATUS_MESSAGE_LENGTH_AT = 2198;
const STATUS_AT = 2200;
const NOSPAM_AT = 2204;
const LAST_SEEN_AT = 2208;
const MAX_MESSAGE_SIZE = 1024;
const MAX_NAME_SIZE = 128;
const MAX_STATUS_MESSAGE_SIZE = 1007;

const Kind = { Added: 1, Requested: 2, Confirmed: 3, Online: 4 } as const;
export const STATUSES: readonly UserStatus[] = ["none", "away", "busy"];

/** Somebody on the list. Texts are bytes, since toxcore does not ask whether they are UTF-8. */
export type SavedFriend = ConfirmedFriend | AskedFriend;

export interface ConfirmedFriend {
  readonly kind: "confirmed";
  readonly publicKey: PublicKey;
  /** At most 128 bytes. */
  readonly name: Uint8Array;
  /** At most 1007 bytes. */
  readonly statusMessage: Uint8Array;
  readonly status: UserStatus;
  /** Unix seconds. */
  readonly lastOnline: number | undefined;
}

/** Somebody whom we ask for friendship. */
export interface AskedFriend {
  readonly kind: "asked";
  readonly publicKey: PublicKey;
  /** u32. */
  readonly nospam: number;
  /** At most 1024 bytes. */
  readonly message: Uint8Array;
  /** Whether the request has left once. */
  readonly sent: boolean;
}

/** Writes the record into zeros and answers where it ends. */
export function encodeSavedFriend(into: Uint8Array, at: number, friend: SavedFriend): number {
  into.set(friend.publicKey, at + KEY_AT);
  if (friend.kind === "asked") {
    into[at] = friend.sent ? Kind.Requested : Kind.Added;
    into.set(friend.message, at + MESSAGE_AT);
    writeU16(into, at + MESSAGE_LENGTH_AT, friend.message.length);
    writeU32(into, at + NOSPAM_AT, friend.nospam);
  } else {
    into[at] = Kind.Confirmed;
    into.set(friend.name, at + NAME_AT);
    writeU16(into, at + NAME_LENGTH_AT, friend.name.length);
    into.set(friend.statusMessage, at + STATUS_MESSAGE_AT);
    writeU16(into, at + STATUS_MESSAGE_LENGTH_AT, friend.statusMessage.length);
    into[at + STATUS_AT] = STATUSES.indexOf(friend.status);
    const seconds = Math.floor(friend.lastOnline ?? 0);
    writeU32(into, at + LAST_SEEN_AT, seconds / 2 ** 32);
    writeU32(into, at + LAST_SEEN_AT + 4, seconds);
  }
  return at + SAVED_FRIEND_SIZE;
}

/** Nothing for a free place in the list. Throws `profile-damaged`. */
export function decodeSavedFriend(record: Uint8Array): SavedFriend | undefined {
  const publicKey = record.slice(KEY_AT, KEY_AT + PUBLIC_KEY_SIZE) as Uint8Array as PublicKey;
  switch (record[0]) {
    case 0:
      return undefined;
    case Kind.Added:
    case Kind.Requested:
      return {
        kind: "asked",
        publicKey,
        nospam: readU32(record, NOSPAM_AT),
        message: textAt(record, MESSAGE_AT, MESSAGE_LENGTH_AT, MAX_MESSAGE_SIZE, "request"),
        sent: record[0] === Kind.Requested,
      };
    case Kind.Confirmed:
    case Kind.Online:
      return {
        kind: "confirmed",
        publicKey,
        name: textAt(record, NAME_AT, NAME_LENGTH_AT, MAX_NAME_SIZE, "name"),
        statusMessage: textAt(
          record,
          STATUS_MESSAGE_AT,
          STATUS_MESSAGE_LENGTH_AT,
          MAX_STATUS_MESSAGE_SIZE,
          "status message",
        ),
        status: STATUSES[record[STATUS_AT] ?? 0] ?? "none",
        lastOnline: timeOf(readU64(record, LAST_SEEN_AT)),
      };
    default:
      throw damaged(`a friend has the state ${record[0]}`);
  }
}

function textAt(record: Uint8Array, at: number, lengthAt: number, limit: number, what: string): Uint8Array {
  const length = readU16(record, lengthAt);
  if (length > limit) throw damaged(`a friend's ${what} has ${length} bytes, and ${limit} fit`);
  return record.slice(at, at + length);
}

/** What no clock has shown yet is no time. */
function timeOf(seconds: bigint): number | undefined {
  return seconds === 0n || seconds > 0xff_ffff_ffffn ? undefined : Number(seconds);
}
