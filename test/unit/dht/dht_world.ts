import { Crypto } from "../../../src/crypto/crypto.ts";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import { Dht, type DhtOptions } from "../../../src/dht/dht.ts";
import type { Endpoint } from "../../../src/env/datagram.ts";
import { UdpNetwork } from "../../../src/network/udp_network.ts";
import { loadCryptoProvider } from "../../../src/node/crypto_loader.ts";
import { type HostOptions, type SimHost, Universe, type UniverseOptions } from "../../../src/testing/index.ts";

export const PORT = 33445;
/** The native provider where it loads: X25519 in JavaScript would take the greater part of these tests' time. */
export const provider = await loadCryptoProvider();

export interface WorldNode {
  readonly name: string;
  readonly host: SimHost;
  readonly network: UdpNetwork;
  readonly crypto: Crypto;
  readonly dht: Dht;
  readonly endpoint: Endpoint;
  readonly publicKey: PublicKey;
  count(metric: string): number;
}

/** Bare DHT nodes in a universe. */
export class DhtWorld {
  readonly universe: Universe;

  constructor(options: UniverseOptions = {}) {
    this.universe = new Universe(options);
  }

  async node(name: string, hostOptions: HostOptions = {}, options: Partial<DhtOptions> = {}): Promise<WorldNode> {
    const host = this.universe.host(name, hostOptions);
    return this.start(name, host, options);
  }

  async start(name: string, host: SimHost, options: Partial<DhtOptions> = {}): Promise<WorldNode> {
    const { clock, datagrams, random, logger, metrics } = host.edges;
    const crypto = new Crypto(provider, random);
    const network = await UdpNetwork.bind(datagrams, { ports: [PORT] }, metrics);
    const dht = new Dht({ network, clock, crypto, logger, metrics, ...options });
    const { publicKey } = dht;
    return {
      name,
      host,
      network,
      crypto,
      dht,
      endpoint: host.endpoint(PORT),
      publicKey,
      count: (metric) => metrics.get(metric),
    };
  }

  /** `count` nodes, each of which has the first as its bootstrap node. */
  async crowd(count: number, prefix = "n"): Promise<WorldNode[]> {
    const nodes: WorldNode[] = [];
    for (let i = 0; i < count; i++) nodes.push(await this.node(`${prefix}${i}`));
    for (const node of nodes.slice(1)) join(node, nodes[0] as WorldNode);
    return nodes;
  }
}

export function join(node: WorldNode, through: WorldNode): void {
  node.dht.bootstrap(through.endpoint, through.publicKey);
}

export function stop(node: WorldNode): void {
  node.dht.close();
  node.network.close();
}

export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
