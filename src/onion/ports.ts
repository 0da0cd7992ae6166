import type { KeyPair, PublicKey } from "../crypto/keys.ts";
import type { SharedKeyCache } from "../crypto/shared_key_cache.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { Unsubscribe } from "../util/emitter.ts";
import type { PackedNode } from "../wire/packed_node.ts";

/** What the onion asks of the DHT. `Dht` has this shape; tests bring their own. */
export interface OnionDht {
  /** Our temporary DHT keys. */
  readonly keyPair: KeyPair;
  /** Shared keys of our DHT secret key. */
  readonly sharedKeys: SharedKeyCache;
  /** Whether any node has answered lately. */
  readonly connected: boolean;
  /** At most `count` living nodes, nearest to `key` first. LAN nodes only when `lan` is true. */
  closestNodes(key: Uint8Array, count: number, lan: boolean): PackedNode[];
  /** At most `count` living nodes from everywhere in the key space, in random order: the material of paths. */
  randomNodes(count: number): PackedNode[];
  /** Whether a node that we know has lately answered at this address. */
  isNodeAt(endpoint: Endpoint): boolean;
  /** Called when `connected` changes. */
  onConnected(listener: (connected: boolean) => void): Unsubscribe;
  /** Called when there is a node more to make paths of and to be announced to. */
  onNode(listener: () => void): Unsubscribe;
  /** Called when a node has fallen silent. */
  onNodeLost(listener: (publicKey: PublicKey) => void): Unsubscribe;
  /** Tells the DHT that this node may be gone: what was sent over it got no answer. */
  doubt(publicKey: PublicKey): void;
  /** Tells the DHT of a node worth a ping (one that a friend or an announce node named). */
  considerNode(node: PackedNode): void;
  /** Sends a DHT request (0x20, encrypted for `target`) towards `target` over the nodes next to it. Answers how many went out. */
  sendDhtRequest(target: PublicKey, id: number, payload: Uint8Array): number;
  /** Handles DHT requests for us whose first inner byte is `id`. `payload` is what stands behind it. */
  onDhtRequest(id: number, handler: (sender: PublicKey, payload: Uint8Array) => void): void;
}

/** A TCP relay that we are connected to, as the beginning of paths. */
export interface RelayHop {
  readonly publicKey: PublicKey;
  /** Where it is; undefined when only its name is known, or a proxy is in between. */
  readonly endpoint: Endpoint | undefined;
}

/** What the onion asks of TCP relays, which carry its packets where UDP does not work. */
export interface OnionRelays {
  /** Relays that packets can be sent to now. */
  hops(): readonly RelayHop[];
  /** Those, and our own server, that friends may be told, wherever they are; at most `count`. */
  toShare(count: number): PackedNode[];
  /** Sends the inner part of an onion request; false when the relay cannot take it now. */
  sendOnionRequest(relay: PublicKey, packet: Uint8Array): boolean;
  /** Handles the packets that relays bring back from the onion: `relay` is the key of the one that did. One handler. */
  onOnionResponse(handler: (packet: Uint8Array, relay: PublicKey) => void): void;
  /** Called when there is a relay more or less. */
  onHops(listener: () => void): Unsubscribe;
}
