import type { PublicKey } from "../crypto/keys.ts";
import type { UserStatus } from "../wire/friend/presence.ts";
import type { ConnectionState, Friend } from "./friend.ts";
import type { Message } from "./message.ts";

export type { ConnectionState };

/** Somebody asks to become a friend. Doing nothing is an answer too: he learns nothing. */
export interface IncomingFriendRequest {
  /** 64 upper-case hex digits. */
  readonly publicKey: string;
  readonly publicKeyBytes: PublicKey;
  /** What he wrote: not empty, whatever he liked. */
  readonly message: string;
  /** Adds him and connects. Again, or for a friend already there: that friend. */
  accept(): Friend;
}

/** Events come synchronously, in the order of the packets, after the state is updated. */
export interface FriendEvents {
  friendRequest: IncomingFriendRequest;
  friendConnection: { readonly friend: Friend; readonly state: ConnectionState };
  /**
   * A message to show. Between our own peers it counts as delivered once every listener is done, the promises they return
   * included. `receivedAt` is in Unix seconds. `id` (between our own; 32 hex digits, unique with one friend) is the same if
   * the message comes again, which happens when we are killed while it is handled: an app whose history is not in the
   * library's store knows it by that.
   */
  message: {
    readonly friend: Friend;
    readonly text: string;
    readonly action: boolean;
    readonly receivedAt: number;
    readonly id?: string;
  };
  delivered: { readonly friend: Friend; readonly message: Message };
  /** A message was not sent in the time that it had. */
  expired: { readonly friend: Friend; readonly message: Message };
  typing: { readonly friend: Friend; readonly on: boolean };
  friendName: { readonly friend: Friend; readonly name: string };
  friendStatusMessage: { readonly friend: Friend; readonly statusMessage: string };
  friendStatus: { readonly friend: Friend; readonly status: UserStatus };
  /** An app's own packet, its id first. */
  packet: { readonly friend: Friend; readonly bytes: Uint8Array; readonly lossless: boolean };
}
