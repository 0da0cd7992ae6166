import type { PublicKey } from "../crypto/keys.ts";
import type { Endpoint } from "../env/datagram.ts";
import { sameBytes } from "../util/bytes.ts";
import { MAX_NODES_PER_SUBNET } from "./addresses.ts";
import { sharedPrefixBits } from "./distance.ts";
import type { NodeEntry } from "./node_entry.ts";
import { isKnownAt, LIST_SIZE, type NodeList, type Offered } from "./node_list.ts";

/** toxcore's LCLIENT_LENGTH. Nodes that share more bits with us than that go to the last bucket. */
export const BUCKETS = 128;

/**
 * Our k-buckets: nodes by how many leading bits of their key are ours. A node that answers is never replaced by a newer
 * one, which makes old, steady nodes stay (spec.md "DHT node state", c-toxcore `DHT.c` add_to_close).
 */
export class CloseList implements NodeList {
  readonly #self: PublicKey;
  readonly #buckets: NodeEntry[][] = Array.from({ length: BUCKETS }, () => []); // each bounded by LIST_SIZE

  constructor(self: PublicKey) {
    this.#self = self;
  }

  wants(publicKey: PublicKey, endpoint: Endpoint, now: number): boolean {
    const bucket = this.#bucketOf(publicKey);
    const held = bucket.find((entry) => sameBytes(entry.publicKey, publicKey));
    if (held !== undefined) return !isKnownAt(held, endpoint, now);
    return placeIn(bucket, endpoint, now) >= 0;
  }

  offer(entry: NodeEntry, endpoint: Endpoint, now: number, evict: (entry: NodeEntry) => void): Offered {
    const bucket = this.#bucketOf(entry.publicKey);
    if (bucket.includes(entry)) return "had";
    const place = placeIn(bucket, endpoint, now);
    if (place < 0) return "refused";
    const previous = bucket[place];
    bucket[place] = entry;
    if (previous !== undefined) evict(previous);
    return "taken";
  }

  has(entry: NodeEntry): boolean {
    return this.#bucketOf(entry.publicKey).includes(entry);
  }

  delete(entry: NodeEntry): void {
    const bucket = this.#bucketOf(entry.publicKey);
    const at = bucket.indexOf(entry);
    if (at >= 0) bucket.splice(at, 1);
  }

  *nodes(): Iterable<NodeEntry> {
    for (const bucket of this.#buckets) yield* bucket;
  }

  #bucketOf(publicKey: Uint8Array): NodeEntry[] {
    const index = Math.min(sharedPrefixBits(this.#self, publicKey), BUCKETS - 1);
    return this.#buckets[index] as NodeEntry[];
  }
}

/** Where a new node may stand: on a free place or a bad node's, or -1. A crowded subnet gives only of its own places. */
function placeIn(bucket: readonly NodeEntry[], endpoint: Endpoint, now: number): number {
  const bad = bucket.findIndex((entry) => !entry.isGood(now));
  if (bad < 0 && bucket.length >= LIST_SIZE) return -1; // as mostly: nobody's network matters then
  const neighbours = bucket.filter((entry) => entry.inSubnetOf(endpoint));
  if (neighbours.length < MAX_NODES_PER_SUBNET) return bad < 0 ? bucket.length : bad;
  const badNeighbour = neighbours.find((entry) => !entry.isGood(now));
  return badNeighbour === undefined ? -1 : bucket.indexOf(badNeighbour);
}
