import type { PublicKey } from "../crypto/keys.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { NodeEntry } from "./node_entry.ts";

/** toxcore's MAX_FRIEND_CLIENTS and LCLIENT_NODES: the size of a bucket and of a friend's list. */
export const LIST_SIZE = 8;

export type Offered = "had" | "taken" | "refused";

/** A bounded choice of nodes. */
export interface NodeList {
  /** Whether a node that answered at this address would be taken, or would teach us a new address of one that is held. */
  wants(publicKey: PublicKey, endpoint: Endpoint, now: number): boolean;
  /** Takes the node if it is worth a place. `evict` is told of the one that had to go. */
  offer(entry: NodeEntry, endpoint: Endpoint, now: number, evict: (entry: NodeEntry) => void): Offered;
  has(entry: NodeEntry): boolean;
  delete(entry: NodeEntry): void;
  nodes(): Iterable<NodeEntry>;
}

/** Whether a held node's address is good and the same, so that there is nothing to learn. */
export function isKnownAt(entry: NodeEntry, endpoint: Endpoint, now: number): boolean {
  return entry.association(endpoint.family)?.isGood(now) ?? false;
}
