import { MAX_SESSION_DATA_SIZE } from "../wire/net_crypto/crypto_data.ts";
import { encodePacketRequestOf } from "../wire/net_crypto/packet_request.ts";
import { PACKET_WINDOW, REQUEST_INTERVAL } from "./limits.ts";
import { distance, NumberRing, nextNumber } from "./number_ring.ts";
import type { ReceiveBudget } from "./receive_budget.ts";
import type { RoundTrip } from "./round_trip.ts";

/** Takes a lossless packet, in order; valid only within. False: the session is over. */
export type Deliver = (data: Uint8Array) => boolean;

/** `table-full`: too much waits for earlier packets; this one has to be sent again. */
export type Arrival = "taken" | "replayed" | "out-of-window" | "table-full";

/** So many packets are acknowledged whenever the last acknowledgement left. */
const ACKNOWLEDGE_EVERY = 32;
/** Between two acknowledgements at least, in ms. */
const ACKNOWLEDGE_INTERVAL = 1;
const LONGEST_REORDERING = 30;
const SHORTEST_REPEAT = 20;
/** Gaps are asked for that often before the pauses grow. */
const QUICK_REPEATS = 4;
/**
 * A request may have that many bytes, and more only as far as the peer has sent new data lately: who leaves gaps and says
 * little could have us send many times as much, and to an address that is not his.
 */
const SHORT_REQUEST = 64;
const LARGEST_CREDIT = 4 * MAX_SESSION_DATA_SIZE;

/**
 * Everything lossless on its way in: what came before its turn, what is missing, and when to say so. An acknowledgement
 * leaves in the same turn unless another packet has carried it, or one has left a moment ago. c-toxcore `net_crypto.c` (add_data_to_buffer,
 * set_buffer_end, generate_request_packet).
 */
export class Receiver {
  readonly #roundTrip: RoundTrip;
  readonly #budget: ReceiveBudget;
  readonly #window = new NumberRing<Uint8Array>(); // bounded by PACKET_WINDOW and the budget
  /** What the window's packets cost. */
  #held = 0;
  #start = 0;
  /** One behind the highest number that the peer is known to have sent. */
  #end = 0;
  #unacknowledged = 0;
  #acknowledgeDue = Number.POSITIVE_INFINITY;
  #gapDue = Number.POSITIVE_INFINITY;
  #saidAt = Number.NEGATIVE_INFINITY;
  #requestedAt = Number.NEGATIVE_INFINITY;
  /** Requests about gaps since a packet was last taken. */
  #repeats = 0;
  #credit = LARGEST_CREDIT;

  constructor(roundTrip: RoundTrip, budget: ReceiveBudget) {
    this.#roundTrip = roundTrip;
    this.#budget = budget;
  }

  /** All numbers below have arrived. */
  get bufferStart(): number {
    return this.#start;
  }

  /** Takes a packet, and delivers it and those that waited for it. */
  accept(number: number, data: Uint8Array, now: number, deliver: Deliver): Arrival {
    const ahead = distance(this.#start, number);
    if (ahead >= PACKET_WINDOW) {
      if (distance(number, this.#start) > PACKET_WINDOW) return "out-of-window";
      this.#acknowledgeSoon(now); // the peer has not heard that we have it
      return "replayed";
    }
    if (ahead > 0) {
      const fate = this.#store(number, ahead, data);
      if (fate !== "stored") {
        this.#acknowledgeSoon(now);
        return fate;
      }
    }
    this.#unacknowledged++;
    this.#repeats = 0;
    this.#credit = Math.min(this.#credit + data.length, LARGEST_CREDIT);
    if (ahead === 0) this.#start = nextNumber(number);
    this.extend(nextNumber(number), now);
    if (ahead === 0) this.#deliverFrom(data, deliver);
    if (this.#start === this.#end) this.#gapDue = Number.POSITIVE_INFINITY;
    this.#acknowledgeSoon(now);
    return "taken";
  }

  /** Learns that the peer has sent everything below `end`; nonsense is passed over. */
  extend(end: number, now: number): void {
    const growth = distance(this.#end, end);
    if (growth === 0 || growth > PACKET_WINDOW || distance(this.#start, end) > PACKET_WINDOW) return;
    this.#end = end;
    this.#window.reserve(this.#start, distance(this.#start, end));
    this.#watchGaps(now);
  }

  /** When a request packet is due, which is an acknowledgement too. */
  nextDue(): number {
    return Math.min(this.#acknowledgeDue, this.#gapDue, this.#requestedAt + REQUEST_INTERVAL);
  }

  /** Whether an acknowledgement should leave in this turn: nothing that the handlers sent has carried it. */
  acknowledgesNow(now: number): boolean {
    if (this.#unacknowledged === 0 || this.#start !== this.#end) return false;
    return this.#unacknowledged >= ACKNOWLEDGE_EVERY || now - this.#saidAt >= ACKNOWLEDGE_INTERVAL;
  }

  /** Writes the request packet to be sent now, and answers its length. */
  encodeRequest(into: Uint8Array, now: number): number {
    this.#requestedAt = now;
    this.#acknowledged(now);
    const missing = this.#start !== this.#end;
    if (missing) this.#repeats++;
    this.#gapDue = missing ? now + this.#repeatInterval : Number.POSITIVE_INFINITY;
    // One number more than was sent, or only just: what stands behind the last listed one is not taken for arrived.
    const span = missing ? distance(this.#start, this.#end) + 1 : 0;
    const limit = Math.max(SHORT_REQUEST, Math.min(this.#credit, MAX_SESSION_DATA_SIZE));
    const length = encodePacketRequestOf(into, span, this.#isMissing, limit);
    this.#credit = Math.max(0, this.#credit - length);
    return length;
  }

  /** Any packet that leaves carries `bufferStart`. */
  acknowledgedByData(now: number): void {
    if (this.#start === this.#end) this.#acknowledged(now);
  }

  close(): void {
    this.#window.clear();
    this.#budget.give(this.#held);
    this.#held = 0;
    this.#start = this.#end;
  }

  #acknowledged(now: number): void {
    this.#unacknowledged = 0;
    this.#acknowledgeDue = Number.POSITIVE_INFINITY;
    this.#saidAt = now;
  }

  readonly #isMissing = (offset: number): boolean => {
    const number = nextNumber(this.#start, offset);
    return number === this.#end || this.#window.get(number) === undefined;
  };

  #store(number: number, ahead: number, data: Uint8Array): "stored" | "replayed" | "table-full" {
    this.#window.reserve(this.#start, ahead + 1);
    if (this.#window.get(number) !== undefined) return "replayed";
    const cost = this.#budget.cost(data.length);
    if (!this.#budget.take(this.#held, cost)) return "table-full";
    this.#held += cost;
    this.#window.set(number, data.slice());
    return "stored";
  }

  #deliverFrom(first: Uint8Array, deliver: Deliver): void {
    if (!deliver(first)) return;
    for (;;) {
      const data = this.#window.get(this.#start);
      if (data === undefined) break;
      this.#window.delete(this.#start);
      this.#start = nextNumber(this.#start);
      const cost = this.#budget.cost(data.length);
      this.#held -= cost;
      this.#budget.give(cost);
      if (!deliver(data)) return;
    }
    if (this.#start === this.#end && this.#window.capacity > ACKNOWLEDGE_EVERY * 32) this.#window.clear();
  }

  #acknowledgeSoon(now: number): void {
    if (this.#start !== this.#end) {
      const due = Math.max(now, this.#saidAt + Math.min(Math.max(this.#roundTrip.smoothed / 4, 1), 25));
      this.#acknowledgeDue = Math.min(this.#acknowledgeDue, due);
      return;
    }
    this.#acknowledgeDue = Math.min(this.#acknowledgeDue, Math.max(now, this.#saidAt + ACKNOWLEDGE_INTERVAL));
  }

  #watchGaps(now: number): void {
    if (this.#start !== this.#end) this.#gapDue = Math.min(this.#gapDue, now + this.#reordering);
  }

  /** How late a packet may be before it is asked for. */
  get #reordering(): number {
    return Math.min(Math.max(this.#roundTrip.smoothed / 4, 1), LONGEST_REORDERING);
  }

  get #repeatInterval(): number {
    const interval = Math.max(1.5 * this.#roundTrip.smoothed, SHORTEST_REPEAT);
    return Math.min(interval * 2 ** Math.max(0, this.#repeats - QUICK_REPEATS), REQUEST_INTERVAL);
  }
}
