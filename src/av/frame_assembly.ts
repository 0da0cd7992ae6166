import { MAX_PIECE_SIZE, type RtpPiece } from "../wire/av/rtp.ts";
import type { Drop } from "../wire/drop.ts";
import { MAX_PARTIAL_FRAMES } from "./limits.ts";

/** What a piece takes beside its bytes. */
const PIECE_COST = 256;

export interface WholeFrame {
  /** As many as there were before it, lost ones included: its sequence number, which does not wrap. */
  readonly number: number;
  readonly timestamp: number;
  readonly keyFrame: boolean;
  readonly data: Uint8Array;
}

interface PartialFrame {
  readonly number: number;
  readonly timestamp: number;
  readonly keyFrame: boolean;
  readonly length: number;
  readonly pieces: Map<number, Uint8Array>; // by offset; no more than twice as many as toxcore would make
  received: number;
}

/**
 * Puts frames together from their pieces, in whatever order these come. Memory is what has come, not what a header says; of
 * frames and bytes there is a bound, and the oldest go first.
 */
export class FrameAssembly {
  readonly #maxSize: number;
  readonly #drop: Drop;
  readonly #partial = new Map<number, PartialFrame>(); // at most MAX_PARTIAL_FRAMES, and #maxSize bytes
  #bytes = 0;

  constructor(maxSize: number, drop: Drop) {
    this.#maxSize = maxSize;
    this.#drop = drop;
  }

  /** The frame, once it is whole. The bytes are copied. */
  add(number: number, piece: RtpPiece): WholeFrame | undefined {
    const { timestamp, keyFrame, length, data, offset } = piece;
    if (length > this.#maxSize) return this.#drop("oversized");
    if (data.length === length) {
      this.forget(number);
      return { ...{ number, timestamp, keyFrame }, data: data.slice() };
    }
    const partial = this.#partial.get(number) ?? this.#begin(number, piece);
    if (partial.length !== length || partial.timestamp !== timestamp) return this.#drop("malformed");
    if (partial.pieces.has(offset)) return this.#drop("replayed");
    if (partial.received + data.length > length || partial.pieces.size > (2 * length) / MAX_PIECE_SIZE) {
      this.forget(number);
      return this.#drop("malformed");
    }
    partial.pieces.set(offset, data.slice());
    partial.received += data.length;
    this.#bytes += data.length + PIECE_COST;
    if (partial.received < length) {
      this.#makeRoom(partial);
      return undefined;
    }
    this.forget(number);
    return this.#join(partial);
  }

  /** Offsets that toxcore and ours would cut the frame at, and that have not come; undefined: nothing of it has. */
  missing(number: number): number[] | undefined {
    const partial = this.#partial.get(number);
    if (partial === undefined) return undefined;
    const missing: number[] = [];
    for (let offset = 0; offset < partial.length; offset += MAX_PIECE_SIZE) {
      if (!partial.pieces.has(offset)) missing.push(offset);
    }
    return missing;
  }

  /** What has come of the frame. */
  receivedPieces(number: number): number {
    return this.#partial.get(number)?.pieces.size ?? 0;
  }

  forget(number: number): void {
    const partial = this.#partial.get(number);
    if (partial === undefined) return;
    this.#partial.delete(number);
    this.#bytes -= partial.received + PIECE_COST * partial.pieces.size;
  }

  /** Forgets the frames before this one. */
  forgetBefore(number: number): void {
    for (const known of this.#partial.keys()) if (known < number) this.forget(known);
  }

  clear(): void {
    this.#partial.clear();
    this.#bytes = 0;
  }

  #begin(number: number, { timestamp, keyFrame, length }: RtpPiece): PartialFrame {
    if (this.#partial.size >= MAX_PARTIAL_FRAMES) this.#forgetOldest();
    const partial = { number, timestamp, keyFrame, length, pieces: new Map<number, Uint8Array>(), received: 0 };
    this.#partial.set(number, partial);
    return partial;
  }

  #makeRoom(latest: PartialFrame): void {
    while (this.#bytes > this.#maxSize && this.#partial.size > 1) this.#forgetOldest(latest);
  }

  #forgetOldest(except?: PartialFrame): void {
    let oldest = Number.POSITIVE_INFINITY;
    for (const number of this.#partial.keys()) if (number !== except?.number) oldest = Math.min(oldest, number);
    this.forget(oldest);
    this.#drop("table-full");
  }

  #join({ number, timestamp, keyFrame, length, pieces }: PartialFrame): WholeFrame | undefined {
    const data = new Uint8Array(length);
    let at = 0;
    for (const offset of [...pieces.keys()].sort((a, b) => a - b)) {
      if (offset !== at) return this.#drop("malformed"); // they overlap, and leave a hole
      const piece = pieces.get(offset) as Uint8Array;
      data.set(piece, at);
      at += piece.length;
    }
    return { number, timestamp, keyFrame, data };
  }
}
