import type { BindOptions, Endpoint } from "./datagram.ts";

/**
 * Why a stream ended. `ended`: the other side closed it. `reset`: it broke. `overflow`: it was closed because more waited
 * to be sent than it may hold.
 */
export type StreamEnd = "ended" | "reset" | "overflow";

/** One TCP connection: bytes, in order. Nothing is called before the turn after it was given out. */
export interface StreamSocket {
  /** Who is at the other end; undefined when a proxy is in between. */
  readonly remote: Endpoint | undefined;
  /** Bytes taken by `write` that have not left yet, and what keeping them costs. */
  readonly queued: number;
  /** Called for what arrives, in pieces of any size. `bytes` are valid only until the handler returns. */
  onData: ((bytes: Uint8Array) => void) | undefined;
  /** Called after `write` has answered false, when at most half of what may wait is left. */
  onWritable: (() => void) | undefined;
  /** Called once when the stream has ended, unless we closed it ourselves; never within another call to it. */
  onEnd: ((reason: StreamEnd) => void) | undefined;
  /**
   * Sends bytes, which belong to the stream from here on. What is written in one turn leaves together. False: more would
   * wait than may, or the stream is over; nothing was taken.
   */
  write(bytes: Uint8Array): boolean;
  /** Stops reading, so that the sender is slowed down, until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends the stream; what waits is tried to be sent. No handler is called afterwards. */
  close(): void;
}

/** Takes the connections that others make. */
export interface StreamListener {
  /** The bound port. */
  readonly port: number;
  /** Set once by the owner, who owns the stream from then on. */
  onConnection: ((stream: StreamSocket) => void) | undefined;
  close(): void;
}

export interface ConnectOptions {
  /** Gives up after so many ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** How many bytes may wait to be sent; 256 KiB when left out. */
  readonly queueLimit?: number;
  /** Local addresses in text to connect from, of either family; the system's choice when left out. */
  readonly fromIpv4?: string | undefined;
  readonly fromIpv6?: string | undefined;
}

export interface ListenOptions extends BindOptions {
  /** How many bytes may wait to be sent on each stream; 256 KiB when left out. */
  readonly queueLimit?: number;
}

/** What is connected to: an address, or a name that the port (or its proxy) looks up. */
export type StreamTarget = Endpoint | { readonly host: string; readonly port: number };

/** TCP, as the core sees it. With a proxy it is a port as well, whose `listen` is refused. */
export interface StreamPort {
  /** Rejects with a `ToxError`: `connection-failed`, `aborted`, and with a proxy `proxy-failed`. */
  connect(to: StreamTarget, options: ConnectOptions): Promise<StreamSocket>;
  /** Rejects with a `ToxError`: `port-in-use`, `permission-denied` or `family-unavailable`. */
  listen(options: ListenOptions): Promise<StreamListener>;
}
