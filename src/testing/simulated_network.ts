import type { Endpoint } from "../env/datagram.ts";
import type { Resolver } from "../env/resolver.ts";
import { endpointKey, formatAddress, makeEndpoint, parseAddress } from "../util/endpoint.ts";
import { KeyMap } from "../util/key_map.ts";
import { ToxError } from "../util/tox_error.ts";
import { defaultLink, Link, type LinkProperties } from "./link.ts";
import type { SeededRandom } from "./seeded_random.ts";
import type { HostNetwork, SimHost } from "./simulated_host.ts";
import type { Timeline } from "./timeline.ts";
import type { Fate, Trace } from "./trace.ts";

/** Answers false to make a datagram vanish. `bytes` must not be kept or changed. */
export type DatagramFilter = (bytes: Uint8Array, from: Endpoint, to: Endpoint) => boolean;

/** What carries datagrams between the hosts of a universe. Same seed, same fate for each. */
export class SimulatedNetwork implements HostNetwork {
  readonly timeline: Timeline;
  readonly resolver: Resolver = { resolve: (name) => this.#resolve(name) };
  readonly #random: SeededRandom;
  readonly #trace: Trace;
  readonly #hosts = new KeyMap<SimHost>(); // by address; bounded by the test
  readonly #names = new Map<string, Uint8Array[]>(); // bounded by the test
  readonly #endpoints = new Map<string, Endpoint>(); // bounded by the sockets the test opens
  readonly #links = new Map<SimHost, Map<SimHost, Link>>(); // bounded by the pairs of hosts
  readonly #overrides = new Map<SimHost, Map<SimHost, Partial<LinkProperties>>>(); // bounded by the pairs of hosts
  readonly #filters = new Set<DatagramFilter>(); // bounded by the test
  #partitions: Array<readonly [ReadonlySet<SimHost>, ReadonlySet<SimHost>]> = []; // bounded by the test
  #defaults: LinkProperties;

  constructor(timeline: Timeline, random: SeededRandom, trace: Trace, link: Partial<LinkProperties> = {}) {
    this.timeline = timeline;
    this.#random = random;
    this.#trace = trace;
    this.#defaults = { ...defaultLink, ...link };
  }

  /** Changes how every pair of hosts is linked that has nothing of its own. */
  setDefaultLink(properties: Partial<LinkProperties>): void {
    this.#defaults = { ...this.#defaults, ...properties };
    for (const [from, links] of this.#links) {
      for (const [to, link] of links) link.properties = this.#propertiesOf(from, to);
    }
  }

  /** Changes the link between two hosts, both ways; what is not named stays as it was or as the default has it. */
  setLink(a: SimHost, b: SimHost, properties: Partial<LinkProperties>): void {
    this.setLinkOneWay(a, b, properties);
    this.setLinkOneWay(b, a, properties);
  }

  setLinkOneWay(from: SimHost, to: SimHost, properties: Partial<LinkProperties>): void {
    const overrides = rowOf(this.#overrides, from);
    overrides.set(to, { ...overrides.get(to), ...properties });
    this.#link(from, to).properties = this.#propertiesOf(from, to);
  }

  /** Nothing passes between the two groups any more; what is under way still arrives. Adds to earlier partitions. */
  partition(groupA: Iterable<SimHost>, groupB: Iterable<SimHost>): void {
    this.#partitions.push([new Set(groupA), new Set(groupB)]);
  }

  /** Ends all partitions. */
  heal(): void {
    this.#partitions = [];
  }

  /** Shows every datagram that enters the network to `filter`, until the answer is called. */
  addFilter(filter: DatagramFilter): () => void {
    this.#filters.add(filter);
    return () => void this.#filters.delete(filter);
  }

  /** Puts a datagram into the network with whatever source, as an attacker might: it arrives without delay or loss. */
  inject(bytes: Uint8Array, from: Endpoint, to: Endpoint): void {
    const copy = bytes.slice();
    const source = this.intern(from.address, from.port);
    this.timeline.schedule(this.timeline.now, () => this.#arrive(copy, source, to, this.#hosts.get(to.address)));
  }

  /** Names an address, or several, for every host's resolver. Hosts are known by their own names already. */
  addName(name: string, ...addresses: readonly Uint8Array[]): void {
    this.#names.set(name, [...addresses]);
  }

  transmit(host: SimHost, from: Endpoint, to: Endpoint, bytes: Uint8Array): void {
    const fate = this.#route(host, from, to, bytes);
    if (fate !== "delivered") this.#trace.record(this.timeline.now, from, to, bytes, fate);
  }

  register(host: SimHost, address: Uint8Array): void {
    if (this.#hosts.has(address)) throw new Error(`Two hosts have the address ${formatAddress(address)}.`);
    this.#hosts.set(address, host);
  }

  unregister(address: Uint8Array): void {
    this.#hosts.delete(address);
  }

  intern(address: Uint8Array, port: number): Endpoint {
    const endpoint = makeEndpoint(address, port);
    const key = endpointKey(endpoint);
    const known = this.#endpoints.get(key);
    if (known !== undefined) return known;
    this.#endpoints.set(key, endpoint);
    return endpoint;
  }

  /** Sends a datagram on its way; "delivered" means that it will arrive. */
  #route(host: SimHost, from: Endpoint, to: Endpoint, bytes: Uint8Array): Fate {
    const { now } = this.timeline;
    if (!host.online) return "sender-offline";
    for (const filter of this.#filters) if (!filter(bytes, from, to)) return "filtered";
    const loopback = isLoopback(to);
    const target = loopback ? host : this.#hosts.get(to.address);
    if (target === undefined) return "no-host";
    if (target === host) {
      const source = loopback ? this.intern(to.address, from.port) : from;
      this.timeline.schedule(now, () => this.#arrive(bytes, source, to, host));
      return "delivered";
    }
    if (this.#separated(host, target)) return "partitioned";
    const arrivals = this.#link(host, target).arrivals(now, bytes.length, this.#random);
    if (typeof arrivals === "string") return arrivals;
    const [arrival, duplicateArrival] = arrivals;
    this.timeline.schedule(arrival, () => this.#arrive(bytes, from, to, target));
    if (duplicateArrival !== undefined) {
      const duplicate = bytes.slice();
      this.timeline.schedule(duplicateArrival, () => this.#arrive(duplicate, from, to, target));
    }
    return "delivered";
  }

  #arrive(bytes: Uint8Array, from: Endpoint, to: Endpoint, target: SimHost | undefined): void {
    const socket = target?.socketAt(to.family, to.port);
    let fate: Fate = "delivered";
    if (target === undefined) fate = "no-host";
    else if (!target.online) fate = "receiver-offline";
    else if (socket === undefined) fate = "no-socket";
    this.#trace.record(this.timeline.now, from, to, bytes, fate);
    if (fate === "delivered") socket?.deliver(bytes, from);
  }

  #separated(a: SimHost, b: SimHost): boolean {
    for (const [left, right] of this.#partitions) {
      if ((left.has(a) && right.has(b)) || (left.has(b) && right.has(a))) return true;
    }
    return false;
  }

  #link(from: SimHost, to: SimHost): Link {
    const links = rowOf(this.#links, from);
    const known = links.get(to);
    if (known !== undefined) return known;
    const link = new Link(this.#propertiesOf(from, to));
    links.set(to, link);
    return link;
  }

  #propertiesOf(from: SimHost, to: SimHost): LinkProperties {
    return { ...this.#defaults, ...this.#overrides.get(from)?.get(to) };
  }

  async #resolve(name: string): Promise<Uint8Array[]> {
    const literal = parseAddress(name);
    if (literal !== undefined) return [literal];
    const named = this.#names.get(name);
    if (named !== undefined) return named.map((address) => address.slice());
    throw new ToxError("host-not-found", `No host of the simulated network is called "${name}".`);
  }
}

function rowOf<V>(table: Map<SimHost, Map<SimHost, V>>, from: SimHost): Map<SimHost, V> {
  let row = table.get(from);
  if (row === undefined) {
    row = new Map();
    table.set(from, row);
  }
  return row;
}

function isLoopback(endpoint: Endpoint): boolean {
  const { address } = endpoint;
  if (endpoint.family === 4) return address[0] === 127;
  for (let i = 0; i < 15; i++) if (address[i] !== 0) return false;
  return address[15] === 1;
}
