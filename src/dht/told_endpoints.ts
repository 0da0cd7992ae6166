import type { PublicKey } from "../crypto/keys.ts";
import type { Endpoint, IpFamily } from "../env/datagram.ts";
import { sameBytes } from "../util/bytes.ts";
import { isLanAddress, makeEndpoint, sameEndpoint, siteNumber } from "../util/endpoint.ts";
import { BAD_NODE_TIMEOUT } from "./node_entry.ts";

interface Told {
  readonly teller: PublicKey;
  readonly endpoint: Endpoint;
  readonly at: number;
  /** The teller's /24 or /48. */
  readonly network: number;
}

/** Where several nodes that have nothing to do with one another see somebody. */
export interface AgreedAddress {
  readonly address: Uint8Array;
  /** Those they see him at, newest first, one for each of them. */
  readonly ports: readonly number[];
}

/** Where a node's router shows it to others: behind one port for all, or behind another one for each. */
export interface SeenAs {
  readonly kind: "stable" | "random";
  /** One that he is seen at. */
  readonly endpoint: Endpoint;
}

/** Two of each of the nodes in a friend's list. */
const MAX_TOLD = 16;
/** An address is passed on again when it is still told after this long, in ms. */
const REPEAT_INTERVAL = 30_000;
/** So many networks must see him at an address before we trust it with more than a request. */
const NETWORKS_TO_AGREE = 2;

/**
 * Where others say that a node is: toxcore's ret_ip_port. Each teller has one word for each family, so that a liar cannot
 * crowd out the rest.
 */
export class ToldEndpoints {
  readonly #told: Told[] = []; // newest last, bounded by MAX_TOLD
  readonly #reported: { readonly endpoint: Endpoint; readonly at: number }[] = []; // bounded by MAX_TOLD

  /** What `teller`, who is at `from`, says. True when the address is news. */
  add(endpoint: Endpoint, teller: PublicKey, from: Endpoint, now: number): boolean {
    const previous = this.#told.findIndex(
      (told) => told.endpoint.family === endpoint.family && sameBytes(told.teller, teller),
    );
    if (previous >= 0) this.#told.splice(previous, 1);
    else if (this.#told.length >= MAX_TOLD) this.#told.shift();
    this.#told.push({ teller: teller.slice() as PublicKey, endpoint, at: now, network: siteNumber(from) });
    return this.#isNews(endpoint, now);
  }

  /** Lets addresses that are still told be news again. */
  forgetReports(): void {
    this.#reported.length = 0;
  }

  /** Newest first. */
  endpoints(now: number): Endpoint[] {
    const fresh = this.#told.filter((told) => now - told.at < BAD_NODE_TIMEOUT);
    return fresh.reverse().map((told) => told.endpoint);
  }

  /** The keys of those who know him. */
  tellers(now: number): PublicKey[] {
    return this.#told.filter((told) => now - told.at < BAD_NODE_TIMEOUT).map((told) => told.teller);
  }

  /**
   * The public address that at least half of the tellers agree on, who live in two networks or more: a liar, or a few in one
   * place, must not choose whom we send much to. toxcore asks for four tellers of eight.
   */
  agreed(family: IpFamily, now: number): AgreedAddress | undefined {
    const fresh = this.#told.filter(
      ({ endpoint, at }) =>
        endpoint.family === family && now - at < BAD_NODE_TIMEOUT && !isLanAddress(endpoint.address),
    );
    for (const { endpoint } of fresh.toReversed()) {
      const same = fresh.filter((told) => sameBytes(told.endpoint.address, endpoint.address));
      const networks = new Set(same.map(({ network }) => network)).size;
      if (networks < NETWORKS_TO_AGREE || 2 * same.length < fresh.length) continue;
      return { address: endpoint.address, ports: same.reverse().map((told) => told.endpoint.port) };
    }
    return undefined;
  }

  /** What his router does, as far as those who agree on his address can tell. */
  seenAs(family: IpFamily, now: number): SeenAs | undefined {
    const agreed = this.agreed(family, now);
    const [newest] = agreed?.ports ?? [];
    if (agreed === undefined || newest === undefined) return undefined;
    const votes = new Map<number, number>(); // bounded by MAX_TOLD
    for (const port of agreed.ports) votes.set(port, (votes.get(port) ?? 0) + 1);
    const [port, count] = [...votes].reduce((best, other) => (other[1] > best[1] ? other : best));
    const stable = 2 * count > agreed.ports.length;
    return { kind: stable ? "stable" : "random", endpoint: makeEndpoint(agreed.address, stable ? port : newest) };
  }

  #isNews(endpoint: Endpoint, now: number): boolean {
    const last = this.#reported.findIndex((report) => sameEndpoint(report.endpoint, endpoint));
    const reportedAt = this.#reported[last]?.at ?? Number.NEGATIVE_INFINITY;
    if (now - reportedAt < REPEAT_INTERVAL) return false;
    if (last >= 0) this.#reported.splice(last, 1);
    else if (this.#reported.length >= MAX_TOLD) this.#reported.shift();
    this.#reported.push({ endpoint, at: now });
    return true;
  }
}
