import type { Endpoint } from "../env/datagram.ts";
import type { Resolver } from "../env/resolver.ts";
import { endpointKey, isLoopback, makeEndpoint, parseAddress } from "../util/endpoint.ts";
import { ToxError } from "../util/tox_error.ts";
import { defaultLink, Link, type LinkProperties } from "./link.ts";
import { type Departure, Router } from "./router.ts";
import type { SeededRandom } from "./seeded_random.ts";
import { defaultStreamSettings, type Segment, type StreamSettings } from "./segment.ts";
import type { HostNetwork, SimHost } from "./simulated_host.ts";
import type { NetworkNode, Realm } from "./simulated_nat.ts";
import type { Timeline } from "./timeline.ts";
import type { Fate, Trace, TraceDetails } from "./trace.ts";

/**
 * Answers false to make a datagram vanish. `bytes` must not be kept or changed; `from` is the sender as seen outside its
 * NATs, `to` what it sent to.
 */
export type DatagramFilter = (bytes: Uint8Array, from: Endpoint, to: Endpoint) => boolean;

/**
 * Answers false to make the segments of a stream vanish, in both directions: to connect hangs, an open stream stalls.
 * `client` connected (as seen outside its NATs) to `server`: a firewall that lets only one port out is
 * `(client, server) => server.port === 443`.
 */
export type StreamFilter = (client: Endpoint, server: Endpoint) => boolean;

/** Something under way: a datagram, or a segment of a stream. */
interface Packet {
  readonly host: SimHost;
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly bytes: Uint8Array;
  readonly segment: Segment | undefined;
}

/** What carries datagrams and streams between the hosts of a universe. Same seed, same fate for each. */
export class SimulatedNetwork implements HostNetwork {
  readonly timeline: Timeline;
  readonly resolver: Resolver = { resolve: (name) => this.#resolve(name) };
  /** How TCP behaves. Set before streams are opened. */
  readonly streams: StreamSettings = { ...defaultStreamSettings };
  readonly #random: SeededRandom;
  /** Streams draw from their own, so that they do not change what becomes of datagrams. */
  readonly #streamRandom: SeededRandom;
  readonly #trace: Trace;
  readonly #router = new Router();
  readonly #names = new Map<string, Uint8Array[]>(); // bounded by the test
  readonly #endpoints = new Map<string, Endpoint>(); // bounded by the sockets the test opens
  readonly #links = new Map<NetworkNode, Map<NetworkNode, Link>>(); // bounded by the pairs of hosts
  readonly #overrides = new Map<NetworkNode, Map<NetworkNode, Partial<LinkProperties>>>(); // bounded by the pairs of hosts
  readonly #filters = new Set<DatagramFilter>(); // bounded by the test
  readonly #streamFilters = new Set<StreamFilter>(); // bounded by the test
  #partitions: Array<readonly [ReadonlySet<SimHost>, ReadonlySet<SimHost>]> = []; // bounded by the test
  #defaults: LinkProperties;

  constructor(timeline: Timeline, random: SeededRandom, trace: Trace, link: Partial<LinkProperties> = {}) {
    this.timeline = timeline;
    this.#random = random;
    this.#streamRandom = random.fork("streams");
    this.#trace = trace;
    this.#defaults = { ...defaultLink, ...link };
  }

  /** Where public addresses are. */
  get internet(): Realm {
    return this.#router.internet;
  }

  /** Changes how every pair of hosts is linked that has nothing of its own. */
  setDefaultLink(properties: Partial<LinkProperties>): void {
    this.#defaults = { ...this.#defaults, ...properties };
    for (const [from, links] of this.#links) {
      for (const [to, link] of links) link.properties = this.#propertiesOf(from, to);
    }
  }

  /** Changes the link between two hosts, both ways; what is not named stays as it was or as the default has it. */
  setLink(a: NetworkNode, b: NetworkNode, properties: Partial<LinkProperties>): void {
    this.setLinkOneWay(a, b, properties);
    this.setLinkOneWay(b, a, properties);
  }

  setLinkOneWay(from: NetworkNode, to: NetworkNode, properties: Partial<LinkProperties>): void {
    const overrides = rowOf(this.#overrides, from);
    overrides.set(to, { ...overrides.get(to), ...properties });
    this.#link(from, to).properties = this.#propertiesOf(from, to);
  }

  /** Nothing passes between the two groups any more; what is under way still arrives, and streams stall. Adds up. */
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

  /** Shows the ends of every stream to `filter`, for each segment of it, until the answer is called. */
  addStreamFilter(filter: StreamFilter): () => void {
    this.#streamFilters.add(filter);
    return () => void this.#streamFilters.delete(filter);
  }

  /** Puts up, or takes down, a firewall at the host that drops UDP both ways without a word. */
  blockUdp(host: SimHost, on = true): void {
    host.blockUdp(on);
  }

  /** Puts a datagram into the network with whatever source, as an attacker might: it arrives without delay or loss. */
  inject(bytes: Uint8Array, from: Endpoint, to: Endpoint): void {
    const copy = bytes.slice();
    const source = this.intern(from.address, from.port);
    const at = this.internet.find(to.address);
    this.timeline.schedule(this.timeline.now, () => this.#arrive(copy, { from: source, at }, to));
  }

  /** Names an address, or several, for every host's resolver. Hosts are known by their own names already. */
  addName(name: string, ...addresses: readonly Uint8Array[]): void {
    this.#names.set(name, [...addresses]);
  }

  transmit(host: SimHost, from: Endpoint, to: Endpoint, bytes: Uint8Array): void {
    this.#send({ host, from, to, bytes, segment: undefined });
  }

  transmitSegment(host: SimHost, from: Endpoint, to: Endpoint, segment: Segment): void {
    this.#send({ host, from, to, bytes: segment.bytes, segment });
  }

  register(host: SimHost, address: Uint8Array): void {
    this.#router.realmOf(host, address).add(address, host);
  }

  unregister(host: SimHost, address: Uint8Array): void {
    this.#router.realmOf(host, address).remove(address);
  }

  intern(address: Uint8Array, port: number): Endpoint {
    const endpoint = makeEndpoint(address, port);
    const key = endpointKey(endpoint);
    const known = this.#endpoints.get(key);
    if (known !== undefined) return known;
    this.#endpoints.set(key, endpoint);
    return endpoint;
  }

  #send(packet: Packet): void {
    const { host, from, to, bytes, segment } = packet;
    const protocol = segment === undefined ? "udp" : "tcp";
    const opens = segment === undefined || segment.kind === "connect";
    const here = !host.online || isLoopback(to.address);
    const way = here
      ? { from, at: host, fate: "delivered" as const }
      : this.#router.leave(host, protocol, from, to, opens);
    const fate = this.#route(packet, way);
    if (fate !== "delivered") this.#record(way.from, to, bytes, fate, packet);
  }

  /** Sends something on its way; "delivered" means that it will arrive. */
  #route(packet: Packet, way: Departure): Fate {
    const { host, from, to, bytes, segment } = packet;
    const { now } = this.timeline;
    if (!host.online) return "sender-offline";
    const loopback = isLoopback(to.address);
    if (segment === undefined && host.udpBlocked && !loopback) return "blocked";
    if (this.#filtered(packet, way.from)) return "filtered";
    if (way.at === undefined) return way.fate;
    if (way.at === host) {
      const source = loopback ? this.intern(to.address, from.port) : from;
      this.timeline.schedule(now, () => this.#arrive(bytes, { ...way, from: source }, to, packet));
      return "delivered";
    }
    const target = this.#router.behind(way.at, segment === undefined ? "udp" : "tcp", to);
    if (target !== undefined && this.#separated(host, target)) return "partitioned";
    const link = this.#link(host, target ?? way.at);
    if (segment !== undefined) {
      const arrival = link.segmentArrival(now, bytes.length, this.#streamRandom);
      if (typeof arrival === "string") return arrival;
      this.timeline.schedule(arrival, () => this.#arrive(bytes, way, to, packet));
      return "delivered";
    }
    const arrivals = link.arrivals(now, bytes.length, this.#random);
    if (typeof arrivals === "string") return arrivals;
    const [arrival, duplicateArrival] = arrivals;
    this.timeline.schedule(arrival, () => this.#arrive(bytes, way, to, packet));
    if (duplicateArrival !== undefined) {
      const duplicate = bytes.slice();
      this.timeline.schedule(duplicateArrival, () => this.#arrive(duplicate, way, to, packet));
    }
    return "delivered";
  }

  /** `packet` is missing for what was injected. */
  #arrive(bytes: Uint8Array, { from, at }: Pick<Departure, "from" | "at">, sentTo: Endpoint, packet?: Packet): void {
    const segment = packet?.segment;
    const { host, to, fate: entered } = this.#router.enter(at, segment === undefined ? "udp" : "tcp", from, sentTo);
    let fate = entered;
    if (host !== undefined) fate = this.#fateAt(host, to, packet);
    this.#record(from, sentTo, bytes, fate, packet, to);
    if (fate !== "delivered") return;
    if (segment !== undefined) host?.edges.streams.segmentArrived(segment, from, to);
    else host?.socketAt(to.family, to.port)?.deliver(bytes, from);
  }

  #fateAt(host: SimHost, to: Endpoint, packet: Packet | undefined): Fate {
    if (!host.online) return "receiver-offline";
    if (packet?.segment !== undefined) return "delivered";
    if (host.udpBlocked && !isLoopback(to.address)) return "blocked";
    return host.socketAt(to.family, to.port) === undefined ? "no-socket" : "delivered";
  }

  #filtered({ to, bytes, segment }: Packet, from: Endpoint): boolean {
    if (segment === undefined) {
      for (const filter of this.#filters) if (!filter(bytes, from, to)) return true;
      return false;
    }
    const [client, server] = segment.toServer ? [from, to] : [to, from];
    for (const filter of this.#streamFilters) if (!filter(client, server)) return true;
    return false;
  }

  #record(from: Endpoint, to: Endpoint, bytes: Uint8Array, fate: Fate, packet?: Packet, insideTo = to): void {
    if (!this.#trace.recording) return;
    const segment = packet?.segment?.kind;
    if (segment === "acknowledge" || segment === "probe") return;
    const insideFrom = packet?.from ?? from;
    const translated = isLoopback(to.address) ? false : insideFrom !== from || insideTo !== to;
    const details: TraceDetails | undefined =
      segment !== undefined || translated
        ? {
            ...(segment !== undefined && { segment }),
            ...(insideFrom !== from && translated && { insideFrom }),
            ...(insideTo !== to && { insideTo }),
          }
        : undefined;
    this.#trace.record(this.timeline.now, from, to, bytes, fate, details);
  }

  #separated(a: SimHost, b: SimHost): boolean {
    for (const [left, right] of this.#partitions) {
      if ((left.has(a) && right.has(b)) || (left.has(b) && right.has(a))) return true;
    }
    return false;
  }

  #link(from: NetworkNode, to: NetworkNode): Link {
    const links = rowOf(this.#links, from);
    const known = links.get(to);
    if (known !== undefined) return known;
    const link = new Link(this.#propertiesOf(from, to));
    links.set(to, link);
    return link;
  }

  #propertiesOf(from: NetworkNode, to: NetworkNode): LinkProperties {
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

function rowOf<V>(table: Map<NetworkNode, Map<NetworkNode, V>>, from: NetworkNode): Map<NetworkNode, V> {
  let row = table.get(from);
  if (row === undefined) {
    row = new Map();
    table.set(from, row);
  }
  return row;
}
