import { Crypto } from "../../src/crypto/crypto.ts";
import { Dht } from "../../src/dht/dht.ts";
import type { Endpoint } from "../../src/env/datagram.ts";
import { UdpNetwork } from "../../src/network/udp_network.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { type SimHost, Universe } from "../../src/testing/index.ts";
import { startCounting } from "../support/allocation.ts";

export const PORT = 33445;

/** A DHT node on a simulated host, with nothing above it. */
export interface SimulatedNode {
  readonly host: SimHost;
  readonly crypto: Crypto;
  readonly network: UdpNetwork;
  readonly dht: Dht;
  readonly endpoint: Endpoint;
}

export async function startNode(host: SimHost): Promise<SimulatedNode> {
  const { clock, datagrams, random, logger, metrics } = host.edges;
  const crypto = new Crypto(sodiumProvider, random);
  const network = await UdpNetwork.bind(datagrams, { ports: [PORT] }, metrics);
  const dht = new Dht({ network, clock, crypto, logger, metrics });
  return { host, crypto, network, dht, endpoint: host.endpoint(PORT) };
}

export interface SimulatedNetwork {
  readonly universe: Universe;
  readonly nodes: readonly SimulatedNode[];
}

/** So many nodes that have found one another through the first of them. */
export async function settledNetwork(count: number): Promise<SimulatedNetwork> {
  const universe = new Universe({ seed: "bench" });
  const nodes: SimulatedNode[] = [];
  for (let i = 0; i < count; i++) nodes.push(await startNode(universe.host(`node ${i}`)));
  const [first, ...others] = nodes;
  if (first !== undefined) for (const { dht } of others) dht.bootstrap(first.endpoint, first.dht.publicKey);
  await universe.run(20_000);
  return { universe, nodes };
}

/** What a stretch of simulated life cost. */
export interface Spent {
  readonly virtualMs: number;
  readonly cpuMs: number;
  readonly bytes: number;
  readonly datagrams: number;
}

/** Lives through `story`; the universe's own work counts too. */
export async function spend(universe: Universe, story: () => Promise<void>): Promise<Spent> {
  let datagrams = 0;
  const stopFilter = universe.network.addFilter(() => {
    datagrams++;
    return true;
  });
  const counting = startCounting();
  const start = universe.now;
  const cpu = process.cpuUsage();
  await story();
  const { user, system } = process.cpuUsage(cpu);
  const bytes = counting.stop();
  stopFilter();
  return { virtualMs: universe.now - start, cpuMs: (user + system) / 1000, bytes, datagrams };
}
