import type { Socket } from "node:net";
import type { Endpoint } from "../env/datagram.ts";
import type { Metrics } from "../env/metrics.ts";
import type { StreamEnd, StreamSocket } from "../env/stream.ts";

export const STREAM_QUEUE_LIMIT = 256 * 1024;
/** What a piece that waits costs beside its bytes: 515 were measured for one of 27. */
const PIECE_OVERHEAD = 512;
/** How long, in ms, a closed stream may go on to send what waits. */
const LINGER = 5000;

/** A connected socket of `node:net`. What goes wrong with it ends it, and is never thrown. */
export class NodeStreamSocket implements StreamSocket {
  readonly remote: Endpoint | undefined;
  onData: ((bytes: Uint8Array) => void) | undefined;
  onWritable: (() => void) | undefined;
  onEnd: ((reason: StreamEnd) => void) | undefined;
  readonly #socket: Socket;
  readonly #queueLimit: number; // bytes, bounds what the socket holds
  readonly #metrics: Metrics | undefined;
  /** Written, and not yet taken by the system. */
  #pieces = 0;
  #corked = false;
  #refused = false;
  #over = false;

  constructor(socket: Socket, remote: Endpoint | undefined, queueLimit: number, metrics: Metrics | undefined) {
    this.#socket = socket;
    this.remote = remote;
    this.#queueLimit = queueLimit;
    this.#metrics = metrics;
    socket.setNoDelay(true);
    socket.on("data", this.#receive);
    socket.on("end", () => this.#end("ended"));
    socket.on("error", () => {
      if (!this.#over) metrics?.count("tcp.socketError");
      this.#end("reset");
    });
    socket.on("close", () => this.#end("reset"));
  }

  get queued(): number {
    return this.#socket.writableLength + PIECE_OVERHEAD * this.#pieces;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over) return false;
    if (bytes.length > this.#queueLimit) {
      // It can never fit: waiting for room would be waiting for ever.
      process.nextTick(() => this.#end("overflow"));
      return false;
    }
    if (this.queued + bytes.length > this.#queueLimit && this.#pieces > 0) {
      this.#refused = true;
      this.#metrics?.count("tcp.queueFull");
      return false;
    }
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(this.#uncork);
    }
    this.#pieces++;
    this.#socket.write(bytes, this.#written);
    return true;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    if (this.#over) return;
    this.#finish();
    this.#socket.destroySoon();
    this.#socket.resume(); // what still comes is dropped
    this.#socket.unref();
    setTimeout(() => this.#socket.destroy(), LINGER).unref();
  }

  readonly #uncork = (): void => {
    this.#corked = false;
    this.#socket.uncork();
  };

  readonly #written = (): void => {
    this.#pieces--;
    if (!this.#refused || this.#over || this.queued * 2 > this.#queueLimit) return;
    this.#refused = false;
    this.onWritable?.();
  };

  readonly #receive = (chunk: Uint8Array): void => {
    // A plain view: `slice` copies for the core, while a Buffer's would alias.
    this.onData?.(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
  };

  #end(reason: StreamEnd): void {
    if (this.#over) return;
    const { onEnd } = this;
    this.#finish();
    this.#socket.destroy();
    onEnd?.(reason);
  }

  #finish(): void {
    this.#over = true;
    this.onData = undefined;
    this.onWritable = undefined;
    this.onEnd = undefined;
  }
}
