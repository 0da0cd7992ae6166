import type { Clock } from "../env/clock.ts";
import { Unwrapper } from "../util/unwrap.ts";
import { decodeAudioPayload } from "../wire/av/audio_payload.ts";
import { MAX_PIECE_SIZE, type RtpPiece } from "../wire/av/rtp.ts";
import type { Drop } from "../wire/drop.ts";
import { AudioJitter, type AudioOutput } from "./audio_jitter.ts";
import { FrameAssembly } from "./frame_assembly.ts";
import { MAX_FRAME_SIZE } from "./limits.ts";
import { LossMeter } from "./loss_meter.ts";

/** Sound from the friend: from packets to frames that are due. */
export class AudioReceiver {
  readonly loss = new LossMeter();
  readonly #drop: Drop;
  readonly #numbers = new Unwrapper(16);
  readonly #times = new Unwrapper(32);
  readonly #assembly: FrameAssembly;
  readonly #jitter: AudioJitter;
  #frames = 0;

  constructor(clock: Clock, drop: Drop, output: AudioOutput) {
    this.#drop = drop;
    this.#assembly = new FrameAssembly(MAX_FRAME_SIZE.audio, drop);
    this.#jitter = new AudioJitter(clock, output);
  }

  /** Frames that came. */
  get frames(): number {
    return this.#frames;
  }

  get lost(): number {
    return this.#jitter.lost;
  }

  get delay(): number {
    return this.#jitter.delay;
  }

  get queueing(): number {
    return this.#jitter.queueing;
  }

  handle(piece: RtpPiece): void {
    if (piece.length > MAX_FRAME_SIZE.audio) {
      this.#drop("oversized");
      return;
    }
    const number = this.#numbers.unwrap(piece.sequence);
    this.loss.add(number, Math.ceil(piece.length / MAX_PIECE_SIZE), piece.data.length);
    const frame = this.#assembly.add(number, piece);
    const payload = frame && decodeAudioPayload(frame.data, this.#drop);
    if (payload === undefined) return;
    this.#frames++;
    this.#jitter.add(number, this.#times.unwrap(piece.timestamp), payload);
  }

  /** He begins anew, or we have not listened for a while. */
  reset(): void {
    this.loss.restart();
    this.#numbers.restart();
    this.#times.restart();
    this.#assembly.clear();
    this.#jitter.reset();
  }
}
