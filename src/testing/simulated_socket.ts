import {
  type DatagramHandler,
  type DatagramSocket,
  type Endpoint,
  type IpFamily,
  MAX_DATAGRAM_SIZE,
} from "../env/datagram.ts";
import { DatagramCopies } from "./datagram_copies.ts";

/** What buffers hold while they belong to the socket: whoever reads or keeps one is found out. */
export const POISON = 0xdb;

/** What a socket asks of its host. */
export interface SocketHost {
  /** False when the host's own queue is full. */
  send(socket: SimulatedSocket, bytes: Uint8Array, to: Endpoint): boolean;
  socketClosed(socket: SimulatedSocket): void;
}

/** A datagram socket of a simulated host, strict about who owns which buffer. */
export class SimulatedSocket implements DatagramSocket {
  /** Where datagrams of this socket come from. */
  local: Endpoint;
  onDatagram: DatagramHandler | undefined;
  onWritable: (() => void) | undefined;
  readonly #host: SocketHost;
  readonly #free: Uint8Array[] = []; // bounded by the buffers acquired at once
  readonly #acquired = new Set<Uint8Array>(); // bounded by its owner, who sends or releases
  readonly #copies = new DatagramCopies();
  #closed = false;

  constructor(host: SocketHost, local: Endpoint) {
    this.#host = host;
    this.local = local;
  }

  get family(): IpFamily {
    return this.local.family;
  }

  get port(): number {
    return this.local.port;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Buffers acquired and neither sent nor released. */
  get acquiredCount(): number {
    return this.#acquired.size;
  }

  acquire(): Uint8Array {
    const buffer = this.#free.pop() ?? new Uint8Array(MAX_DATAGRAM_SIZE).fill(POISON);
    this.#acquired.add(buffer);
    return buffer;
  }

  release(buffer: Uint8Array): void {
    this.#takeBack(buffer, MAX_DATAGRAM_SIZE);
  }

  send(buffer: Uint8Array, length: number, to: Endpoint): boolean {
    if (!this.#acquired.has(buffer)) throw new Error("A buffer was sent that is not acquired from this socket.");
    if (!(length >= 0 && length <= MAX_DATAGRAM_SIZE)) throw new Error(`A datagram of ${length} bytes was sent.`);
    const bytes = this.#copies.copy(buffer, length);
    this.#takeBack(buffer, length);
    return this.#closed ? false : this.#host.send(this, bytes, to);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onDatagram = undefined;
    this.onWritable = undefined;
    this.#host.socketClosed(this);
  }

  /** Hands the datagram to the owner and spoils the bytes afterwards. */
  deliver(bytes: Uint8Array, from: Endpoint): void {
    try {
      this.onDatagram?.(bytes, from);
    } finally {
      bytes.fill(POISON);
    }
  }

  #takeBack(buffer: Uint8Array, length: number): void {
    if (!this.#acquired.delete(buffer))
      throw new Error("A buffer was given back that is not acquired from this socket.");
    buffer.fill(POISON, 0, length);
    this.#free.push(buffer);
  }
}
