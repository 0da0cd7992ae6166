import type { RemoteInfo, Socket } from "node:dgram";
import {
  type DatagramHandler,
  type DatagramSocket,
  type Endpoint,
  type IpFamily,
  MAX_DATAGRAM_SIZE,
} from "../env/datagram.ts";
import type { Metrics } from "../env/metrics.ts";
import { addressText, EndpointCache } from "./endpoint_cache.ts";

/** A buffer and what to do when the system is done with it: made once, so that sending makes no closure. */
interface Slot {
  readonly buffer: Uint8Array;
  readonly sent: (error: Error | null) => void;
  /** Whether it was acquired and neither sent nor released since. */
  acquired: boolean;
  length: number;
}

/** Kept for reuse: what one turn of the event loop sends at most, mostly. */
const POOL_LIMIT = 256;

/** A bound socket of `node:dgram`. What goes wrong with a datagram is counted, never thrown. */
export class NodeDatagramSocket implements DatagramSocket {
  readonly family: IpFamily;
  readonly port: number;
  onDatagram: DatagramHandler | undefined;
  onWritable: (() => void) | undefined;
  readonly #socket: Socket;
  readonly #metrics: Metrics | undefined;
  readonly #queueLimit: number;
  readonly #endpoints = new EndpointCache();
  readonly #slots = new WeakMap<Uint8Array, Slot>();
  readonly #free: Slot[] = []; // bounded by POOL_LIMIT
  #queued = 0; // bytes, bounded by #queueLimit
  #refused = false;
  #closed = false;

  constructor(socket: Socket, family: IpFamily, queueLimit: number, metrics: Metrics | undefined) {
    this.#socket = socket;
    this.family = family;
    this.port = socket.address().port;
    this.#queueLimit = queueLimit;
    this.#metrics = metrics;
    socket.on("message", this.#receive);
    socket.on("error", () => this.#metrics?.count("udp.socketError"));
  }

  acquire(): Uint8Array {
    const slot = this.#free.pop() ?? this.#newSlot();
    slot.acquired = true;
    return slot.buffer;
  }

  release(buffer: Uint8Array): void {
    const slot = this.#takeBack(buffer);
    if (slot !== undefined) this.#recycle(slot);
  }

  send(buffer: Uint8Array, length: number, to: Endpoint): boolean {
    const slot = this.#takeBack(buffer);
    if (slot === undefined || this.#closed) return false;
    if (this.#queued + length > this.#queueLimit) {
      this.#refused = true;
      this.#recycle(slot);
      this.#metrics?.count("udp.queueFull");
      return false;
    }
    slot.length = length;
    this.#queued += length;
    try {
      this.#socket.send(buffer, 0, length, to.port, addressText(to), slot.sent);
    } catch (error) {
      slot.sent(error as Error); // port 0, or an address of the other family
    }
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onDatagram = undefined;
    this.onWritable = undefined;
    this.#free.length = 0;
    this.#socket.close();
  }

  #newSlot(): Slot {
    const buffer = new Uint8Array(MAX_DATAGRAM_SIZE);
    const slot: Slot = { buffer, sent: (error) => this.#sent(slot, error), acquired: false, length: 0 };
    this.#slots.set(buffer, slot);
    return slot;
  }

  /** The slot of a buffer that its owner gives up, or undefined when it has done so before. */
  #takeBack(buffer: Uint8Array): Slot | undefined {
    const slot = this.#slots.get(buffer);
    if (!slot?.acquired) return undefined;
    slot.acquired = false;
    return slot;
  }

  #sent(slot: Slot, error: Error | null): void {
    this.#queued -= slot.length;
    slot.length = 0;
    this.#recycle(slot);
    if (error && !this.#closed) this.#metrics?.count("udp.sendError");
    if (this.#refused && this.#queued * 2 <= this.#queueLimit) {
      this.#refused = false;
      this.onWritable?.();
    }
  }

  #recycle(slot: Slot): void {
    if (!this.#closed && this.#free.length < POOL_LIMIT) this.#free.push(slot);
  }

  readonly #receive = (message: Uint8Array, remote: RemoteInfo): void => {
    const handler = this.onDatagram;
    if (handler === undefined) return;
    const from = this.#endpoints.get(remote.address, remote.port);
    // A plain view: `slice` copies for the core, while a Buffer's would alias.
    if (from !== undefined) handler(new Uint8Array(message.buffer, message.byteOffset, message.length), from);
  };
}
