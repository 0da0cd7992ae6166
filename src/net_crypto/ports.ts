import type { KeyPair } from "../crypto/keys.ts";
import type { SharedKeyCache } from "../crypto/shared_key_cache.ts";
import type { Endpoint } from "../env/datagram.ts";

/** Our keys, as sessions need them. */
export interface SessionKeys {
  /** Long-term keys: who we are. */
  readonly self: KeyPair;
  /** Shared keys of the long-term secret key. */
  readonly selfShared: SharedKeyCache;
  /** Temporary DHT keys: who we are to the network. */
  readonly dht: KeyPair;
  /** Shared keys of the DHT secret key. */
  readonly dhtShared: SharedKeyCache;
}

/**
 * A way to one peer through a TCP relay, given to a session beside its UDP endpoints. A session tells relays apart by
 * identity.
 */
export interface RelayPath {
  /** The relay's key: what comes over one relay shares a limit. Those that do not say share one. */
  readonly relay?: Uint8Array;
  /** Sends one session packet; false when the relay cannot take it now. The bytes are copied. */
  send(packet: Uint8Array): boolean;
}

/** Where a session packet came from. */
export type PacketSource = { readonly udp: Endpoint } | { readonly relay: RelayPath };
