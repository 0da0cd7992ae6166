import type { PublicKey } from "../crypto/keys.ts";
import type { Endpoint } from "../env/datagram.ts";
import { sameBytes } from "../util/bytes.ts";
import { sameEndpoint } from "../util/endpoint.ts";
import { MAX_NODES_PER_SUBNET } from "./addresses.ts";
import { compareDistance } from "./distance.ts";
import type { NodeEntry } from "./node_entry.ts";
import { isKnownAt, LIST_SIZE, type NodeList, type Offered } from "./node_list.ts";

/** The 8 nodes nearest to a key that we know of: a friend's list (c-toxcore `DHT.c`, replace_all). */
export class NearestList implements NodeList {
  readonly target: PublicKey;
  readonly #entries: NodeEntry[] = []; // bounded by LIST_SIZE

  constructor(target: PublicKey) {
    this.target = target;
  }

  wants(publicKey: PublicKey, endpoint: Endpoint, now: number): boolean {
    const held = this.#entries.find((entry) => sameBytes(entry.publicKey, publicKey));
    if (held === undefined) return this.#placeFor(publicKey, endpoint, now) >= 0;
    if (!isKnownAt(held, endpoint, now)) return true;
    // Only the one we look for is followed to another address while the old one still answers.
    const known = held.association(endpoint.family);
    return this.#isTarget(publicKey) && known !== undefined && !sameEndpoint(known.endpoint, endpoint);
  }

  offer(entry: NodeEntry, endpoint: Endpoint, now: number, evict: (entry: NodeEntry) => void): Offered {
    if (this.#entries.includes(entry)) return "had";
    const place = this.#placeFor(entry.publicKey, endpoint, now);
    if (place < 0) return "refused";
    const previous = this.#entries[place];
    this.#entries[place] = entry;
    if (previous !== undefined) evict(previous);
    return "taken";
  }

  has(entry: NodeEntry): boolean {
    return this.#entries.includes(entry);
  }

  delete(entry: NodeEntry): void {
    const at = this.#entries.indexOf(entry);
    if (at >= 0) this.#entries.splice(at, 1);
  }

  nodes(): readonly NodeEntry[] {
    return this.#entries;
  }

  #isTarget(publicKey: Uint8Array): boolean {
    return sameBytes(publicKey, this.target);
  }

  /** A free place, a bad node's, or that of the farthest when the new node is nearer; -1 when there is none. */
  #placeFor(publicKey: PublicKey, endpoint: Endpoint, now: number): number {
    const isTarget = this.#isTarget(publicKey);
    const crowded = !isTarget && this.#neighboursOf(endpoint) >= MAX_NODES_PER_SUBNET;
    if (!crowded && this.#entries.length < LIST_SIZE) return this.#firstBad(now) ?? this.#entries.length;
    let farthest = -1;
    let farthestIsBad = false;
    for (const [at, entry] of this.#entries.entries()) {
      if (this.#isTarget(entry.publicKey)) continue;
      if (crowded && !entry.inSubnetOf(endpoint)) continue;
      const isBad = !entry.isGood(now);
      if (farthest >= 0) {
        if (farthestIsBad && !isBad) continue;
        const other = this.#entries[farthest] as NodeEntry;
        const isNearer = compareDistance(this.target, entry.publicKey, other.publicKey) < 0;
        if (farthestIsBad === isBad && isNearer) continue;
      }
      farthest = at;
      farthestIsBad = isBad;
    }
    const victim = this.#entries[farthest];
    if (victim === undefined) return -1;
    return farthestIsBad || compareDistance(this.target, publicKey, victim.publicKey) < 0 ? farthest : -1;
  }

  #firstBad(now: number): number | undefined {
    const at = this.#entries.findIndex((entry) => !entry.isGood(now) && !this.#isTarget(entry.publicKey));
    return at < 0 ? undefined : at;
  }

  #neighboursOf(endpoint: Endpoint): number {
    let count = 0;
    for (const entry of this.#entries) {
      if (entry.inSubnetOf(endpoint) && !this.#isTarget(entry.publicKey)) count++;
    }
    return count;
  }
}
