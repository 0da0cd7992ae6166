import type { PublicKey } from "../crypto/keys.ts";
import type { Endpoint } from "../env/datagram.ts";
import { sameBytes } from "../util/bytes.ts";
import { sameEndpoint } from "../util/endpoint.ts";
import { BAD_NODE_TIMEOUT } from "./node_entry.ts";

interface Told {
  readonly teller: PublicKey;
  readonly endpoint: Endpoint;
  readonly at: number;
}

/** Two of each of the nodes in a friend's list. */
const MAX_TOLD = 16;
/** An address is passed on again when it is still told after this long, in ms. */
const REPEAT_INTERVAL = 30_000;

/**
 * Where others say that a node is: toxcore's ret_ip_port. Each teller has one word for each family, so that a liar cannot
 * crowd out the rest.
 */
export class ToldEndpoints {
  readonly #told: Told[] = []; // newest last, bounded by MAX_TOLD
  readonly #reported: { readonly endpoint: Endpoint; readonly at: number }[] = []; // bounded by MAX_TOLD

  /** True when the address is news. */
  add(endpoint: Endpoint, teller: PublicKey, now: number): boolean {
    const previous = this.#told.findIndex(
      (told) => told.endpoint.family === endpoint.family && sameBytes(told.teller, teller),
    );
    if (previous >= 0) this.#told.splice(previous, 1);
    else if (this.#told.length >= MAX_TOLD) this.#told.shift();
    this.#told.push({ teller: teller.slice() as PublicKey, endpoint, at: now });
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
