import type { PublicKey } from "../crypto/keys.ts";
import type { Clock } from "../env/clock.ts";
import type { Endpoint, IpFamily } from "../env/datagram.ts";
import { sameBytes } from "../util/bytes.ts";
import { endpointKey, sameEndpoint } from "../util/endpoint.ts";
import { KeyMap } from "../util/key_map.ts";
import type { PackedNode } from "../wire/packed_node.ts";
import { KeyOrder } from "./key_order.ts";
import { Association, NodeEntry } from "./node_entry.ts";
import type { NodeList } from "./node_list.ts";

/** What an answer changed. */
export interface Confirmed {
  readonly entry: NodeEntry;
  readonly association: Association;
  /** The lists that hold the node since this answer. */
  readonly takenBy: readonly NodeList[];
}

/**
 * Every node that some list holds, once. A node comes in only by `confirm`, which is called when it has answered a request
 * of ours from the address that was asked.
 */
export class NodeTable {
  readonly #clock: Clock;
  readonly #order = new KeyOrder(); // bounded by the places of all lists
  readonly #byKey: KeyMap<NodeEntry>; // the same entries
  readonly #byEndpoint = new Map<string, NodeEntry>(); // at most two for each entry
  readonly #lists = new Set<NodeList>(); // the close list, and one for each friend that the app added

  /** `seed`: 32 random bits. */
  constructor(clock: Clock, seed: number) {
    this.#clock = clock;
    this.#byKey = new KeyMap(seed);
  }

  get size(): number {
    return this.#order.entries.length;
  }

  nodes(): readonly NodeEntry[] {
    return this.#order.entries;
  }

  get(publicKey: Uint8Array): NodeEntry | undefined {
    return this.#byKey.get(publicKey);
  }

  /** Whether a node has lately answered at this address. */
  hasGoodAt(endpoint: Endpoint): boolean {
    const entry = this.#byEndpoint.get(endpointKey(endpoint));
    return entry?.association(endpoint.family)?.isGood(this.#clock.monotonic()) ?? false;
  }

  addList(list: NodeList): void {
    this.#lists.add(list);
  }

  removeList(list: NodeList): void {
    if (!this.#lists.delete(list)) return;
    for (const entry of [...list.nodes()]) {
      list.delete(entry);
      this.#release(entry);
    }
  }

  /** Whether an answer from this node at this address would be of use to some list. */
  wants(publicKey: PublicKey, endpoint: Endpoint): boolean {
    const now = this.#clock.monotonic();
    for (const list of this.#lists) if (list.wants(publicKey, endpoint, now)) return true;
    return false;
  }

  /** Records that the node has answered at this address. Nothing when no list has a place for it. */
  confirm(publicKey: PublicKey, endpoint: Endpoint): Confirmed | undefined {
    const now = this.#clock.monotonic();
    this.#vacate(endpoint, publicKey);
    const known = this.#byKey.get(publicKey);
    const entry = known ?? new NodeEntry(publicKey);
    const association = this.#seen(entry, endpoint, now);
    const takenBy: NodeList[] = [];
    for (const list of this.#lists) {
      if (list.offer(entry, endpoint, now, (evicted) => this.#release(evicted)) !== "taken") continue;
      entry.holders++;
      takenBy.push(list);
    }
    if (entry.holders === 0) return undefined;
    if (known === undefined) {
      this.#order.add(entry);
      this.#byKey.set(entry.publicKey, entry);
    }
    this.#byEndpoint.set(endpointKey(association.endpoint), entry);
    return { entry, association, takenBy };
  }

  /** Takes every place of a node that has gone. */
  remove(entry: NodeEntry): void {
    for (const list of this.#lists) {
      if (!list.has(entry)) continue;
      list.delete(entry);
      this.#release(entry);
    }
  }

  /** Forgets one address of a node, and the node when it was the only one. */
  dissociate(entry: NodeEntry, association: Association): void {
    const { family } = association.endpoint;
    if (entry.association(family) !== association) return;
    if (entry.association(family === 4 ? 6 : 4) === undefined) {
      this.remove(entry);
      return;
    }
    this.#clear(entry, family);
  }

  hasGood(): boolean {
    const now = this.#clock.monotonic();
    return this.#order.entries.some((entry) => entry.isGood(now));
  }

  countGood(): number {
    const now = this.#clock.monotonic();
    let count = 0;
    for (const entry of this.#order.entries) if (entry.isGood(now)) count++;
    return count;
  }

  /** At most `count` good nodes, nearest to `target` first; `family` is preferred where a node has both. */
  closest(target: Uint8Array, count: number, lan: boolean, family?: IpFamily): PackedNode[] {
    const now = this.#clock.monotonic();
    const nodes: PackedNode[] = [];
    this.#order.fromNearest(target, (entry) => {
      const association = entry.best(now, lan, family);
      if (association !== undefined) nodes.push(association.node);
      return nodes.length >= count;
    });
    return nodes;
  }

  /** Records the answer in the entry, whose address may be new. */
  #seen(entry: NodeEntry, endpoint: Endpoint, now: number): Association {
    const known = entry.association(endpoint.family);
    if (known !== undefined) {
      if (sameEndpoint(known.endpoint, endpoint)) {
        known.lastSeen = now;
        known.missed = 0;
        return known;
      }
      const fresh = new Association(entry.publicKey, endpoint, now);
      // A neighbour is kept at its LAN address, although it is reached by its public one too. DHT.c update_client.
      if (known.isLan && !fresh.isLan && known.isGood(now)) return known;
      this.#clear(entry, endpoint.family);
      entry.setAssociation(endpoint.family, fresh);
      return fresh;
    }
    const association = new Association(entry.publicKey, endpoint, now);
    entry.setAssociation(endpoint.family, association);
    return association;
  }

  /** Whoever else was at this address is there no longer: a node that restarts has a new key. */
  #vacate(endpoint: Endpoint, newcomer: PublicKey): void {
    const previous = this.#byEndpoint.get(endpointKey(endpoint));
    if (previous === undefined || sameBytes(previous.publicKey, newcomer)) return;
    const association = previous.association(endpoint.family);
    if (association !== undefined) this.dissociate(previous, association);
  }

  #release(entry: NodeEntry): void {
    if (--entry.holders > 0) return;
    this.#order.delete(entry);
    this.#byKey.delete(entry.publicKey);
    this.#clear(entry, 4);
    this.#clear(entry, 6);
  }

  #clear(entry: NodeEntry, family: IpFamily): void {
    const association = entry.association(family);
    if (association === undefined) return;
    association.cancelPing?.();
    association.cancelPing = undefined;
    const key = endpointKey(association.endpoint);
    if (this.#byEndpoint.get(key) === entry) this.#byEndpoint.delete(key);
    entry.setAssociation(family, undefined);
  }
}
