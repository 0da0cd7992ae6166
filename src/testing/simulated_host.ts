import type { BindOptions, DatagramPort, DatagramSocket, Endpoint, IpFamily } from "../env/datagram.ts";
import type { Edges } from "../env/edges.ts";
import { type Logger, silentLogger } from "../env/logger.ts";
import { MemoryMetrics } from "../env/metrics.ts";
import type { Resolver } from "../env/resolver.ts";
import { sameBytes } from "../util/bytes.ts";
import { formatAddress, formatEndpoint, parseAddress } from "../util/endpoint.ts";
import { ToxError } from "../util/tox_error.ts";
import type { SeededRandom } from "./seeded_random.ts";
import type { Segment, StreamSettings } from "./segment.ts";
import type { SimNat } from "./simulated_nat.ts";
import { SimulatedSocket, type SocketHost } from "./simulated_socket.ts";
import { SimulatedStreams, type StreamsHost } from "./simulated_streams.ts";
import type { Timeline } from "./timeline.ts";
import { Uplink, type UplinkProperties } from "./uplink.ts";
import type { VirtualClock } from "./virtual_clock.ts";

export interface HostOptions {
  /** The address in text; false for a host without IPv4. When left out, one in a network (/24) of its own. */
  readonly ipv4?: string | false;
  /** The address in text, or true for one in a network (/64) of its own. A host has none when left out. */
  readonly ipv6?: string | boolean;
  readonly logger?: Logger;
  /** The host's own line: bytes a second, and how many may wait before `send` answers false. Unlimited when left out. */
  readonly uplink?: UplinkProperties;
  /** The NAT that the host is behind, for IPv4; none when left out. */
  readonly behind?: SimNat;
  /** False: a firewall drops UDP both ways, without a word. */
  readonly udp?: boolean;
}

/** The `Edges` of a host, with its metrics readable and its clock's timers countable. */
export interface SimEdges extends Edges {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly metrics: MemoryMetrics;
  readonly streams: SimulatedStreams;
}

/** What a host asks of the network it is in. */
export interface HostNetwork {
  readonly timeline: Timeline;
  readonly resolver: Resolver;
  readonly streams: StreamSettings;
  transmitSegment(host: SimHost, from: Endpoint, to: Endpoint, segment: Segment): void;
  transmit(host: SimHost, from: Endpoint, to: Endpoint, bytes: Uint8Array): void;
  register(host: SimHost, address: Uint8Array): void;
  unregister(host: SimHost, address: Uint8Array): void;
  intern(address: Uint8Array, port: number): Endpoint;
}

const FIRST_EPHEMERAL_PORT = 49152;

/** A machine in a `Universe`: one instance runs on its `edges`. */
export class SimHost implements DatagramPort, SocketHost {
  readonly name: string;
  readonly edges: SimEdges;
  /** The NAT it is behind, for IPv4. */
  readonly behind: SimNat | undefined;
  readonly #network: HostNetwork;
  readonly #uplink: Uplink;
  readonly #sockets = new Map<number, SimulatedSocket>(); // by port and family; bounded by the ports there are
  readonly #addresses = new Map<IpFamily, Uint8Array>(); // at most two
  #online = true;
  #udpBlocked: boolean;

  constructor(
    name: string,
    addresses: readonly Uint8Array[],
    options: HostOptions,
    network: HostNetwork,
    clock: VirtualClock,
    random: SeededRandom,
  ) {
    this.name = name;
    this.#network = network;
    this.behind = options.behind;
    this.#uplink = new Uplink(options.uplink);
    this.#udpBlocked = options.udp === false;
    this.edges = {
      clock,
      random,
      datagrams: this,
      streams: new SimulatedStreams(this.#streamsHost()),
      resolver: network.resolver,
      logger: options.logger ?? silentLogger,
      metrics: new MemoryMetrics(),
    };
    for (const address of addresses) this.#take(address);
  }

  /** The IPv4 address in text, or the IPv6 one of a host that has no other. */
  get address(): string {
    const address = this.addressOf(4) ?? this.addressOf(6);
    return address === undefined ? "" : formatAddress(address);
  }

  addressOf(family: IpFamily): Uint8Array | undefined {
    return this.#addresses.get(family);
  }

  /** Where a socket on `port` is reached. */
  endpoint(port: number, family: IpFamily = this.#addresses.has(4) ? 4 : 6): Endpoint {
    const address = this.addressOf(family);
    if (address === undefined) throw new Error(`The host ${this.name} has no IPv${family} address.`);
    return this.#network.intern(address, port);
  }

  get online(): boolean {
    return this.#online;
  }

  /** The sockets bound now. */
  get sockets(): readonly SimulatedSocket[] {
    return [...this.#sockets.values()];
  }

  socketAt(family: IpFamily, port: number): SimulatedSocket | undefined {
    return this.#sockets.get(socketKey(family, port));
  }

  /** Pulls the cable: nothing leaves, nothing arrives, and nobody is told. */
  goOffline(): void {
    this.#online = false;
  }

  goOnline(): void {
    this.#online = true;
  }

  /** Whether a firewall drops UDP. */
  get udpBlocked(): boolean {
    return this.#udpBlocked;
  }

  /** Puts up, or takes down, a firewall that drops UDP both ways without a word; loopback passes. */
  blockUdp(on = true): void {
    this.#udpBlocked = on;
  }

  /** Changes the host's address of that family; its sockets stay and send from the new one. */
  moveTo(addressText: string): void {
    const address = parseAddress(addressText);
    if (address === undefined) throw new Error(`${addressText} is no address.`);
    this.#take(address);
    const family = address.length === 4 ? 4 : 6;
    for (const socket of this.#sockets.values()) {
      if (socket.family === family) socket.local = this.#network.intern(address, socket.port);
    }
  }

  /**
   * Ends whatever runs here without a good-bye: timers, sockets and streams are gone; peers of
   * streams see a reset, unless the host is offline. The host serves for a new instance.
   */
  crash(): void {
    this.edges.clock.clear();
    this.edges.streams.crash();
    for (const socket of this.sockets) socket.close();
  }

  async bind(options: BindOptions): Promise<DatagramSocket> {
    const { family, address: asked } = options;
    const own = this.#addresses.get(family);
    if (own === undefined) throw new ToxError("family-unavailable", `The host ${this.name} has no IPv${family}.`);
    if (asked !== undefined) {
      const bytes = parseAddress(asked);
      if (bytes === undefined || !(sameBytes(bytes, own) || bytes.every((byte) => byte === 0))) {
        throw new ToxError("invalid-argument", `The host ${this.name} does not have the address ${asked}.`);
      }
    }
    const port = options.port === 0 ? this.#freePort(family) : options.port;
    const local = this.#network.intern(own, port);
    if (this.socketAt(family, port)) {
      throw new ToxError("port-in-use", `${formatEndpoint(local)} is taken on the host ${this.name}.`);
    }
    const socket = new SimulatedSocket(this, local);
    this.#sockets.set(socketKey(family, port), socket);
    return socket;
  }

  send(socket: SimulatedSocket, bytes: Uint8Array, to: Endpoint): boolean {
    if (to.family !== socket.family) throw new Error(`An IPv${socket.family} socket sent to ${formatEndpoint(to)}.`);
    const { timeline } = this.#network;
    const departure = this.#uplink.departure(timeline.now, bytes.length);
    if (departure === undefined) {
      timeline.schedule(this.#uplink.halfEmptyAt(timeline.now), () => socket.onWritable?.());
      return false;
    }
    const from = socket.local;
    if (departure <= timeline.now) this.#network.transmit(this, from, to, bytes);
    else timeline.schedule(departure, () => this.#network.transmit(this, from, to, bytes));
    return true;
  }

  socketClosed(socket: SimulatedSocket): void {
    this.#sockets.delete(socketKey(socket.family, socket.port));
  }

  #streamsHost(): StreamsHost {
    const network = this.#network;
    return {
      name: this.name,
      timeline: network.timeline,
      settings: network.streams,
      uplink: this.#uplink,
      addressOf: (family) => this.addressOf(family),
      intern: (address, port) => network.intern(address, port),
      resolve: (name) => network.resolver.resolve(name),
      transmit: (segment, from, to) => network.transmitSegment(this, from, to, segment),
    };
  }

  #freePort(family: IpFamily): number {
    let port = FIRST_EPHEMERAL_PORT;
    while (this.socketAt(family, port)) port++;
    return port;
  }

  #take(address: Uint8Array): void {
    const family = address.length === 4 ? 4 : 6;
    const before = this.#addresses.get(family);
    this.#network.register(this, address);
    if (before !== undefined) this.#network.unregister(this, before);
    this.#addresses.set(family, address);
  }
}

function socketKey(family: IpFamily, port: number): number {
  return family === 4 ? port : port + 0x10000;
}
