import type { PublicKey } from "../crypto/keys.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { StreamTarget } from "../env/stream.ts";
import type { KeyMap } from "../util/key_map.ts";
import type { RelayClient, RelayTarget } from "./relay_client.ts";
import type { PeerPath } from "./relay_route.ts";

/** A relay that we know, connected or not. */
export interface PooledRelay {
  readonly publicKey: PublicKey;
  /** Where it may be reached; the first is tried next, and goes to the end when it fails. Bounded by MAX_ADDRESSES. */
  readonly addresses: StreamTarget[];
  /** Named by the app, rather than by a friend. */
  given: boolean;
  /** Named as a node, which may be a relay as well: left alone until relays are needed. */
  isNode: boolean;
  /** How friends are told of it when it is our own server; we are its client to be reached over it. */
  readonly ourServer: Endpoint | undefined;
  client: RelayClient | undefined;
  /** By peer, over this client. Bounded by its routes. */
  readonly paths: KeyMap<PeerPath>;
  /** Whose packet is being handled, and the way back to him: his way, if that makes a friend of him. */
  arriving: { readonly peer: PublicKey; readonly path: PeerPath } | undefined;
  /** Whether it is one that we want for ourselves, not only to reach a friend. */
  own: boolean;
  /** When this client became ready, in monotonic ms. */
  readyAt: number | undefined;
  /** Connections that did not last, since one that did. */
  failures: number;
  /** Not to be tried before, in monotonic ms. */
  retryAt: number;
}

export function isReady(relay: PooledRelay): boolean {
  return relay.client?.state === "ready";
}

/** Where it is tried now. */
export function targetOf({ publicKey, addresses }: PooledRelay): RelayTarget | undefined {
  const [address] = addresses;
  return address && { publicKey, address };
}

/** Where it is, unless it is known by a name only and we have no connection that would tell. */
export function endpointOf({ addresses, client }: PooledRelay): Endpoint | undefined {
  if (client?.endpoint !== undefined) return client.endpoint;
  const [address] = addresses;
  return address !== undefined && "family" in address ? address : undefined;
}
