import type { Clock } from "../env/clock.ts";
import type { ReceivedVideoFrame } from "../friend/call.ts";
import { Unwrapper } from "../util/unwrap.ts";
import { MAX_MISSING_PIECES, type MissingPiece } from "../wire/av/call_feedback.ts";
import { MAX_PIECE_SIZE, type RtpPiece } from "../wire/av/rtp.ts";
import { vp8FrameFacts } from "../wire/av/vp8_frame.ts";
import type { Drop } from "../wire/drop.ts";
import { FrameAssembly, type WholeFrame } from "./frame_assembly.ts";
import { MAX_FRAME_SIZE } from "./limits.ts";
import { LossMeter } from "./loss_meter.ts";
import { Transit } from "./transit.ts";
import { VideoOrder } from "./video_order.ts";

/** A missing frame is waited for, in ms: as long as late packets are usually late, or as a repair takes. */
const PATIENCE = 40;
const LONGEST_PATIENCE = 250;
/** Frames back from the newest that repairs are asked for. */
const REPAIRED_FRAMES = 16;
/** A piece is asked for so many times. */
const TIMES_ASKED = 3;
const ASK_AGAIN_AT_LEAST = 30;

export interface VideoReceiverHost {
  readonly clock: Clock;
  readonly drop: Drop;
  /** Whether the peer repairs. */
  readonly repairs: boolean;
  readonly roundTripMs: number | undefined;
  askRepair(missing: readonly MissingPiece[]): void;
  askKeyFrame(): void;
  frame(frame: ReceivedVideoFrame): void;
  lost(frames: number): void;
}

/** Pictures from the friend: from packets to frames in order, with repairs where he is one of ours. */
export class VideoReceiver {
  readonly loss = new LossMeter();
  readonly #host: VideoReceiverHost;
  readonly #numbers = new Unwrapper(16);
  readonly #times = new Unwrapper(32);
  readonly #assembly: FrameAssembly;
  readonly #order: VideoOrder;
  readonly #transit = new Transit();
  readonly #asked = new Map<number, { at: number; times: number }>(); // by frame; REPAIRED_FRAMES and a few
  #newest = Number.NEGATIVE_INFINITY;
  #damaged = true;
  #frames = 0;
  #lost = 0;

  constructor(host: VideoReceiverHost) {
    this.#host = host;
    this.#assembly = new FrameAssembly(MAX_FRAME_SIZE.video, host.drop);
    this.#order = new VideoOrder(host.clock, () => this.#patience, {
      frame: (frame) => this.#giveOut(frame),
      lost: (number, frames) => this.#gaveUp(number, frames),
    });
  }

  get frames(): number {
    return this.#frames;
  }

  get lost(): number {
    return this.#lost;
  }

  get queueing(): number {
    return this.#transit.latest;
  }

  /** Whether what is decoded now may be wrong, until a key frame comes. */
  get damaged(): boolean {
    return this.#damaged;
  }

  handle(piece: RtpPiece): void {
    if (piece.length > MAX_FRAME_SIZE.video) {
      this.#host.drop("oversized");
      return;
    }
    const number = this.#numbers.unwrap(piece.sequence);
    const time = this.#times.unwrap(piece.timestamp);
    this.loss.add(number, Math.ceil(piece.length / MAX_PIECE_SIZE), piece.data.length);
    if (number > this.#newest) {
      this.#newest = number;
      this.#transit.add(this.#host.clock.monotonic() - time);
    }
    const { next } = this.#order;
    if ((next !== undefined && number < next) || this.#order.has(number)) return;
    const frame = this.#assembly.add(number, piece);
    if (frame !== undefined) this.#whole(frame, time);
    if (this.#host.repairs) this.#askForMissing();
  }

  reset(): void {
    this.loss.restart();
    this.#numbers.restart();
    this.#times.restart();
    this.#assembly.clear();
    this.#order.reset();
    this.#transit.clear();
    this.#asked.clear();
    this.#newest = Number.NEGATIVE_INFINITY;
    this.#damaged = true;
  }

  get #patience(): number {
    const { repairs, roundTripMs } = this.#host;
    const wanted = repairs ? PATIENCE + 2.5 * (roundTripMs ?? 50) : PATIENCE + this.#transit.spread;
    return Math.min(wanted, LONGEST_PATIENCE);
  }

  #whole(frame: WholeFrame, time: number): void {
    this.#asked.delete(frame.number);
    const facts = vp8FrameFacts(frame.data);
    if (facts === undefined) {
      this.#host.drop("malformed"); // it counts as one that does not come
      return;
    }
    this.#order.add({ ...frame, timestamp: time, keyFrame: facts.keyFrame });
  }

  #giveOut(frame: WholeFrame): void {
    const { data, keyFrame, timestamp } = frame;
    this.#assembly.forgetBefore(frame.number);
    this.#frames++;
    if (keyFrame) this.#damaged = false;
    else if (this.#damaged) this.#host.askKeyFrame();
    this.#host.frame({ data, keyFrame, timestamp, damaged: this.#damaged });
  }

  #gaveUp(number: number, frames: number): void {
    this.#lost += frames;
    this.#damaged = true;
    for (const known of this.#asked.keys()) if (known < number + frames) this.#asked.delete(known);
    this.#host.askKeyFrame();
    this.#host.lost(frames);
  }

  /** Of the frames before the newest, what has not come. */
  #askForMissing(): void {
    const { next } = this.#order;
    if (next === undefined || this.#newest <= next) return;
    const now = this.#host.clock.monotonic();
    const pause = Math.max(ASK_AGAIN_AT_LEAST, 1.2 * (this.#host.roundTripMs ?? 0));
    const missing: MissingPiece[] = [];
    for (let number = Math.max(next, this.#newest - REPAIRED_FRAMES); number < this.#newest; number++) {
      if (this.#order.has(number)) continue;
      const asked = this.#asked.get(number) ?? { at: Number.NEGATIVE_INFINITY, times: 0 };
      if (asked.times >= TIMES_ASKED || now - asked.at < pause) continue;
      const sequence = number & 0xffff;
      const offsets = this.#assembly.missing(number);
      if (offsets === undefined) missing.push({ sequence, piece: undefined });
      else for (const offset of offsets) missing.push({ sequence, piece: offset / MAX_PIECE_SIZE });
      if (missing.length > MAX_MISSING_PIECES) break;
      this.#asked.set(number, { at: now, times: asked.times + 1 });
    }
    if (this.#asked.size > 2 * REPAIRED_FRAMES) this.#forgetAsked(next);
    if (missing.length > 0) this.#host.askRepair(missing.slice(0, MAX_MISSING_PIECES));
  }

  #forgetAsked(before: number): void {
    for (const number of this.#asked.keys()) if (number < before) this.#asked.delete(number);
  }
}
