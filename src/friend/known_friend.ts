import type { PublicKey } from "../crypto/keys.ts";
import type { UserStatus } from "../wire/friend/presence.ts";

/** What somebody has told of himself, as bytes that need not be UTF-8. */
export interface OwnWords {
  /** At most 128 bytes. */
  readonly name: Uint8Array;
  /** At most 1007 bytes. */
  readonly statusMessage: Uint8Array;
  readonly status: UserStatus;
}

export interface FriendPresence extends OwnWords {
  /** Unix seconds; undefined: never. */
  readonly lastOnline: number | undefined;
}

/** What outlives an instance of one friend: what profiles keep. */
export interface KnownFriend extends FriendPresence {
  readonly publicKey: PublicKey;
  /** Of somebody who has not answered yet. */
  readonly request?: {
    /** u32. */
    readonly nospam: number;
    readonly message: Uint8Array;
    /** Whether it has left once. */
    readonly sent: boolean;
  };
}
