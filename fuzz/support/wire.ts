import type { Crypto } from "../../src/crypto/crypto.ts";
import type { BindOptions, DatagramPort, DatagramSocket, Endpoint } from "../../src/env/datagram.ts";
import { MemoryMetrics } from "../../src/env/metrics.ts";
import { UdpNetwork } from "../../src/network/udp_network.ts";
import { MemoryLogger } from "../../src/testing/memory_logger.ts";
import { SimulatedSocket, type SocketHost } from "../../src/testing/simulated_socket.ts";
import { Timeline } from "../../src/testing/timeline.ts";
import { VirtualClock } from "../../src/testing/virtual_clock.ts";
import { endpointKey, makeEndpoint, parseAddress } from "../../src/util/endpoint.ts";
import { ToxError } from "../../src/util/tox_error.ts";
import { PacketId } from "../../src/wire/packet_ids.ts";
import { Broken } from "./broken.ts";
import { fuzzCrypto } from "./memoised_crypto.ts";
import { computed } from "./unhurried.ts";

export interface Datagram {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly bytes: Uint8Array;
}

/** More events than this without time passing, or in one step of a program, follow one another for ever. */
const MAX_EVENTS = 60_000;
const WALL_START = 1_700_000_000;

const endpoints = new Map<string, Endpoint>(); // bounded by what the targets name

/** Equal texts give one object, as at the edges. */
export function at(address: string, port = 33445): Endpoint {
  const name = `${address} ${port}`;
  const known = endpoints.get(name);
  if (known !== undefined) return known;
  const bytes = parseAddress(address);
  if (bytes === undefined) throw new Error(`${address} is no address.`);
  const endpoint = makeEndpoint(bytes, port);
  endpoints.set(name, endpoint);
  return endpoint;
}

/** A network without hosts and without promises: datagrams and timers happen when a program says so, each in one call. */
export class Wire implements SocketHost {
  readonly timeline = new Timeline();
  /** The longest time that a packet or a timer took, in ms of computing. */
  slowest = 0;
  /** Shown each datagram as it leaves. */
  onSent: ((sent: Datagram) => void) | undefined;
  /** How many ms a datagram takes, once for each copy that arrives. */
  fate: (sent: Datagram) => readonly number[] = () => ON_TIME;
  readonly #sockets = new Map<string, SimulatedSocket>(); // by endpoint, those that a target opens

  get now(): number {
    return this.timeline.now;
  }

  socket(endpoint: Endpoint): SimulatedSocket {
    const socket = new SimulatedSocket(this, endpoint);
    this.#sockets.set(endpointKey(endpoint), socket);
    return socket;
  }

  send(socket: SimulatedSocket, bytes: Uint8Array, to: Endpoint): boolean {
    const sent = { from: socket.local, to, bytes };
    this.onSent?.(sent);
    const receiver = this.#sockets.get(endpointKey(to));
    if (receiver === undefined) return true;
    for (const delay of this.fate(sent)) {
      this.timeline.schedule(this.now + delay, () => this.#deliver(receiver, bytes.slice(), sent.from));
    }
    return true;
  }

  /** The socket's host has another address from now on. */
  move(socket: SimulatedSocket, to: Endpoint): void {
    this.socketClosed(socket);
    socket.local = to;
    this.#sockets.set(endpointKey(to), socket);
  }

  socketClosed(socket: SimulatedSocket): void {
    this.#sockets.delete(endpointKey(socket.local));
  }

  /** A datagram arrives now, from wherever its sender says. */
  inject({ bytes, from, to }: Datagram): void {
    const receiver = this.#sockets.get(endpointKey(to));
    if (receiver !== undefined) this.#deliver(receiver, bytes.slice(), from);
  }

  /** Lets so many ms pass. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let events = 0; ; events++) {
      const start = computed();
      if (!this.timeline.step(end)) break;
      this.#measure(start);
      if (events > MAX_EVENTS) throw new Broken(`${MAX_EVENTS} events within ${ms} ms`);
    }
    this.timeline.advance(end);
  }

  #deliver(receiver: SimulatedSocket, bytes: Uint8Array, from: Endpoint): void {
    const start = computed();
    receiver.deliver(bytes, from);
    this.#measure(start);
  }

  #measure(start: number): void {
    this.slowest = Math.max(this.slowest, computed() - start);
  }
}

const ON_TIME: readonly number[] = [5];

/** A computer with a clock, keys and sockets of its own. */
export class Host implements DatagramPort {
  readonly wire: Wire;
  readonly endpoints: readonly Endpoint[];
  readonly crypto: Crypto;
  readonly clock: VirtualClock;
  readonly metrics = new MemoryMetrics();
  readonly logger = new MemoryLogger(20);
  readonly sockets: SimulatedSocket[] = []; // those that were ever opened

  constructor(wire: Wire, name: string, endpoints: readonly Endpoint[]) {
    this.wire = wire;
    this.endpoints = endpoints;
    this.crypto = fuzzCrypto(name);
    this.clock = new VirtualClock(wire.timeline, WALL_START);
  }

  open(endpoint: Endpoint): SimulatedSocket {
    const socket = this.wire.socket(endpoint);
    this.sockets.push(socket);
    return socket;
  }

  async bind({ family }: BindOptions): Promise<DatagramSocket> {
    const endpoint = this.endpoints.find((own) => own.family === family);
    if (endpoint === undefined) throw new ToxError("family-unavailable", `There is no IPv${family} here.`);
    return this.open(endpoint);
  }

  /** Where datagrams from `from` arrive. */
  endpointFor(from: Endpoint): Endpoint {
    return this.endpoints.find(({ family }) => family === from.family) ?? (this.endpoints[0] as Endpoint);
  }

  receive(bytes: Uint8Array, from: Endpoint): void {
    this.wire.inject({ bytes, from, to: this.endpointFor(from) });
  }

  /** No listener has failed, and no buffer was kept. */
  checkSound(): void {
    const failure = this.logger.lines.find(({ level }) => level === "error");
    if (failure !== undefined) throw new Broken(`${failure.message}: ${JSON.stringify(failure.fields)}`);
    for (const socket of this.sockets) {
      if (socket.acquiredCount > 0) throw new Broken(`${socket.acquiredCount} buffers are neither sent nor released`);
    }
  }

  /** To be called when the instance has been closed: it does nothing any more, whatever comes. */
  checkGone(): void {
    this.checkSound();
    if (this.clock.pending > 0) throw new Broken(`${this.clock.pending} timers are left after the end`);
    const { wire } = this;
    const { onSent } = wire;
    wire.onSent = (sent) => {
      if (this.endpoints.includes(sent.from)) throw new Broken(`a datagram ${sent.bytes[0]} is sent after the end`);
    };
    for (const id of Object.values(PacketId)) this.receive(new Uint8Array(120).fill(id, 0, 1), at("198.51.100.250"));
    this.wire.pass(10_000);
    wire.onSent = onSent;
  }
}

/** A host whose sockets a floor is given to work with. */
export class Machine extends Host {
  readonly network: UdpNetwork;

  constructor(wire: Wire, name: string, endpoints: readonly Endpoint[]) {
    super(wire, name, endpoints);
    this.network = new UdpNetwork(
      endpoints.map((endpoint) => this.open(endpoint)),
      this.metrics,
    );
  }
}
