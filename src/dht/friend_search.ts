import type { PublicKey } from "../crypto/keys.ts";
import type { Clock } from "../env/clock.ts";
import type { Endpoint, IpFamily } from "../env/datagram.ts";
import type { Logger } from "../env/logger.ts";
import { sameEndpoint } from "../util/endpoint.ts";
import type { HolePuncher } from "./hole_puncher.ts";
import type { Lookup } from "./lookup.ts";
import type { NearestList } from "./nearest_list.ts";
import { KILL_NODE_TIMEOUT } from "./node_care.ts";
import { type Association, BAD_NODE_TIMEOUT } from "./node_entry.ts";
import type { NodeTable } from "./node_table.ts";
import { type AgreedAddress, type SeenAs, ToldEndpoints } from "./told_endpoints.ts";

interface Direct {
  readonly endpoint: Endpoint;
  readonly at: number;
  readonly lost: boolean;
}

export type EndpointListener = (endpoint: Endpoint) => void;

/** The search for one friend's node, for all who want it: the nodes next to him, and where he is. */
export class FriendSearch {
  readonly target: PublicKey;
  readonly list: NearestList;
  readonly lookup: Lookup;
  /** Tries to reach him through NATs; undefined when that is not wanted. */
  puncher: HolePuncher | undefined;
  readonly #clock: Clock;
  readonly #table: NodeTable;
  readonly #logger: Logger;
  readonly #listeners = new Set<EndpointListener>(); // one for each lookUp that the app's friends caused
  readonly #told = new ToldEndpoints();
  /** The direct address passed on last and when he last answered there, by family. */
  readonly #direct = new Map<4 | 6, Direct>(); // at most two

  constructor(list: NearestList, lookup: Lookup, clock: Clock, table: NodeTable, logger: Logger) {
    this.target = list.target;
    this.list = list;
    this.lookup = lookup;
    this.#clock = clock;
    this.#table = table;
    this.#logger = logger;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  addListener(listener: EndpointListener): void {
    this.#listeners.add(listener);
  }

  removeListener(listener: EndpointListener): void {
    this.#listeners.delete(listener);
  }

  /** He has answered from there himself. News when it is another address, or after a silence in which `endpoints` left it out. */
  confirmed(endpoint: Endpoint): void {
    this.lookup.settle();
    const known = this.#freshDirect(endpoint.family);
    this.#direct.set(endpoint.family, { endpoint, at: this.#clock.monotonic(), lost: false });
    if (known === undefined || !sameEndpoint(known, endpoint)) this.#report(endpoint);
  }

  /** `teller`, who is at `from`, says that he is there. Believed only as far as a session's first packet goes. */
  told(endpoint: Endpoint, teller: PublicKey, from: Endpoint): void {
    const isNews = this.#told.add(endpoint, teller, from, this.#clock.monotonic());
    if (isNews && this.#freshDirect(endpoint.family) === undefined) this.#report(endpoint);
    this.puncher?.consider();
  }

  /** He does not answer at that address any longer: the search begins anew. */
  lost(association: Association): void {
    const { family } = association.endpoint;
    const known = this.#direct.get(family);
    if (known === undefined || !sameEndpoint(known.endpoint, association.endpoint)) return;
    this.#direct.set(family, { ...known, lost: true });
    this.#told.forgetReports();
    if (this.isDirect) return;
    this.lookup.hurry();
    this.puncher?.consider();
  }

  /** Whether he answers us himself. */
  get isDirect(): boolean {
    return this.#freshDirect(4) !== undefined || this.#freshDirect(6) !== undefined;
  }

  /** Where nodes that have nothing to do with one another see him. */
  agreed(family: IpFamily): AgreedAddress | undefined {
    return this.#told.agreed(family, this.#clock.monotonic());
  }

  /** What his router does to his ports. */
  seenAs(family: IpFamily): SeenAs | undefined {
    return this.#told.seenAs(family, this.#clock.monotonic());
  }

  /**
   * Direct addresses first, then what others say, newest first, then where he was until lately: when it was the network that
   * failed, he still is.
   */
  endpoints(): Endpoint[] {
    const now = this.#clock.monotonic();
    const entry = this.#table.get(this.target);
    const direct = [entry?.ipv4, entry?.ipv6]
      .filter((association) => association?.isGood(now) === true)
      .sort((a, b) => (b?.lastSeen ?? 0) - (a?.lastSeen ?? 0))
      .flatMap((association) => association?.endpoint ?? []);
    const all: Endpoint[] = [];
    const earlier = [...this.#direct.values()].filter(({ at }) => now - at < KILL_NODE_TIMEOUT);
    for (const endpoint of [...direct, ...this.#told.endpoints(now), ...earlier.map(({ endpoint }) => endpoint)]) {
      if (!all.some((known) => sameEndpoint(known, endpoint))) all.push(endpoint);
    }
    return all;
  }

  /** Where to leave a packet for him: the nodes that know him, else those next to him; himself when he answers us. */
  waysTo(): Endpoint[] {
    const now = this.#clock.monotonic();
    const tellers = this.#told.tellers(now).flatMap((teller) => this.#table.get(teller) ?? []);
    const others = tellers.length > 0 ? new Set(tellers) : this.list.nodes();
    const own = this.#table.get(this.target);
    const entries = new Set([...(own === undefined ? [] : [own]), ...others]);
    return [...entries].flatMap((entry) => entry.best(now)?.endpoint ?? []);
  }

  #freshDirect(family: 4 | 6): Endpoint | undefined {
    const known = this.#direct.get(family);
    return known && !known.lost && this.#clock.monotonic() - known.at < BAD_NODE_TIMEOUT ? known.endpoint : undefined;
  }

  #report(endpoint: Endpoint): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(endpoint);
      } catch (error) {
        this.#logger.error("a listener failed", { event: "endpoint", reason: String(error) });
      }
    }
  }
}
