import { BandwidthCongestion } from "./bandwidth_congestion.ts";
import type { CongestionControl } from "./congestion.ts";
import { Fifo } from "./fifo.ts";
import { PACKET_WINDOW } from "./limits.ts";
import { Pacer } from "./pacer.ts";
import type { RoundTrip } from "./round_trip.ts";
import { type Acknowledgement, type OutgoingPacket, outgoingPacket, SendWindow } from "./send_window.ts";
import type { BulkPacket, LosslessClass } from "./session.ts";

/** What the sender asks of its session. */
export interface SenderPort {
  /** False when the socket has no room. */
  transmit(packetNumber: number, data: Uint8Array): boolean;
  /** Calls a callback of the app's; what it throws is not ours. */
  guard(callback: () => void): void;
}

/** Control packets may overfill the window by so much: an answer to a call does not wait for a file. */
const CONTROL_ALLOWANCE = 16;
/**
 * Numbers of the window that bulk may fill: 5.4 MiB, which is what a receiver whose disk is slow has to hold after he has
 * said so, and 27 MiB/s over a round trip of 200 ms.
 */
const BULK_WINDOW = 4096;
/** Room that `onWritable` waits for, so that it is not called for every packet. */
const WRITABLE_ROOM = 1024;
/** What a peer may take to acknowledge, beyond the round trip, in ms. */
const ACKNOWLEDGE_DELAY = 25;
const LONGEST_PROBE_INTERVAL = 3000;
/** Probes in vain before the window shrinks to its smallest. */
const PROBES_UNTIL_SILENT = 2;

/**
 * Everything lossless on its way out. Packets wait by class until congestion control has room for them, get their numbers
 * as they leave, and are sent again when the peer asks for them, or the last one when nothing is heard of it.
 */
export class Sender {
  readonly #port: SenderPort;
  readonly #roundTrip: RoundTrip;
  readonly #congestion: CongestionControl;
  readonly #pacer: Pacer;
  readonly #window: SendWindow;
  readonly #control = new Fifo<OutgoingPacket>(); // these two bounded by PACKET_WINDOW, with what is under way
  readonly #messages = new Fifo<OutgoingPacket>();
  #bulk: (() => BulkPacket | undefined) | undefined;
  #pumping = false;
  /** The socket had no room. */
  #blocked = false;
  /** `queue` has answered false. */
  #refused = false;
  #closed = false;
  #mayResend = false;
  #pacedUntil = Number.POSITIVE_INFINITY;
  /** When the last packet left or something was last heard of one. */
  #probeFrom = 0;
  #probes = 0;
  #resent = 0;

  constructor(
    port: SenderPort,
    roundTrip: RoundTrip,
    congestion: CongestionControl = new BandwidthCongestion(roundTrip),
  ) {
    this.#port = port;
    this.#roundTrip = roundTrip;
    this.#congestion = congestion;
    this.#pacer = new Pacer(congestion);
    this.#window = new SendWindow(roundTrip);
  }

  /** What request, kill and lossy packets carry. */
  get bufferEnd(): number {
    return this.#window.end;
  }

  get length(): number {
    return this.#control.length + this.#messages.length + this.#window.span;
  }

  /** How many packets were sent again since last asked. */
  takeResent(): number {
    const resent = this.#resent;
    this.#resent = 0;
    return resent;
  }

  /** Whether there is room again after `queue` has answered false; then not again until it does. */
  takeWritable(): boolean {
    if (!this.#refused || this.length > PACKET_WINDOW - WRITABLE_ROOM) return false;
    this.#refused = false;
    return true;
  }

  queue(data: Uint8Array, cls: LosslessClass, onAcknowledged: (() => void) | undefined): boolean {
    if (this.length >= PACKET_WINDOW) {
      this.#refused = true;
      return false;
    }
    const queue = cls === "control" ? this.#control : this.#messages;
    queue.push(outgoingPacket(data, onAcknowledged));
    return true;
  }

  setBulkSource(pull: (() => BulkPacket | undefined) | undefined): void {
    this.#bulk = pull;
  }

  /** Sends what there is room for. */
  pump(now: number): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#pacedUntil = Number.POSITIVE_INFINITY;
    while (!this.#closed && !this.#blocked && this.#sendOne(now));
    this.#pumping = false;
  }

  /** The socket may have room again. */
  unblock(now: number): void {
    this.#blocked = false;
    this.pump(now);
  }

  /** Packets leave by another path from now on: what was under way by the old one may be lost, and is asked about at once. */
  pathChanged(now: number): void {
    this.#blocked = false;
    this.#probes = 0;
    if (this.#window.span > 0) this.#probe(now);
  }

  /** Takes the peer's buffer_start: all numbers below have arrived. */
  acknowledge(bufferStart: number, now: number): Acknowledgement {
    const fate = this.#window.acknowledge(bufferStart, now);
    this.#noteProgress(now);
    for (const callback of this.#window.takeCallbacks()) {
      if (this.#closed) break;
      this.#port.guard(callback);
    }
    return fate;
  }

  /** Takes a request packet whose header's buffer_start has been taken and was current. */
  handleRequest(request: Uint8Array, now: number): void {
    if (request.length === 1) return;
    if (this.#window.request(request, now)) this.#mayResend = true;
    this.#noteProgress(now);
  }

  /** When something is due, or infinity. */
  nextDue(): number {
    return Math.min(this.#pacedUntil, this.#probeDue());
  }

  onTime(now: number): void {
    if (now >= this.#probeDue()) this.#probe(now);
    this.unblock(now);
  }

  /** Forgets everything; no callback is called any more. */
  close(): void {
    this.#closed = true;
    this.#control.clear();
    this.#messages.clear();
    this.#window.clear();
    this.#bulk = undefined;
    this.#pacedUntil = Number.POSITIVE_INFINITY;
  }

  #sendOne(now: number): boolean {
    const room = this.#congestion.window - this.#window.inFlight;
    if (room < 1) return this.#sendOverfull(room, now);
    if (this.#pacer.tokens(now) < 1) {
      if (this.#hasSomething()) this.#pacedUntil = this.#pacer.refilledAt(now);
      return false;
    }
    const sent =
      this.#resendLost(now) ||
      this.#sendNew(this.#control, now) ||
      this.#sendNew(this.#messages, now) ||
      this.#sendBulk(now);
    if (!sent) this.#window.limitedByApp();
    return sent;
  }

  /** What goes out although the window is full: one lost packet for each request, for it may be all that the peer waits for. */
  #sendOverfull(room: number, now: number): boolean {
    if (this.#mayResend) {
      this.#mayResend = false;
      if (this.#resendLost(now)) return true;
    }
    return room >= 1 - CONTROL_ALLOWANCE && this.#sendNew(this.#control, now);
  }

  #hasSomething(): boolean {
    const waiting = this.#control.length + this.#messages.length;
    return waiting > 0 || this.#window.hasLost || this.#bulk !== undefined;
  }

  #resendLost(now: number): boolean {
    const packet = this.#window.takeLost();
    if (packet === undefined) return false;
    this.#transmit(packet, now);
    return true;
  }

  #sendNew(queue: Fifo<OutgoingPacket>, now: number): boolean {
    if (this.#window.span >= PACKET_WINDOW) return false;
    const packet = queue.shift();
    if (packet === undefined) return false;
    this.#window.add(packet);
    this.#transmit(packet, now);
    return true;
  }

  #sendBulk(now: number): boolean {
    if (this.#bulk === undefined || this.#window.span >= BULK_WINDOW) return false;
    const pull = this.#bulk;
    let pulled: BulkPacket | undefined;
    this.#port.guard(() => {
      pulled = pull();
    });
    if (pulled === undefined || this.#closed) return false;
    const packet =
      pulled instanceof Uint8Array ? outgoingPacket(pulled) : outgoingPacket(pulled.data, pulled.onAcknowledged);
    this.#window.add(packet);
    this.#transmit(packet, now);
    return true;
  }

  #transmit(packet: OutgoingPacket, now: number): void {
    if (!this.#port.transmit(packet.number, packet.data)) {
      this.#blocked = true;
      this.#window.lost(packet);
      return;
    }
    this.#window.sent(packet, now);
    if (packet.transmissions > 1) this.#resent++;
    this.#probeFrom = now;
    this.#pacer.take();
  }

  #noteProgress(now: number): void {
    const delivery = this.#window.takeDelivery(now);
    if (delivery === undefined) return;
    this.#probes = 0;
    this.#probeFrom = now;
    this.#congestion.delivered(delivery);
  }

  #probeDue(): number {
    if (this.#window.span === 0) return Number.POSITIVE_INFINITY;
    const interval = (this.#roundTrip.patience + ACKNOWLEDGE_DELAY) * 2 ** Math.min(this.#probes, 16);
    return this.#probeFrom + Math.min(interval, LONGEST_PROBE_INTERVAL);
  }

  /**
   * Nothing has been heard for long: the last packets may be lost, of which the peer does not know, or what it said. The
   * last one sent again makes it answer; the first one too, which may be all that it lacks.
   */
  #probe(now: number): void {
    this.#probeFrom = now;
    if (++this.#probes > PROBES_UNTIL_SILENT) this.#congestion.silent();
    const first = this.#window.first();
    const last = this.#window.last();
    if (last !== undefined) this.#sendAgain(last, now);
    if (first !== undefined && first !== last) this.#sendAgain(first, now);
  }

  #sendAgain(packet: OutgoingPacket, now: number): void {
    if (packet.fate === "arrived" || !this.#port.transmit(packet.number, packet.data)) return;
    this.#window.sent(packet, now);
    this.#resent++;
  }
}
