import type { Crypto } from "../crypto/crypto.ts";
import type { PublicKey } from "../crypto/keys.ts";
import type { Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { Logger } from "../env/logger.ts";
import type { Metrics } from "../env/metrics.ts";
import { KeyMap } from "../util/key_map.ts";
import { randomU32, shuffle } from "../util/random_numbers.ts";
import type { PackedNode } from "../wire/packed_node.ts";
import type { Asker } from "./asker.ts";
import { type EndpointListener, FriendSearch } from "./friend_search.ts";
import { HolePuncher, punchBudget } from "./hole_puncher.ts";
import { Lookup } from "./lookup.ts";
import { NearestList } from "./nearest_list.ts";
import type { NodeEntry } from "./node_entry.ts";
import type { NodeTable } from "./node_table.ts";
import type { SeenAs } from "./told_endpoints.ts";

/** What `lookUp` answers. */
export interface DhtLookup {
  /** Nodes that may be near. */
  suggest(nodes: readonly PackedNode[]): void;
  /** Addresses known now, the freshest first. */
  endpoints(): Endpoint[];
  /** What others see his router do over IPv4; undefined as long as too few have said. */
  seenAs(): SeenAs | undefined;
  /** There is reason to think that he is gone: he is asked now. */
  doubt(): void;
  stop(): void;
}

/** Nodes that one suggestion may name. */
const MAX_SUGGESTED = 32;
/** A node that comes back after a silence is asked about so many of the friends that are still looked for. */
const MAX_ASKED_OF_RETURNING = 16;

export interface FriendSearchesOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly table: NodeTable;
  readonly asker: Asker;
  readonly considerNode: (node: PackedNode) => void;
  readonly doubt: (publicKey: PublicKey) => void;
  /** Sends friends behind NATs a NAT ping; without it no holes are punched. */
  readonly requestNatPing: ((target: PublicKey, pingId: bigint) => void) | undefined;
}

/** The searches under way, one for each DHT key that somebody wants found. */
export class FriendSearches {
  readonly #options: FriendSearchesOptions;
  readonly #searches: KeyMap<FriendSearch>; // by DHT key; grown by the app's friends alone
  readonly #punchBudget = punchBudget();

  constructor(options: FriendSearchesOptions) {
    this.#options = options;
    this.#searches = new KeyMap(randomU32(options.crypto.random));
  }

  get size(): number {
    return this.#searches.size;
  }

  has(publicKey: Uint8Array): boolean {
    return this.#searches.has(publicKey);
  }

  get(publicKey: Uint8Array): FriendSearch | undefined {
    return this.#searches.get(publicKey);
  }

  values(): Iterable<FriendSearch> {
    return this.#searches.values();
  }

  /** Joins the search for this key, or starts it. */
  start(target: PublicKey, onEndpoint: EndpointListener): DhtLookup {
    const search = this.#searches.get(target) ?? this.#begin(target);
    // A listener of its own for each caller, whatever functions they share.
    const listener: EndpointListener = (endpoint) => onEndpoint(endpoint);
    search.addListener(listener);
    return {
      suggest: (nodes) => {
        for (const node of nodes.slice(0, MAX_SUGGESTED)) this.#options.considerNode(node);
      },
      endpoints: () => search.endpoints(),
      seenAs: () => search.seenAs(4),
      doubt: () => this.#options.doubt(target),
      stop: () => {
        search.removeListener(listener);
        if (search.listenerCount === 0) this.#end(search);
      },
    };
  }

  /** The key to ask this node about: one that is still looked for, in whose list it stands. */
  wantedFrom(entry: NodeEntry): PublicKey | undefined {
    for (const search of this.#searches.values()) {
      if (!search.lookup.isSettled && search.list.has(entry)) return search.target;
    }
    return undefined;
  }

  /** A node from the other side of a split network knows those whom we have looked for in vain. */
  askReturning(node: PackedNode): void {
    const unsettled = [...this.#searches.values()].filter((search) => !search.lookup.isSettled);
    const chosen = shuffle(this.#options.crypto.random, unsettled).slice(0, MAX_ASKED_OF_RETURNING);
    for (const search of chosen) search.lookup.ask(node);
  }

  stopAll(): void {
    for (const search of [...this.#searches.values()]) this.#end(search);
  }

  #begin(publicKey: PublicKey): FriendSearch {
    const { clock, crypto, logger, table, asker } = this.#options;
    const { random } = crypto;
    const target = publicKey.slice() as PublicKey;
    const list = new NearestList(target);
    const lookup = new Lookup({ target, list, asker, clock, random }, randomU32(random));
    const search = new FriendSearch(list, lookup, clock, table, logger);
    search.puncher = this.#puncherFor(search);
    this.#searches.set(target, search);
    table.addList(list);
    for (const node of table.closest(target, 8, true)) lookup.offer(node);
    lookup.pump();
    return search;
  }

  #puncherFor(search: FriendSearch): HolePuncher | undefined {
    const { clock, crypto, metrics, asker, requestNatPing } = this.#options;
    if (requestNatPing === undefined) return undefined;
    return new HolePuncher({
      ...{ clock, random: crypto.random, metrics, budget: this.#punchBudget },
      isDirect: () => search.isDirect,
      agreed: (family) => search.agreed(family),
      ping: (endpoint) => asker.ping(search.target, endpoint),
      requestNatPing: (pingId) => requestNatPing(search.target, pingId),
    });
  }

  #end(search: FriendSearch): void {
    if (this.#searches.get(search.target) !== search) return;
    search.lookup.stop();
    search.puncher?.stop();
    this.#searches.delete(search.target);
    this.#options.table.removeList(search.list);
  }
}
