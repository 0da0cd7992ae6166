import type { PublicKey } from "../crypto/keys.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { PackedNode } from "../wire/packed_node.ts";

/** What friend connections ask of the onion: to find people and to be found. `OnionClient` has this shape. */
export interface FriendFinder {
  /** Starts to search for a person by long-term key, and to tell him our DHT key. */
  addFriend(publicKey: PublicKey, listener: FoundListener): FinderFriend;
  /** Friend requests that came through the onion: `data` is nospam u32 ‖ message. */
  onFriendRequest(handler: (sender: PublicKey, data: Uint8Array) => void): void;
}

export interface FoundListener {
  /** The person's DHT key, new or changed, and nodes next to him. */
  onDhtPublicKey(dhtPublicKey: PublicKey, nodes: readonly PackedNode[]): void;
  /** The person has been found in the announce store: data can be sent to him now. */
  onReachable?(): void;
}

export interface FinderFriend {
  /** A DHT key learned elsewhere (a handshake). */
  setDhtPublicKey(dhtPublicKey: PublicKey): void;
  /** Searching rests while a session lives. */
  setOnline(online: boolean): void;
  /** Sends a friend request (nospam u32 ‖ message) through the onion. Answers how many announce nodes it went to: 0 when the person is not found yet. */
  sendFriendRequest(data: Uint8Array): number;
  remove(): void;
}

/** What friend connections ask of the DHT: to find the address of a DHT key. `Dht` has this shape. */
export interface FriendLookups {
  /** Starts to look for the node with this key; `onEndpoint` is called for each address it is found at, again when it changes. */
  lookUp(dhtPublicKey: PublicKey, onEndpoint: (endpoint: Endpoint) => void): FriendLookup;
}

export interface FriendLookup {
  /** Nodes that may be near. */
  suggest(nodes: readonly PackedNode[]): void;
  /** Addresses known now, the freshest first. */
  endpoints(): Endpoint[];
  stop(): void;
}
