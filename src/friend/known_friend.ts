import type { PublicKey } from "../crypto/keys.ts";
import type { UserStatus } from "../wire/friend/presence.ts";

/** What outlives an instance of one friend: what profiles keep. */
export interface KnownFriend {
  readonly publicKey: PublicKey;
  readonly name: string;
  readonly statusMessage: string;
  readonly status: UserStatus;
  /** Unix seconds; undefined: never. */
  readonly lastOnline: number | undefined;
  /** Of somebody who has not answered yet. */
  readonly request?: {
    /** u32. */
    readonly nospam: number;
    readonly message: Uint8Array;
    /** Whether it has left once. */
    readonly sent: boolean;
  };
}
