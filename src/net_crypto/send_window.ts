import { visitPacketRequest } from "../wire/net_crypto/packet_request.ts";
import type { Delivery } from "./congestion.ts";
import { DeliveryRate, type RateMark } from "./delivery_rate.ts";
import { Fifo } from "./fifo.ts";
import { PACKET_WINDOW } from "./limits.ts";
import { distance, NumberRing, nextNumber } from "./number_ring.ts";
import type { RoundTrip } from "./round_trip.ts";

export interface OutgoingPacket extends RateMark {
  readonly data: Uint8Array;
  readonly onAcknowledged: (() => void) | undefined;
  number: number;
  fate: "queued" | "in-flight" | "lost" | "arrived";
  transmissions: number;
}

/** `stale`: from before an acknowledgement that overtook it. `outside`: nonsense. */
export type Acknowledgement = "current" | "stale" | "outside";

const LONGEST_REORDERING = 30;
/** Who asks for the same packet more often than loss explains gets it at growing intervals, the first of this many ms. */
const QUICK_TRANSMISSIONS = 4;
const FIRST_STUBBORN_INTERVAL = 20;
const LONGEST_STUBBORN_INTERVAL = 1000;
/** Ours acknowledge at once, so a request is late by this much at most; toxcore's round trips include its own waiting. */
const REQUEST_LATENESS = 50;
/** An empty window gives its room back when it was larger than this. */
const SMALL_CAPACITY = 1024;

export function outgoingPacket(data: Uint8Array, onAcknowledged?: () => void): OutgoingPacket {
  return {
    data,
    onAcknowledged,
    number: 0,
    fate: "queued",
    transmissions: 0,
    sentAt: 0,
    totalWhenSent: 0,
    deliveredAtWhenSent: 0,
    firstSentAtWhenSent: 0,
    appLimited: false,
  };
}

/**
 * The lossless packets that are under way, by number, and what the peer says about them: buffer_start frees all below it,
 * a request those before its last missing one. c-toxcore `net_crypto.c` (handle_request_packet, clear_buffer_until).
 */
export class SendWindow {
  readonly #roundTrip: RoundTrip;
  readonly #rate = new DeliveryRate();
  readonly #packets = new NumberRing<OutgoingPacket>();
  readonly #lost = new Fifo<OutgoingPacket>(); // bounded by the window: each packet is in it once
  #start = 0;
  #end = 0;
  #inFlight = 0;
  /** How many packets have been acknowledged in all. */
  #acknowledgedCount = 0;
  #newest: OutgoingPacket | undefined;
  #newestArrivedSentAt = Number.NEGATIVE_INFINITY;
  #inFlightBefore = 0;
  #callbacks: Array<() => void> = []; // bounded by the window

  constructor(roundTrip: RoundTrip) {
    this.#roundTrip = roundTrip;
  }

  /** One behind the last number in use. */
  get end(): number {
    return this.#end;
  }

  /** How many numbers are not acknowledged. */
  get span(): number {
    return distance(this.#start, this.#end);
  }

  /** Packets sent that are neither known to have arrived nor to be lost. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get hasLost(): boolean {
    return this.#lost.length > 0;
  }

  first(): OutgoingPacket | undefined {
    return this.#packets.get(this.#start);
  }

  last(): OutgoingPacket | undefined {
    return this.#packets.get(nextNumber(this.#end, -1));
  }

  /** Gives a packet the next number. The caller has looked that `span` is below PACKET_WINDOW. */
  add(packet: OutgoingPacket): void {
    packet.number = this.#end;
    this.#packets.reserve(this.#start, this.span + 1);
    this.#packets.set(packet.number, packet);
    this.#end = nextNumber(this.#end);
  }

  /** The lost packet to be sent again next. */
  takeLost(): OutgoingPacket | undefined {
    for (;;) {
      const packet = this.#lost.shift();
      if (packet === undefined || packet.fate === "lost") return packet; // else it arrived after all
    }
  }

  sent(packet: OutgoingPacket, now: number): void {
    this.#rate.sent(packet, now, this.#inFlight);
    if (packet.fate !== "in-flight") this.#inFlight++;
    packet.fate = "in-flight";
    packet.transmissions++;
  }

  /** The packet could not be sent, or did not arrive. */
  lost(packet: OutgoingPacket): void {
    if (packet.fate === "in-flight") this.#inFlight--;
    packet.fate = "lost";
    this.#lost.push(packet);
  }

  limitedByApp(): void {
    this.#rate.limitedByApp(this.#inFlight);
  }

  /** Takes the peer's buffer_start. The callbacks of what it frees are there to be taken afterwards. */
  acknowledge(bufferStart: number, now: number): Acknowledgement {
    const count = distance(this.#start, bufferStart);
    if (count === 0) return "current";
    if (count > this.span) {
      const behind = distance(bufferStart, this.#start);
      return behind <= Math.min(this.#acknowledgedCount, PACKET_WINDOW) ? "stale" : "outside";
    }
    this.#inFlightBefore = this.#inFlight;
    for (let number = this.#start; number !== bufferStart; number = nextNumber(number)) {
      const packet = this.#packets.get(number);
      if (packet === undefined) continue;
      this.#arrive(packet, now);
      this.#packets.delete(number);
      if (packet.onAcknowledged !== undefined) this.#callbacks.push(packet.onAcknowledged);
    }
    this.#start = bufferStart;
    this.#acknowledgedCount += count;
    if (this.#start === this.#end && this.#packets.capacity > SMALL_CAPACITY) this.#packets.clear();
    return "current";
  }

  /** Callbacks of packets that have been acknowledged since the last call. */
  takeCallbacks(): ReadonlyArray<() => void> {
    if (this.#callbacks.length === 0) return this.#callbacks;
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    return callbacks;
  }

  /** Takes a request packet whose header's buffer_start was current. Answers whether packets were lost. */
  request(request: Uint8Array, now: number): boolean {
    this.#inFlightBefore = this.#inFlight;
    const missing: OutgoingPacket[] = []; // bounded by the bytes of the request
    visitPacketRequest(request, this.span, {
      arrived: (from, to) => {
        for (let offset = from; offset < to; offset++) {
          const packet = this.#packets.get(nextNumber(this.#start, offset));
          if (packet !== undefined) this.#arrive(packet, now);
        }
      },
      missing: (offset) => {
        const packet = this.#packets.get(nextNumber(this.#start, offset));
        if (packet?.fate === "in-flight") missing.push(packet);
      },
    });
    const lateBefore = this.#lateBefore(now);
    let hasLost = false;
    for (const packet of missing) {
      if (packet.sentAt > lateBefore || now - packet.sentAt < stubbornInterval(packet.transmissions)) continue;
      this.lost(packet);
      hasLost = true;
    }
    return hasLost;
  }

  /** What has arrived since the last call, or undefined when nothing has. Measures the round trip. */
  takeDelivery(now: number): Delivery | undefined {
    const newest = this.#newest;
    if (newest === undefined) return undefined;
    this.#newest = undefined;
    if (newest.transmissions === 1) this.#roundTrip.sample(now - newest.sentAt, now);
    return this.#rate.sumUp(now, this.#roundTrip.minimum, this.#inFlightBefore, this.#inFlight);
  }

  clear(): void {
    this.#packets.clear();
    this.#lost.clear();
    this.#start = this.#end;
    this.#inFlight = 0;
    this.#newest = undefined;
  }

  /**
   * Missing packets sent before this are lost: others that were sent well after them have arrived (RFC 8985), or they have
   * been under way for longer than a round trip. Later ones may have been under way when the request was made.
   */
  #lateBefore(now: number): number {
    const { smoothed, minimum } = this.#roundTrip;
    const roundTrip = Math.min(smoothed, 2 * minimum + REQUEST_LATENESS);
    const reordering = Math.min(Math.max(smoothed / 8, 1), LONGEST_REORDERING);
    return Math.max(this.#newestArrivedSentAt, now - roundTrip) - reordering;
  }

  #arrive(packet: OutgoingPacket, now: number): void {
    if (packet.fate === "arrived") return;
    if (packet.fate === "in-flight") this.#inFlight--;
    packet.fate = "arrived";
    this.#rate.arrived(packet);
    if (this.#newest === undefined || packet.sentAt >= this.#newest.sentAt) this.#newest = packet;
    // What arrives too soon after it was sent again is the one sent before.
    const isLast = packet.transmissions === 1 || now - packet.sentAt >= this.#roundTrip.minimum;
    if (isLast && packet.sentAt > this.#newestArrivedSentAt) this.#newestArrivedSentAt = packet.sentAt;
  }
}

function stubbornInterval(transmissions: number): number {
  const surplus = transmissions - QUICK_TRANSMISSIONS;
  if (surplus < 0) return 0;
  return Math.min(FIRST_STUBBORN_INTERVAL * 2 ** Math.min(surplus, 10), LONGEST_STUBBORN_INTERVAL);
}
