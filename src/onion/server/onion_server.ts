import type { Crypto } from "../../crypto/crypto.ts";
import { KeyBudget, servingShares } from "../../crypto/key_budget.ts";
import type { Clock } from "../../env/clock.ts";
import type { Logger } from "../../env/logger.ts";
import type { Metrics } from "../../env/metrics.ts";
import type { UdpNetwork } from "../../network/udp_network.ts";
import type { OnionDht } from "../ports.ts";
import { AnnounceNode } from "./announce_node.ts";
import { OnionRelay } from "./onion_relay.ts";

export interface OnionServerOptions {
  readonly network: UdpNetwork;
  readonly dht: OnionDht;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Of the time, for strangers' keys where there are no friends: the DHT's packets need time as well. */
const SHARE = 0.3;

/** What a node does for the onion paths of others: passes their packets on, and keeps the announcements nearest to it. */
export class OnionServer {
  readonly #relay: OnionRelay;
  readonly #announceNode: AnnounceNode;
  readonly #logger: Logger;
  /** Whether there are friends whom strangers' packets must not keep waiting. */
  hasFriends: (() => boolean) | undefined;

  constructor({ network, dht, clock, crypto, metrics, logger }: OnionServerOptions) {
    this.#logger = logger;
    const budget = new KeyBudget(
      clock,
      servingShares(() => this.hasFriends?.() ?? false, SHARE),
    );
    this.#relay = new OnionRelay(crypto, network, clock, metrics, dht, budget);
    this.#announceNode = new AnnounceNode(crypto, network, dht, clock, metrics, budget);
  }

  /** For the clients of a TCP relay of ours. */
  get relay(): OnionRelay {
    return this.#relay;
  }

  /** Announcements held now, those too old included until their place is needed. */
  get announcements(): number {
    return this.#announceNode.size;
  }

  /** Ends it: packets of these kinds are unknown afterwards, and every key is wiped. */
  close(): void {
    this.#relay.close();
    this.#announceNode.close();
    this.#logger.debug("onion server closed");
  }
}
