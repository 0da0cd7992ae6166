import type { Cancel } from "../env/clock.ts";
import { makeSegment, RECEIVE_WINDOW, type Segment, type StreamSettings } from "./segment.ts";
import type { Timeline } from "./timeline.ts";

/** What a sender asks of the stream it belongs to. */
export interface SenderOwner {
  readonly timeline: Timeline;
  readonly settings: StreamSettings;
  /** Whether the other side took the connection. */
  readonly client: boolean;
  /** Puts a segment on its way. When the host's own line is full: the time to try again. */
  emit(segment: Segment): number | undefined;
  /** Bytes that waited have left. */
  left(): void;
  /** The other side has not answered for too long. */
  gaveUp(): void;
  /** All that was written, and the end, have been acknowledged. */
  sentAll(): void;
}

interface Numbered {
  readonly segment: Segment;
  sentAt: number;
  /** Counts what is sent: what was sent well before something that arrived is taken for lost. */
  order: number;
  tries: number;
  flying: boolean;
}

const FIRST_TIMEOUT = 1000;
const LEAST_TIMEOUT = 200;
const LONGEST_TIMEOUT = 60_000;
const FIRST_WINDOW_SEGMENTS = 10;
/** As many segments must have overtaken one before it is sent again. */
const OVERTAKEN = 3;

/** One side's sending half of a stream, as TCP does it: a window, acknowledgements, timeouts (RFC 5681, RFC 6298). */
export class StreamSender {
  readonly #owner: SenderOwner;
  readonly #waiting: Uint8Array[] = []; // bounded by the stream's queue limit
  readonly #sent = new Map<number, Numbered>(); // not acknowledged yet, by number, in order; bounded by the window
  #queued = 0;
  #number = 0;
  #order = 0;
  #offset = 0; // bytes of data that have left
  #limit = RECEIVE_WINDOW;
  #flying = 0; // bytes
  #window: number;
  #threshold = Number.POSITIVE_INFINITY;
  #recoveryOrder = 0;
  #roundTrip: number | undefined;
  #variation = 0;
  #timeout = FIRST_TIMEOUT;
  #heardAt: number;
  #probingSince: number | undefined;
  #opened = false;
  #finish: "no" | "asked" | "sent" = "no";
  #stopped = false;
  #cancelTimer: Cancel | undefined;
  #cancelFlush: Cancel | undefined;

  constructor(owner: SenderOwner) {
    this.#owner = owner;
    this.#window = FIRST_WINDOW_SEGMENTS * owner.settings.segmentSize;
    this.#heardAt = owner.timeline.now;
  }

  /** Bytes written that have not left yet. */
  get queued(): number {
    return this.#queued;
  }

  /** Sends the first segment; data follow once it is acknowledged. */
  open(kind: "connect" | "accept"): void {
    this.#send(makeSegment(kind, this.#owner.client, { number: this.#number++ }));
  }

  /** Takes bytes, which must not change any more. They leave in an event of their own. */
  write(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#queued += bytes.length;
    this.#flushAt(this.#owner.timeline.now);
  }

  /** Ends the stream after what waits. */
  finish(): void {
    if (this.#finish !== "no") return;
    this.#finish = "asked";
    this.#flushAt(this.#owner.timeline.now);
  }

  /** Sends again at once what is not acknowledged. */
  repeat(): void {
    this.#takeForLost();
    this.#pump();
  }

  acknowledge(number: number, limit: number): void {
    if (this.#stopped) return;
    this.#heardAt = this.#owner.timeline.now;
    if (limit > this.#limit) {
      this.#limit = limit;
      this.#resetTimeout();
    }
    const arrived = this.#sent.get(number);
    if (arrived !== undefined) {
      this.#sent.delete(number);
      if (arrived.flying) this.#flying -= arrived.segment.bytes.length;
      this.#measure(arrived);
      this.#grow(arrived.segment.bytes.length);
      this.#findLost(arrived.order);
      this.#opened = true;
    }
    this.#pump();
    this.#setTimer();
    if (!this.#stopped && this.#finish === "sent" && this.#sent.size === 0) {
      this.stop();
      this.#owner.sentAll();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting.length = 0;
    this.#queued = 0;
    this.#sent.clear();
    this.#cancelTimer?.();
    this.#cancelFlush?.();
  }

  #flushAt(time: number): void {
    if (this.#stopped || this.#cancelFlush !== undefined) return;
    this.#cancelFlush = this.#owner.timeline.schedule(time, () => {
      this.#cancelFlush = undefined;
      this.#pump();
    });
  }

  /** Sends what is lost, then what is new, as far as the window reaches. */
  #pump(): void {
    if (this.#stopped) return;
    for (const numbered of this.#sent.values()) {
      if (numbered.flying) continue;
      if (this.#flying > 0 && this.#flying + numbered.segment.bytes.length > this.#window) return;
      if (!this.#fly(numbered)) return;
    }
    if (!this.#opened) return;
    const queued = this.#queued;
    this.#sendWaiting();
    if (this.#queued < queued) this.#owner.left();
  }

  #sendWaiting(): void {
    const { client, settings } = this.#owner;
    while (this.#queued > 0) {
      const length = Math.min(this.#queued, settings.segmentSize, this.#limit - this.#offset);
      if (length <= 0) {
        if (this.#cancelTimer === undefined) this.#setTimer();
        return;
      }
      if (this.#flying > 0 && this.#flying + length > this.#window) return;
      const bytes = this.#take(length);
      if (!this.#send(makeSegment("data", client, { number: this.#number++, bytes }))) return;
    }
    if (this.#finish !== "asked") return;
    this.#finish = "sent";
    this.#send(makeSegment("finish", client, { number: this.#number++ }));
  }

  #take(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const first = this.#waiting[0] as Uint8Array;
      const part = first.subarray(0, length - at);
      bytes.set(part, at);
      at += part.length;
      if (part.length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(part.length);
    }
    this.#queued -= length;
    this.#offset += length;
    return bytes;
  }

  #send(segment: Segment): boolean {
    const numbered = { segment, sentAt: 0, order: 0, tries: 0, flying: false };
    this.#sent.set(segment.number, numbered);
    return this.#fly(numbered);
  }

  #fly(numbered: Numbered): boolean {
    const retryAt = this.#owner.emit(numbered.segment);
    if (retryAt !== undefined) {
      this.#flushAt(retryAt);
      return false;
    }
    const { now } = this.#owner.timeline;
    if (this.#sent.size === 1 && numbered.tries === 0) this.#heardAt = now; // the silence counts from here
    numbered.flying = true;
    numbered.sentAt = now;
    numbered.order = ++this.#order;
    numbered.tries++;
    this.#flying += numbered.segment.bytes.length;
    if (this.#cancelTimer === undefined) this.#setTimer();
    return true;
  }

  #measure({ tries, sentAt }: Numbered): void {
    if (tries !== 1) return; // whose answer it is nobody knows
    const sample = this.#owner.timeline.now - sentAt;
    if (this.#roundTrip === undefined) {
      this.#roundTrip = sample;
      this.#variation = sample / 2;
    } else {
      this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#roundTrip - sample);
      this.#roundTrip = 0.875 * this.#roundTrip + 0.125 * sample;
    }
    this.#resetTimeout();
  }

  #resetTimeout(): void {
    if (this.#roundTrip === undefined) return;
    this.#timeout = Math.max(LEAST_TIMEOUT, this.#roundTrip + 4 * this.#variation);
  }

  #grow(length: number): void {
    const { segmentSize } = this.#owner.settings;
    if (this.#window < this.#threshold) this.#window += length;
    else this.#window += (segmentSize * length) / this.#window;
    this.#window = Math.min(this.#window, RECEIVE_WINDOW);
  }

  #findLost(arrivedOrder: number): void {
    for (const numbered of this.#sent.values()) {
      if (!numbered.flying || numbered.order + OVERTAKEN > arrivedOrder) continue;
      numbered.flying = false;
      this.#flying -= numbered.segment.bytes.length;
      if (numbered.order <= this.#recoveryOrder) continue;
      this.#recoveryOrder = this.#order;
      this.#slowDown();
      this.#window = this.#threshold;
    }
  }

  #slowDown(): void {
    this.#threshold = Math.max(2 * this.#owner.settings.segmentSize, this.#window / 2);
  }

  /** For the oldest segment under way; when none is, for asking whether the other side has room again. */
  #setTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const stuck = this.#sent.size === 0 && this.#queued > 0 && this.#limit <= this.#offset;
    if (!stuck) this.#probingSince = undefined;
    if (this.#stopped || !(stuck || this.#sent.size > 0)) return;
    const { timeline, settings } = this.#owner;
    const end = stuck ? Number.POSITIVE_INFINITY : this.#heardAt + settings.giveUp;
    this.#cancelTimer = timeline.schedule(Math.min(timeline.now + this.#timeout, end), () => {
      this.#cancelTimer = undefined;
      if (this.#sent.size > 0) this.#timedOut();
      else this.#probe();
    });
  }

  #probe(): void {
    const { timeline, settings, client } = this.#owner;
    this.#probingSince ??= timeline.now;
    if (timeline.now - Math.max(this.#heardAt, this.#probingSince) >= settings.giveUp) {
      this.#owner.gaveUp();
      return;
    }
    this.#owner.emit(makeSegment("probe", client));
    this.#timeout = Math.min(2 * this.#timeout, LONGEST_TIMEOUT);
    this.#setTimer();
  }

  #takeForLost(): void {
    for (const numbered of this.#sent.values()) numbered.flying = false;
    this.#flying = 0;
  }

  #timedOut(): void {
    const { timeline, settings } = this.#owner;
    if (timeline.now >= this.#heardAt + settings.giveUp) {
      this.#owner.gaveUp();
      return;
    }
    this.#takeForLost();
    this.#slowDown();
    this.#window = settings.segmentSize;
    this.#timeout = Math.min(2 * this.#timeout, LONGEST_TIMEOUT);
    this.#pump();
    this.#setTimer();
  }
}
