import type { BindOptions, DatagramPort, DatagramSocket, Endpoint } from "../env/datagram.ts";
import { MAX_DATAGRAM_SIZE } from "../env/datagram.ts";
import type { Metrics } from "../env/metrics.ts";
import { ToxError } from "../util/tox_error.ts";

/** `packet` is valid only until the handler returns. Answers leave through `socket`, where the packet came in. */
export type PacketHandler = (packet: Uint8Array, from: Endpoint, socket: DatagramSocket) => void;

export interface UdpOptions {
  /** Tried from the first to the last; 0 lets the system choose. */
  readonly ports: Iterable<number>;
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
  /** Local addresses in text to bind to instead of all. */
  readonly bindIpv4?: string;
  readonly bindIpv6?: string;
  /** Whether everybody in the local networks may be sent to. */
  readonly broadcast?: boolean;
}

/** toxcore's TOX_PORTRANGE_FROM to TOX_PORTRANGE_TO. */
export function* defaultPorts(): Iterable<number> {
  for (let port = 33445; port <= 33545; port++) yield port;
}

/** Sockets beside the instance's own, at most. */
const MAX_MORE_SOCKETS = 512;

/** The instance's UDP sockets, one a family on the same port, and who handles which packet id. */
export class UdpNetwork {
  readonly #sockets: readonly DatagramSocket[];
  readonly #ipv4: DatagramSocket | undefined;
  readonly #ipv6: DatagramSocket | undefined;
  readonly #handlers: Array<PacketHandler | undefined> = new Array(256).fill(undefined);
  readonly #writableListeners = new Set<() => void>(); // one or two floors of this instance
  readonly #metrics: Metrics;
  readonly #binder: (() => Promise<DatagramSocket>) | undefined;
  readonly #more = new Set<DatagramSocket>(); // bounded by MAX_MORE_SOCKETS
  #closed = false;

  /** `binder` opens one more IPv4 socket on a port that the system chooses. */
  constructor(sockets: readonly DatagramSocket[], metrics: Metrics, binder?: () => Promise<DatagramSocket>) {
    this.#sockets = sockets;
    this.#ipv4 = sockets.find((socket) => socket.family === 4);
    this.#ipv6 = sockets.find((socket) => socket.family === 6);
    this.#metrics = metrics;
    this.#binder = binder;
    for (const socket of sockets) {
      this.#listenTo(socket);
    }
  }

  #listenTo(socket: DatagramSocket): void {
    socket.onDatagram = (bytes, from) => this.receive(bytes, from, socket);
    socket.onWritable = () => {
      for (const listener of this.#writableListeners) listener();
    };
  }

  /**
   * Binds one port for IPv4 and, where the machine has it, IPv6. Rejects with `port-in-use` when every port is taken, or
   * with `network-unavailable` when no family can be had.
   */
  static async bind(datagrams: DatagramPort, options: UdpOptions, metrics: Metrics): Promise<UdpNetwork> {
    let inUse: unknown;
    for (const port of options.ports) {
      try {
        const binder = () => datagrams.bind(bindOptions(4, 0, options.bindIpv4, false));
        return new UdpNetwork(await bindFamilies(datagrams, options, port), metrics, binder);
      } catch (error) {
        if (!(error instanceof ToxError) || error.code !== "port-in-use") throw error;
        inUse = error;
      }
    }
    throw inUse ?? new ToxError("invalid-argument", "Name at least one UDP port to bind, or 0 for any.");
  }

  /** The bound port. */
  get port(): number {
    return this.#sockets[0]?.port ?? 0;
  }

  has(family: 4 | 6): boolean {
    return (family === 4 ? this.#ipv4 : this.#ipv6) !== undefined;
  }

  /** Sends every packet whose first byte is `id` to `handler`; undefined ends that. */
  handle(id: number, handler: PacketHandler | undefined): void {
    this.#handlers[id] = handler;
  }

  /** Calls `listener` when a socket that answered false has room again, until the answered function is called. */
  onWritable(listener: () => void): () => void {
    this.#writableListeners.add(listener);
    return () => this.#writableListeners.delete(listener);
  }

  /** The socket that reaches endpoints of this family, or undefined. */
  socketFor(to: Endpoint): DatagramSocket | undefined {
    return to.family === 4 ? this.#ipv4 : this.#ipv6;
  }

  /** Copies and sends. False when no socket reaches there or its queue is full: the packet is lost, as UDP packets are. */
  send(to: Endpoint, packet: Uint8Array, via: DatagramSocket | undefined = this.socketFor(to)): boolean {
    if (this.#closed || via === undefined || packet.length > MAX_DATAGRAM_SIZE || to.port === 0) return false;
    const buffer = via.acquire();
    buffer.set(packet);
    return this.sendBuffer(via, buffer, packet.length, to);
  }

  /** Sends the first `length` bytes of a buffer acquired from `via` without copying. */
  sendBuffer(via: DatagramSocket, buffer: Uint8Array, length: number, to: Endpoint): boolean {
    if (this.#closed) {
      via.release(buffer);
      return false;
    }
    const sent = via.send(buffer, length, to);
    this.#metrics.count(sent ? "udp.sent" : "udp.sendDropped");
    return sent;
  }

  /**
   * So many more IPv4 sockets, each on a port of its own, or fewer where the system gives no more. What they receive is
   * handled like the rest. Their owner gives each back with `closeSocket`.
   */
  async openMore(count: number): Promise<DatagramSocket[]> {
    const opened: DatagramSocket[] = [];
    while (opened.length < count && this.#ipv4 !== undefined && this.#binder !== undefined) {
      if (this.#closed || this.#more.size >= MAX_MORE_SOCKETS) break;
      const socket = await this.#binder().catch(() => undefined);
      if (socket === undefined) break;
      if (this.#closed) {
        socket.close();
        break;
      }
      this.#listenTo(socket);
      this.#more.add(socket);
      opened.push(socket);
    }
    return opened;
  }

  /** Closes a socket of `openMore`. */
  closeSocket(socket: DatagramSocket): void {
    if (this.#more.delete(socket)) socket.close();
  }

  /** Handles a datagram as if `socket` had received it. */
  receive(bytes: Uint8Array, from: Endpoint, socket: DatagramSocket): void {
    if (this.#closed) return;
    const id = bytes[0];
    const handler = id === undefined ? undefined : this.#handlers[id];
    if (handler === undefined || from.port === 0) {
      this.#metrics.count("drop.udp.unknown-id");
      return;
    }
    if (bytes.length > MAX_DATAGRAM_SIZE) {
      this.#metrics.count("drop.udp.oversized");
      return;
    }
    this.#metrics.count("udp.received");
    handler(bytes, from, socket);
  }

  close(): void {
    this.#closed = true;
    this.#handlers.fill(undefined);
    this.#writableListeners.clear();
    for (const socket of this.#sockets) socket.close();
    for (const socket of this.#more) socket.close();
    this.#more.clear();
  }
}

async function bindFamilies(datagrams: DatagramPort, options: UdpOptions, port: number): Promise<DatagramSocket[]> {
  const sockets: DatagramSocket[] = [];
  try {
    if (options.ipv4 !== false)
      await bindUnlessAbsent(datagrams, bindOptions(4, port, options.bindIpv4, options.broadcast), sockets);
    if (options.ipv6 !== false) {
      const samePort = sockets[0]?.port ?? port;
      await bindUnlessAbsent(datagrams, bindOptions(6, samePort, options.bindIpv6, options.broadcast), sockets);
    }
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
  if (sockets.length === 0) {
    throw new ToxError("network-unavailable", "No UDP socket can be opened here: enable IPv4 or IPv6 on this machine.");
  }
  return sockets;
}

/**
 * A machine without IPv6 (or without IPv4) is no reason to fail: the other family serves. An address that was asked for
 * and is not there is one: whoever binds to a VPN's address wants nothing sent past it.
 */
async function bindUnlessAbsent(datagrams: DatagramPort, options: BindOptions, into: DatagramSocket[]): Promise<void> {
  try {
    into.push(await datagrams.bind(options));
  } catch (error) {
    if (error instanceof ToxError && error.code === "family-unavailable" && !options.address) return;
    throw error;
  }
}

function bindOptions(family: 4 | 6, port: number, address?: string, broadcast?: boolean): BindOptions {
  return { family, port, ...(address !== undefined && { address }), ...(broadcast === true && { broadcast }) };
}
