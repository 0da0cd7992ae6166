import type { Clock } from "../../src/env/clock.ts";
import type { Endpoint } from "../../src/env/datagram.ts";
import type {
  ConnectOptions,
  ListenOptions,
  StreamEnd,
  StreamListener,
  StreamPort,
  StreamSocket,
  StreamTarget,
} from "../../src/env/stream.ts";
import { makeEndpoint } from "../../src/util/endpoint.ts";
import { ToxError } from "../../src/util/tox_error.ts";

const QUEUE_LIMIT = 256 * 1024;
const LATENCY_MS = 1;

/** TCP within one process, in the clock's time: what is written arrives 1 ms later, unless the receiver is paused. */
export class MemoryStreams {
  readonly #clock: Clock;
  readonly #listeners = new Map<number, MemoryListener>();
  #nextPort = 40_000;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The port of a host with this IPv4 address. */
  host(address: readonly number[]): StreamPort {
    return {
      connect: (to, options) => this.#connect(Uint8Array.from(address), to, options),
      listen: (options) => this.#listen(options),
    };
  }

  async #connect(address: Uint8Array, to: StreamTarget, options: ConnectOptions): Promise<MemoryStream> {
    const listener = this.#listeners.get(to.port);
    if (listener === undefined) throw new ToxError("connection-failed", "Nobody listens there.");
    const near = new MemoryStream(this.#clock, undefined, options.queueLimit ?? QUEUE_LIMIT);
    const far = new MemoryStream(this.#clock, makeEndpoint(address, this.#nextPort++), listener.queueLimit);
    near.other = far;
    far.other = near;
    listener.onConnection?.(far);
    return near;
  }

  async #listen({ port, family, queueLimit = QUEUE_LIMIT }: ListenOptions): Promise<StreamListener> {
    if (family === 6) throw new ToxError("family-unavailable", "There is no IPv6 here.");
    const listener = new MemoryListener(port || this.#nextPort++, queueLimit, (port) => this.#listeners.delete(port));
    this.#listeners.set(listener.port, listener);
    return listener;
  }
}

class MemoryListener implements StreamListener {
  readonly port: number;
  readonly queueLimit: number;
  readonly #onClose: (port: number) => void;
  onConnection: ((stream: StreamSocket) => void) | undefined;

  constructor(port: number, queueLimit: number, onClose: (port: number) => void) {
    this.port = port;
    this.queueLimit = queueLimit;
    this.#onClose = onClose;
  }

  close(): void {
    this.#onClose(this.port);
  }
}

class MemoryStream implements StreamSocket {
  readonly remote: Endpoint | undefined;
  readonly #clock: Clock;
  readonly #limit: number;
  other: MemoryStream | undefined;
  onData: ((bytes: Uint8Array) => void) | undefined;
  onWritable: (() => void) | undefined;
  onEnd: ((reason: StreamEnd) => void) | undefined;
  #out: Uint8Array[] = [];
  queued = 0;
  #paused = false;
  #refused = false;
  #armed = false;
  #over = false;

  constructor(clock: Clock, remote: Endpoint | undefined, limit: number) {
    this.#clock = clock;
    this.remote = remote;
    this.#limit = limit;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over || this.queued + bytes.length > this.#limit) {
      this.#refused = true;
      return false;
    }
    this.#out.push(bytes);
    this.queued += bytes.length;
    this.#arm();
    return true;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.other?.flushSoon();
  }

  close(): void {
    if (this.#over) return;
    this.#deliver();
    this.#over = true;
    const { other } = this;
    this.#clock.at(this.#clock.monotonic() + LATENCY_MS, () => other?.end("ended"));
  }

  flushSoon(): void {
    this.#arm();
  }

  end(reason: StreamEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.onEnd?.(reason);
  }

  #arm(): void {
    if (this.#armed || this.#over) return;
    this.#armed = true;
    this.#clock.at(this.#clock.monotonic() + LATENCY_MS, () => {
      this.#armed = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const { other } = this;
    while (this.#out.length > 0 && other !== undefined && !other.#paused) {
      const batch = Buffer.concat(this.#out.splice(0, 64));
      this.queued -= batch.length;
      if (!other.#over) other.onData?.(new Uint8Array(batch));
    }
    if (this.#refused && this.queued <= this.#limit / 2) {
      this.#refused = false;
      this.#clock.at(this.#clock.monotonic(), () => {
        if (!this.#over) this.onWritable?.();
      });
    }
  }
}
