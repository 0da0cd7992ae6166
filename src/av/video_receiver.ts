import type { Clock } from "../env/clock.ts";
import type { ReceivedVideoFrame } from "../friend/call.ts";
import { Unwrapper } from "../util/unwrap.ts";
import type { MissingPiece } from "../wire/av/call_feedback.ts";
import { MAX_PIECE_SIZE, type RtpPiece } from "../wire/av/rtp.ts";
import { vp8FrameFacts } from "../wire/av/vp8_frame.ts";
import type { Drop } from "../wire/drop.ts";
import { FrameAssembly, type WholeFrame } from "./frame_assembly.ts";
import { MAX_FRAME_SIZE } from "./limits.ts";
import { LossMeter } from "./loss_meter.ts";
import { RepairRequests } from "./repair_requests.ts";
import { Transit } from "./transit.ts";
import { LARGEST_JUMP, VideoOrder } from "./video_order.ts";

/** A missing frame is waited for, in ms: as long as late packets are usually late, or as a repair takes. */
const PATIENCE = 40;
const LONGEST_PATIENCE = 250;

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
  readonly #repairs = new RepairRequests();
  #newest = Number.NEGATIVE_INFINITY;
  #damaged = true;
  #frames = 0;
  #lost = 0;

  constructor(host: VideoReceiverHost) {
    this.#host = host;
    this.#assembly = new FrameAssembly(MAX_FRAME_SIZE.video, host.drop);
    this.#order = new VideoOrder(host.clock, () => this.#patience, {
      frame: (frame) => this.#giveOut(frame),
      lost: (frames) => this.#gaveUp(frames),
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
    if (this.#order.next !== undefined && Math.abs(number - this.#order.next) > LARGEST_JUMP) this.#beginAnew();
    this.loss.add(number, Math.ceil(piece.length / MAX_PIECE_SIZE), piece.data.length);
    if (number > this.#newest) {
      this.#newest = number;
      this.#transit.add(this.#host.clock.monotonic() - time);
    }
    if (number < this.#order.begin(number) || this.#order.has(number)) return;
    const frame = this.#assembly.add(number, piece);
    if (frame !== undefined) this.#whole(frame, time);
    if (this.#host.repairs) this.#askForMissing();
  }

  reset(): void {
    this.loss.restart();
    this.#numbers.restart();
    this.#times.restart();
    this.#transit.clear();
    this.#beginAnew();
  }

  #beginAnew(): void {
    this.#assembly.clear();
    this.#order.reset();
    this.#repairs.clear();
    this.#newest = Number.NEGATIVE_INFINITY;
    this.#damaged = true;
  }

  get #patience(): number {
    const { repairs, roundTripMs } = this.#host;
    const wanted = repairs ? PATIENCE + 2.5 * (roundTripMs ?? 50) : PATIENCE + this.#transit.spread;
    return Math.min(wanted, LONGEST_PATIENCE);
  }

  #whole(frame: WholeFrame, time: number): void {
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

  #gaveUp(frames: number): void {
    this.#lost += frames;
    this.#damaged = true;
    this.#host.askKeyFrame();
    this.#host.lost(frames);
  }

  /** Of the frames before the newest, what has not come. */
  #askForMissing(): void {
    const { next } = this.#order;
    if (next === undefined || this.#newest <= next) return;
    const frames = {
      has: (number: number) => this.#order.has(number),
      missing: (number: number) => this.#assembly.missing(number),
    };
    const { clock, roundTripMs } = this.#host;
    const missing = this.#repairs.take(next, this.#newest, frames, clock.monotonic(), roundTripMs);
    if (missing.length > 0) this.#host.askRepair(missing);
  }
}
