import type { PublicKey } from "../crypto/keys.ts";
import type { Cancel, Clock } from "../env/clock.ts";
import type { Endpoint, IpFamily } from "../env/datagram.ts";
import type { Interfaces } from "../env/interfaces.ts";
import type { Metrics } from "../env/metrics.ts";
import { dropCounter } from "../network/drop_counter.ts";
import type { UdpNetwork } from "../network/udp_network.ts";
import { sameBytes } from "../util/bytes.ts";
import { isLanAddress } from "../util/endpoint.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import { decodeLanDiscovery, encodeLanDiscovery, LAN_DISCOVERY_SIZE } from "../wire/dht/lan_discovery.ts";
import type { Drop } from "../wire/drop.ts";
import { PacketId } from "../wire/packet_ids.ts";
import { isNodeAddress, normalizedEndpoint } from "./addresses.ts";

/** LAN_discovery.h LAN_DISCOVERY_INTERVAL, in ms. */
const INTERVAL = 10_000;
/** Networks may come and go quickly: two rounds are so far apart at least, in ms. */
const SHORTEST_INTERVAL = 1_000;
/** tox.h TOX_DEFAULT_PORT: told each time. */
const DEFAULT_PORT = 33445;
/** The others that instances bind, as many in each round. friend_connection.c leaves out the last, 33545, too. */
const FIRST_PORT = 33446;
const LAST_PORT = 33544;
const PORTS_IN_ROUND = 10;
/** Strangers asked at once, and ms for one in the long run: whoever floods the LAN makes us do no more. */
const BURST = 16;
const ALLOWANCE_INTERVAL = 500;

export interface LanDiscoveryOptions {
  readonly network: UdpNetwork;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly interfaces: Interfaces;
  readonly self: PublicKey;
  /** Whether this node has lately answered us there. */
  readonly isKnown: (publicKey: PublicKey, endpoint: Endpoint) => boolean;
  readonly ask: (publicKey: PublicKey, endpoint: Endpoint) => void;
}

/**
 * Tells everybody in the local networks of our node, and asks those who do the same for the way into the network. c-toxcore
 * `LAN_discovery.c`, `friend_connection.c` (lan_discovery), `DHT.c` (handle_lan_discovery).
 */
export class LanDiscovery {
  readonly #options: LanDiscoveryOptions;
  readonly #drop: Drop;
  readonly #packet = new Uint8Array(LAN_DISCOVERY_SIZE);
  readonly #allowance = new TokenBucket(BURST, ALLOWANCE_INTERVAL);
  readonly #offChange: () => void;
  #nextPort = FIRST_PORT;
  #sentAt = Number.NEGATIVE_INFINITY;
  #timer: Cancel | undefined;

  constructor(options: LanDiscoveryOptions) {
    this.#options = options;
    this.#drop = dropCounter(options.metrics, "lanDiscovery");
    encodeLanDiscovery(this.#packet, { publicKey: options.self });
    options.network.handle(PacketId.LanDiscovery, (packet, from) => this.#handle(packet, from));
    this.#offChange = options.interfaces.onChange(() => this.#arm(SHORTEST_INTERVAL));
    this.#arm(0);
  }

  stop(): void {
    this.#offChange();
    this.#timer?.();
    this.#timer = undefined;
    this.#options.network.handle(PacketId.LanDiscovery, undefined);
  }

  /** The next round, as soon as `interval` ms have passed since the last. */
  #arm(interval: number): void {
    const { clock } = this.#options;
    this.#timer?.();
    this.#timer = clock.at(Math.max(clock.monotonic(), this.#sentAt + interval), () => {
      this.#sentAt = clock.monotonic();
      this.#send();
      this.#arm(INTERVAL);
    });
  }

  #send(): void {
    const { network, interfaces, metrics } = this.#options;
    const ports = this.#portsOfRound();
    for (const family of FAMILIES) {
      if (!network.has(family)) continue;
      for (const port of ports) {
        for (const to of interfaces.neighbours(family, port)) {
          if (network.send(to, this.#packet)) metrics.count("dht.lanDiscovery.sent");
        }
      }
    }
  }

  #portsOfRound(): number[] {
    const ports = [DEFAULT_PORT];
    while (ports.length <= PORTS_IN_ROUND && this.#nextPort <= LAST_PORT) ports.push(this.#nextPort++);
    if (this.#nextPort > LAST_PORT) this.#nextPort = FIRST_PORT;
    return ports;
  }

  #handle(packet: Uint8Array, heardFrom: Endpoint): undefined {
    const { clock, metrics, self, isKnown, ask } = this.#options;
    const from = normalizedEndpoint(heardFrom);
    if (!isLanAddress(from.address) || !isNodeAddress(from)) return this.#drop("wrong-address");
    const discovery = decodeLanDiscovery(packet, this.#drop);
    if (discovery === undefined) return;
    const { publicKey } = discovery;
    if (sameBytes(publicKey, self)) return; // our own comes back to us
    metrics.count("dht.lanDiscovery.received");
    if (isKnown(publicKey, from)) return;
    if (!this.#allowance.take(clock.monotonic())) return this.#drop("rate-limited");
    ask(publicKey, from);
  }
}

const FAMILIES: readonly IpFamily[] = [4, 6];
