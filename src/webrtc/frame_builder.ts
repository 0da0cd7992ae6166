import { Unwrapper } from "../util/unwrap.ts";
import { isKeyFrame, readVp8Payload, type Vp8Part } from "./vp8_payload.ts";

/** Packets behind a missing one that wait for it … */
const MAX_WAITING = 1_024;
/** … so long at most, in ms: a page on the same machine sends again within a few. */
const PATIENCE = 120;
/** What a frame may have, in bytes, as in a call. */
const MAX_FRAME = 4 << 20;

export interface VideoPacket {
  /** 16 bits, of RTP. */
  readonly sequence: number;
  /** 32 bits, in 1/90,000 s. */
  readonly timestamp: number;
  /** The last one of its frame. */
  readonly marker: boolean;
  readonly payload: Uint8Array;
}

export interface BuiltFrame {
  readonly data: Uint8Array;
  readonly timestamp: number;
}

interface Waiting {
  readonly timestamp: number;
  readonly marker: boolean;
  /** Undefined: nothing but padding. */
  readonly part: Vp8Part | undefined;
}

/**
 * Puts the packets of one stream together to frames, in order. Begins with a key frame, and after a loss anew with the next one: `lost`
 * tells that one should be asked for.
 */
export class FrameBuilder {
  readonly #frame: (frame: BuiltFrame) => void;
  readonly #lost: () => void;
  readonly #sequences = new Unwrapper(16);
  readonly #waiting = new Map<number, Waiting>(); // MAX_WAITING behind a gap, MAX_FRAME in bytes
  #bytes = 0;
  /** The first packet that has not become part of a frame; undefined: whichever begins a key frame. */
  #next: number | undefined;
  /** Up to here, all from `#next` on are there. */
  #end = 0;
  #gapSince: number | undefined;

  constructor(frame: (frame: BuiltFrame) => void, lost: () => void) {
    this.#frame = frame;
    this.#lost = lost;
  }

  /** `now` in ms, on a clock that does not jump. */
  add(packet: VideoPacket, now: number): void {
    const { marker, payload, timestamp } = packet;
    const sequence = this.#sequences.unwrap(packet.sequence);
    const part = readVp8Payload(payload);
    if (part === undefined && payload.length > 0) return;
    if (this.#next === undefined) {
      if (!part?.first || !isKeyFrame(part.data)) return;
      this.#next = sequence;
      this.#end = sequence;
    }
    if (sequence < this.#next || this.#waiting.has(sequence)) return;
    this.#waiting.set(sequence, { timestamp, marker, part });
    this.#bytes += part?.data.length ?? 0;
    this.#build();
    this.#giveUp(now);
  }

  #build(): void {
    for (let one = this.#waiting.get(this.#end); one !== undefined; one = this.#waiting.get(this.#end)) {
      this.#end++;
      if (one.part === undefined) this.#skipPadding();
      else if (one.marker) this.#finish();
      if (this.#next === undefined) return;
    }
  }

  /** Between two frames, it belongs to none. */
  #skipPadding(): void {
    if (this.#next !== this.#end - 1) return;
    this.#waiting.delete(this.#next);
    this.#next = this.#end;
  }

  #finish(): void {
    const from = this.#next ?? this.#end;
    const parts: Vp8Part[] = [];
    let length = 0;
    let timestamp: number | undefined;
    let whole = true;
    for (let sequence = from; sequence < this.#end; sequence++) {
      const one = this.#waiting.get(sequence);
      this.#waiting.delete(sequence);
      if (one?.part === undefined) continue;
      timestamp ??= one.timestamp;
      whole &&= one.part.first === (parts.length === 0) && one.timestamp === timestamp;
      parts.push(one.part);
      length += one.part.data.length;
    }
    this.#next = this.#end;
    this.#bytes -= length;
    if (!whole || timestamp === undefined || length > MAX_FRAME) {
      this.#startAnew();
      return;
    }
    const data = new Uint8Array(length);
    let at = 0;
    for (const { data: bytes } of parts) {
      data.set(bytes, at);
      at += bytes.length;
    }
    this.#frame({ data, timestamp });
  }

  #giveUp(now: number): void {
    if (this.#bytes > MAX_FRAME) {
      this.#startAnew();
      return;
    }
    const behind = this.#waiting.size - (this.#end - (this.#next ?? this.#end));
    if (behind <= 0) {
      this.#gapSince = undefined;
      if (this.#waiting.size > MAX_FRAME / 512) this.#startAnew(); // no frame has as many packets
      return;
    }
    this.#gapSince ??= now;
    if (now - this.#gapSince > PATIENCE || behind > MAX_WAITING) this.#startAnew();
  }

  #startAnew(): void {
    this.#waiting.clear();
    this.#bytes = 0;
    this.#next = undefined;
    this.#gapSince = undefined;
    this.#lost();
  }
}
