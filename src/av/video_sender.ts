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
/** A piece is sent again no sooner than this, in ms, and three times at most. */
const AGAIN_AFTER = 20;
const TIMES_AGAIN = 3;

interface SentFrame {
  readonly frame: RtpFrame;
  readonly at: number;
  readonly again: Map<number, { at: number; times: number }>; // by piece of the frame
}

/**
 * Cuts pictures into packets and lets them leave a few at a time, since a key frame at once would overrun the queues of small
 * routers. Keeps each for a moment: one of ours asks for what he did not get.
 */
export class VideoSender {
  readonly #clock: Clock;
  readonly #transmit: (packet: Uint8Array) => void;
  readonly #queue: { readonly frame: RtpFrame; offset: number }[] = []; // QUEUE pieces at most
  #queued = 0;
  #credit = BURST;
  #creditAt = 0;
  #timer: Cancel | undefined;
  readonly #kept = new Map<number, SentFrame>(); // by sequence, in the order they were sent; KEPT_BYTES at most
  #keptBytes = 0;

  constructor(clock: Clock, transmit: (packet: Uint8Array) => void) {
    this.#clock = clock;
    this.#transmit = transmit;
  }

  /** False: too much waits already. `keep`: the peer can ask for it again. */
  send(frame: RtpFrame, keep: boolean): boolean {
    const pieces = Math.ceil(frame.data.length / MAX_PIECE_SIZE);
    if (this.#queued + pieces > QUEUE) return false;
    this.#queued += pieces;
    this.#queue.push({ frame, offset: 0 });
    if (keep) this.#keep(frame);
    this.#pump();
    return true;
  }

  /** Sends again what he lacks, if it is not too long ago. Answers how many pieces that are. */
  repair(missing: readonly MissingPiece[]): number {
    const now = this.#clock.monotonic();
    let sent = 0;
    for (const { sequence, piece } of missing) {
      const kept = this.#kept.get(sequence);
      if (kept === undefined || now - kept.at > KEPT_MS) continue;
      const count = Math.ceil(kept.frame.data.length / MAX_PIECE_SIZE);
      if (piece !== undefined) sent += piece < count ? this.#sendAgain(kept, piece, now) : 0;
      else for (let i = 0; i < count; i++) sent += this.#sendAgain(kept, i, now);
    }
    return sent;
  }

  close(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#queue.length = 0;
    this.#queued = 0;
    this.#kept.clear();
    this.#keptBytes = 0;
  }

  #sendAgain(kept: SentFrame, piece: number, now: number): number {
    const offset = piece * MAX_PIECE_SIZE;
    const waiting = this.#queue.find(({ frame }) => frame === kept.frame);
    if (waiting !== undefined && waiting.offset <= offset) return 0; // it has not left yet
    const again = kept.again.get(piece) ?? { at: kept.at, times: 0 };
    if (again.times >= TIMES_AGAIN || (again.times > 0 && now - again.at < AGAIN_AFTER)) return 0;
    kept.again.set(piece, { at: now, times: again.times + 1 });
    this.#transmit(encodeRtpPiece(kept.frame, offset));
    return 1;
  }

  #keep(frame: RtpFrame): void {
    const now = this.#clock.monotonic();
    this.#forget(frame.sequence);
    this.#kept.set(frame.sequence, { frame, at: now, again: new Map() });
    this.#keptBytes += frame.data.length;
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
      const head = this.#queue[0];
      if (head === undefined) break;
      this.#credit--;
      this.#queued--;
      const { frame, offset } = head;
      head.offset += MAX_PIECE_SIZE;
      if (head.offset >= frame.data.length) this.#queue.shift();
      this.#transmit(encodeRtpPiece(frame, offset));
    }
    if (this.#queue.length === 0 || this.#timer !== undefined) return;
    this.#timer = this.#clock.at(now + STEP / perMs, () => {
      this.#timer = undefined;
      this.#pump();
    });
  }
}
