import type { Endpoint, IpFamily } from "../env/datagram.ts";
import type {
  ConnectOptions,
  ListenOptions,
  StreamListener,
  StreamPort,
  StreamSocket,
  StreamTarget,
} from "../env/stream.ts";
import { sameBytes } from "../util/bytes.ts";
import { endpointKey, formatEndpoint, isLoopback, parseAddress } from "../util/endpoint.ts";
import { ToxError } from "../util/tox_error.ts";
import { makeSegment, type Segment, type StreamSettings } from "./segment.ts";
import { SimulatedStream, type StreamHost } from "./simulated_stream.ts";
import type { Timeline } from "./timeline.ts";
import type { Uplink } from "./uplink.ts";

/** What a host's TCP asks of the host. */
export interface StreamsHost {
  readonly name: string;
  readonly timeline: Timeline;
  readonly settings: StreamSettings;
  readonly uplink: Uplink;
  addressOf(family: IpFamily): Uint8Array | undefined;
  intern(address: Uint8Array, port: number): Endpoint;
  resolve(name: string): Promise<Uint8Array[]>;
  transmit(segment: Segment, from: Endpoint, to: Endpoint): void;
}

const DEFAULT_QUEUE_LIMIT = 256 * 1024;
const FIRST_EPHEMERAL_PORT = 49152;
const LAST_PORT = 65535;

type Settle = (why: "opened" | "refused" | "unanswered" | "aborted") => void;

/** A simulated host's TCP. Nothing of it sets timers on the host's own clock. */
export class SimulatedStreams implements StreamPort, StreamHost {
  readonly #host: StreamsHost;
  readonly #listeners = new Map<number, SimulatedListener>(); // by port and family; bounded by the ports there are
  readonly #streams = new Map<string, SimulatedStream>(); // by both ends; bounded by the test
  readonly #connecting = new Map<SimulatedStream, Settle>(); // bounded by the test
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(host: StreamsHost) {
    this.#host = host;
  }

  get timeline(): Timeline {
    return this.#host.timeline;
  }

  get settings(): StreamSettings {
    return this.#host.settings;
  }

  /** The streams that are not over: neither ended nor closed. */
  get open(): readonly SimulatedStream[] {
    return [...this.#streams.values()].filter((stream) => !stream.closed && !this.#connecting.has(stream));
  }

  /** The listeners open now. */
  get listeners(): readonly StreamListener[] {
    return [...this.#listeners.values()];
  }

  async connect(to: StreamTarget, options: ConnectOptions): Promise<StreamSocket> {
    checkOptions(to, options);
    const deadline = this.timeline.now + options.timeoutMs;
    if (options.signal?.aborted) throw aborted(to);
    let last: unknown;
    for (const target of await this.#targets(to)) {
      try {
        return await this.#connectTo(target, deadline, options);
      } catch (error) {
        if (error instanceof ToxError && error.code === "aborted") throw error;
        last = error;
      }
    }
    throw last;
  }

  async listen(options: ListenOptions): Promise<StreamListener> {
    const { family, address, queueLimit = DEFAULT_QUEUE_LIMIT } = options;
    const own = this.#host.addressOf(family);
    if (own === undefined) throw new ToxError("family-unavailable", `The host ${this.#host.name} has no IPv${family}.`);
    const asked = address === undefined ? undefined : parseAddress(address);
    const any = asked?.every((byte) => byte === 0) ?? address === undefined;
    if (!any && (asked === undefined || !(isLoopback(asked) || sameBytes(asked, own)))) {
      throw new ToxError("invalid-argument", `The host ${this.#host.name} does not have the address ${address}.`);
    }
    const port = options.port === 0 ? this.#freePort(family) : options.port;
    if (this.#listeners.has(listenerKey(family, port))) {
      throw new ToxError("port-in-use", `TCP port ${port} is taken on the host ${this.#host.name}.`);
    }
    const key = listenerKey(family, port);
    const listener = new SimulatedListener(port, any ? undefined : asked, queueLimit, () => {
      if (this.#listeners.get(key) === listener) this.#listeners.delete(key);
    });
    this.#listeners.set(key, listener);
    return listener;
  }

  emit(stream: SimulatedStream, segment: Segment): number | undefined {
    const { uplink } = this.#host;
    const { now } = this.timeline;
    const departure = uplink.departure(now, segment.bytes.length);
    if (departure === undefined) return uplink.halfEmptyAt(now);
    this.#transmit(segment, stream.local, stream.remote, departure);
    return undefined;
  }

  opened(stream: SimulatedStream): void {
    const settle = this.#connecting.get(stream);
    const listener = this.#listenerAt(stream.local);
    if (settle !== undefined) settle("opened");
    else if (listener?.onConnection === undefined) stream.abort();
    else listener.onConnection(stream);
  }

  gone(stream: SimulatedStream, reason: "finished" | "reset" | "unanswered"): void {
    this.#streams.delete(streamKey(stream.local, stream.remote));
    this.#connecting.get(stream)?.(reason === "unanswered" ? "unanswered" : "refused");
  }

  segmentArrived(segment: Segment, from: Endpoint, to: Endpoint): void {
    const stream = this.#streams.get(streamKey(to, from));
    const listener = segment.kind === "connect" ? this.#listenerAt(to) : undefined;
    if (stream !== undefined) {
      stream.segmentArrived(segment);
    } else if (listener !== undefined) {
      const accepted = new SimulatedStream(this, to, from, false, listener.queueLimit);
      this.#streams.set(streamKey(to, from), accepted);
      accepted.accept(segment);
    } else if (segment.kind !== "reset") {
      this.#transmit(makeSegment("reset", !segment.toServer), to, from, this.timeline.now);
    }
  }

  /** All listeners and streams are gone, and nobody here is told; the other sides see a reset, if it arrives. */
  crash(): void {
    for (const listener of [...this.#listeners.values()]) listener.close();
    this.#connecting.clear();
    for (const stream of [...this.#streams.values()]) stream.abort();
  }

  async #targets(to: StreamTarget): Promise<Endpoint[]> {
    const addresses = "host" in to ? await this.#resolve(to.host) : [to.address];
    const reachable = addresses.filter(({ length }) => this.#host.addressOf(length === 4 ? 4 : 6) !== undefined);
    if (reachable.length === 0) {
      throw new ToxError("connection-failed", `The host ${this.#host.name} has no network of that family.`);
    }
    return reachable.map((address) => this.#host.intern(address, to.port));
  }

  async #resolve(name: string): Promise<Uint8Array[]> {
    try {
      return await this.#host.resolve(name);
    } catch (cause) {
      throw new ToxError("connection-failed", `The name ${name} is not known: check it.`, { cause });
    }
  }

  #connectTo(target: Endpoint, deadline: number, options: ConnectOptions): Promise<SimulatedStream> {
    const { signal, queueLimit = DEFAULT_QUEUE_LIMIT, timeoutMs } = options;
    const own = isLoopback(target.address) ? target.address : (this.#host.addressOf(target.family) as Uint8Array);
    const local = this.#host.intern(own, this.#freePort(target.family));
    const stream = new SimulatedStream(this, local, target, true, queueLimit);
    this.#streams.set(streamKey(local, target), stream);
    return new Promise((resolve, reject) => {
      const settle: Settle = (why) => {
        this.#connecting.delete(stream);
        cancelTimeout();
        signal?.removeEventListener("abort", abort);
        if (why === "opened") return resolve(stream);
        stream.abort();
        const problem = why === "refused" ? "nobody listens there" : `no answer within ${timeoutMs} ms`;
        if (why === "aborted") reject(aborted(target));
        else reject(new ToxError("connection-failed", `Connecting to ${formatEndpoint(target)} failed: ${problem}.`));
      };
      const abort = () => settle("aborted");
      const cancelTimeout = this.timeline.schedule(deadline, () => settle("unanswered"));
      signal?.addEventListener("abort", abort, { once: true });
      this.#connecting.set(stream, settle);
      stream.open();
    });
  }

  #transmit(segment: Segment, from: Endpoint, to: Endpoint, departure: number): void {
    if (departure <= this.timeline.now) this.#host.transmit(segment, from, to);
    else this.timeline.schedule(departure, () => this.#host.transmit(segment, from, to));
  }

  #listenerAt(local: Endpoint): SimulatedListener | undefined {
    const listener = this.#listeners.get(listenerKey(local.family, local.port));
    if (listener?.address === undefined || sameBytes(listener.address, local.address)) return listener;
    return undefined;
  }

  /** Ports are not used again soon, so that what is late does not meet another stream. */
  #freePort(family: IpFamily): number {
    const taken = new Set([...this.#streams.values()].map(({ local }) => local.port));
    for (;;) {
      const port = this.#nextPort;
      this.#nextPort = port === LAST_PORT ? FIRST_EPHEMERAL_PORT : port + 1;
      if (!taken.has(port) && !this.#listeners.has(listenerKey(family, port))) return port;
    }
  }
}

class SimulatedListener implements StreamListener {
  readonly port: number;
  /** The only local address that it listens on; all when undefined. */
  readonly address: Uint8Array | undefined;
  readonly queueLimit: number;
  onConnection: ((stream: StreamSocket) => void) | undefined;
  readonly #closed: () => void;

  constructor(port: number, address: Uint8Array | undefined, queueLimit: number, closed: () => void) {
    this.port = port;
    this.address = address;
    this.queueLimit = queueLimit;
    this.#closed = closed;
  }

  close(): void {
    this.onConnection = undefined;
    this.#closed();
  }
}

function checkOptions(to: StreamTarget, { timeoutMs, queueLimit = 0 }: ConnectOptions): void {
  if (!Number.isInteger(to.port) || to.port < 1 || to.port > LAST_PORT) {
    throw new ToxError("invalid-argument", `${to.port} is no TCP port: give a whole number from 1 to 65535.`);
  }
  if (!(timeoutMs > 0)) throw new ToxError("invalid-argument", `${timeoutMs} ms are no time to connect in.`);
  if (!(queueLimit >= 0)) throw new ToxError("invalid-argument", `${queueLimit} bytes are no queue limit.`);
}

function aborted(to: StreamTarget): ToxError {
  const where = "host" in to ? `${to.host}:${to.port}` : formatEndpoint(to);
  return new ToxError("aborted", `Connecting to ${where} was given up.`);
}

function listenerKey(family: IpFamily, port: number): number {
  return family === 4 ? port : port + 0x10000;
}

function streamKey(local: Endpoint, remote: Endpoint): string {
  return `${endpointKey(local)} ${endpointKey(remote)}`;
}
