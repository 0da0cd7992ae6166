import type { PublicKey } from "../../crypto/keys.ts";
import type { PackedNode } from "../../wire/packed_node.ts";

/** Whether onion answers come in, as toxcore's connection status of oneself means it. */
export type OnionConnection = "none" | "tcp" | "udp";

/** What becomes known of a person that is searched for. */
export interface FoundListener {
  /** The person's DHT key, new or changed, and nodes next to him. */
  onDhtPublicKey(dhtPublicKey: PublicKey, nodes: readonly PackedNode[]): void;
  /** The person has been found in the announce store: data can be sent to him now. */
  onReachable?(): void;
}

/** A person that is searched for. */
export interface FinderFriend {
  /** A DHT key learned elsewhere (a handshake). */
  setDhtPublicKey(dhtPublicKey: PublicKey): void;
  /** Searching rests while a session lives. */
  setOnline(online: boolean): void;
  /**
   * Sends a friend request (nospam u32 ‖ message) through the onion. Answers how many announce nodes it went to: 0 when
   * the person is not found yet, or when the data is longer than 947 bytes, which nobody would take.
   */
  sendFriendRequest(data: Uint8Array): number;
  remove(): void;
}

/** `data`: nospam u32 ‖ message, valid only until the handler returns. `sender` may be kept. */
export type FriendRequestHandler = (sender: PublicKey, data: Uint8Array) => void;
