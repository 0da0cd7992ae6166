import type { Cancel, Clock } from "../env/clock.ts";
import type { MissingPiece } from "../wire/av/call_feedback.ts";
import { encodeRtpPiece, MAX_PIECE_SIZE, type RtpFrame } from "../wire/av/rtp.ts";

/** Pieces that leave at once; with a longer frame the others follow … */
const BURST = 8;
/** … so many each … */
const STEP = 4;
/** … so many ms, or sooner for a higher bit rate: 17 Mbit/s at least, so that a key frame of 100 KiB takes 50 ms. */
const STEP_MS = 2.5;
/** Pieces of frames that wait to leave; a frame that does not fit is left out. */
const QUEUE = 4096;
/** For so long a frame can be asked for again, in ms. */
const KEPT_MS = 500;
/** And so many bytes of them are kept. */
const KEPT_BYTES = 4 << 20;
/** A piece is sent again no sooner than this, in ms, and three times at most … */
const AGAIN_AFTER = 20;
const TIMES_AGAIN = 3;
/** … and in all not many more than were sent: this is how many may be saved up. */
const FIRST_ALLOWANCE = 32;
const MAX_ALLOWANCE = 1024;

interface Outgoing {
  readonly frame: RtpFrame;
  /** How many pieces it has. */
  readonly pieces: number;
  readonly at: number;
  /** Pieces that have left. */
  left: number;
  /** By piece: when it was sent again, and how often. */
  readonly again: Map<number, { at: number; times: number }>;
}

/**
 * Cuts pictures into packets and lets them leave a few at a time, since a key frame at once would overrun the queues of small
 * routers. Keeps each for a moment: one of ours asks for what he did not get.
 */
export class VideoSender {
  readonly #clock: Clock;
  readonly #transmit: (packet: Uint8Array) => void;
  readonly #queue: Outgoing[] = []; // QUEUE pieces at most
  /** What leaves again, before what waits for the first time. */
  readonly #repairs: { readonly outgoing: Outgoing; readonly piece: number }[] = []; // MAX_ALLOWANCE at most
  #queued = 0;
  #credit = BURST;
  #creditAt = 0;
  #timer: Cancel | undefined;
  readonly #kept = new Map<number, Outgoing>(); // by sequence, in the order they were sent; KEPT_BYTES at most
  #keptBytes = 0;
  /** So many pieces may be sent again. */
  #allowance = FIRST_ALLOWANCE;

  constructor(clock: Clock, transmit: (packet: Uint8Array) => void) {
    this.#clock = clock;
    this.#transmit = transmit;
  }

  /** False: too much waits already. `keep`: the peer can ask for it again. */
  send(frame: RtpFrame, keep: boolean): boolean {
    const pieces = Math.ceil(frame.data.length / MAX_PIECE_SIZE);
    if (this.#queued + pieces > QUEUE) return false;
    const outgoing = { frame, pieces, at: this.#clock.monotonic(), left: 0, again: new Map() };
    this.#queued += pieces;
    this.#queue.push(outgoing);
    if (keep) this.#keep(outgoing);
    this.#pump();
    return true;
  }

  /** Sends again what he lacks, if it is not too long ago. Answers how many pieces that are. */
  repair(missing: readonly MissingPiece[]): number {
    const now = this.#clock.monotonic();
    const before = this.#allowance;
    for (const { sequence, piece } of missing) {
      const kept = this.#kept.get(sequence);
      if (kept === undefined || now - kept.at > KEPT_MS) continue;
      const [from, to] = piece === undefined ? [0, kept.left] : [piece, Math.min(piece + 1, kept.left)];
      for (let one = from; one < to && this.#allowance > 0; one++) this.#sendAgain(kept, one, now);
    }
    this.#pump();
    return before - this.#allowance;
  }

  close(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#queue.length = 0;
    this.#repairs.length = 0;
    this.#queued = 0;
    this.#kept.clear();
    this.#keptBytes = 0;
    this.#allowance = FIRST_ALLOWANCE;
  }

  #sendAgain(outgoing: Outgoing, piece: number, now: number): void {
    const again = outgoing.again.get(piece);
    if (again !== undefined && (again.times >= TIMES_AGAIN || now - again.at < AGAIN_AFTER)) return;
    outgoing.again.set(piece, { at: now, times: (again?.times ?? 0) + 1 });
    this.#allowance--;
    this.#repairs.push({ outgoing, piece });
  }

  #keep(outgoing: Outgoing): void {
    const { frame, pieces, at: now } = outgoing;
    this.#forget(frame.sequence);
    this.#kept.set(frame.sequence, outgoing);
    this.#keptBytes += frame.data.length;
    this.#allowance = Math.min(this.#allowance + pieces, MAX_ALLOWANCE);
    for (const [sequence, { at }] of this.#kept) {
      if (now - at <= KEPT_MS && this.#keptBytes <= KEPT_BYTES) break;
      this.#forget(sequence);
    }
  }

  #forget(sequence: number): void {
    this.#keptBytes -= this.#kept.get(sequence)?.frame.data.length ?? 0;
    this.#kept.delete(sequence);
  }

  #pump(): void {
    const now = this.#clock.monotonic();
    // Frames that wait longer make it hurry: nothing shall wait for more than a few frames.
    const perMs = (STEP / STEP_MS) * Math.max(1, this.#queue.length / 2);
    this.#credit = Math.min(BURST, this.#credit + (now - this.#creditAt) * perMs);
    this.#creditAt = now;
    while (this.#credit >= 1) {
      const packet = this.#next();
      if (packet === undefined) return;
      this.#credit--;
      this.#transmit(packet);
    }
    this.#timer ??= this.#clock.at(now + STEP / perMs, () => {
      this.#timer = undefined;
      this.#pump();
    });
  }

  /** The packet that leaves next. */
  #next(): Uint8Array | undefined {
    const repair = this.#repairs.shift();
    if (repair !== undefined) return encodeRtpPiece(repair.outgoing.frame, repair.piece * MAX_PIECE_SIZE);
    const head = this.#queue[0];
    if (head === undefined) return undefined;
    const packet = encodeRtpPiece(head.frame, head.left * MAX_PIECE_SIZE);
    head.left++;
    this.#queued--;
    if (head.left === head.pieces) this.#queue.shift();
    return packet;
  }
}
