import type { Clock } from "../env/clock.ts";
import type { Logger } from "../env/logger.ts";
import type { AudioFrame, AudioTrack, AudioTrackEvents } from "../friend/call.ts";
import { Emitter, type Unsubscribe } from "../util/emitter.ts";
import { ToxError } from "../util/tox_error.ts";
import { encodeAudioPayload } from "../wire/av/audio_payload.ts";
import { opusPacketFacts } from "../wire/av/opus_packet.ts";
import { encodeRtpPiece, MAX_PIECE_SIZE } from "../wire/av/rtp.ts";
import type { Drop } from "../wire/drop.ts";
import { AudioReceiver } from "./audio_receiver.ts";
import { AUDIO_BIT_RATES, OPUS_RATES } from "./limits.ts";
import { expectTimestamp, type MediaClock } from "./media_clock.ts";
import type { RateControl } from "./rate_control.ts";
import { Track, type TrackHost } from "./track.ts";

const BEST_RATE = 48_000;

export interface AudioTrackOptions {
  readonly host: TrackHost;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly drop: Drop;
  readonly times: MediaClock;
  readonly rate: RateControl;
  readonly sending: boolean;
  readonly ssrc: number;
  transmit(packet: Uint8Array): boolean;
}

/** The sound of a call. */
export class CallAudio extends Track implements AudioTrack {
  readonly receiver: AudioReceiver;
  readonly #options: AudioTrackOptions;
  readonly #events: Emitter<AudioTrackEvents>;
  #sequence = 0;
  #timestamp = 0;
  #sent = 0;

  constructor(options: AudioTrackOptions) {
    const { host, clock, logger, drop, rate, sending } = options;
    super(host, sending, rate, AUDIO_BIT_RATES);
    this.#options = options;
    this.#events = new Emitter(logger);
    this.receiver = new AudioReceiver(clock, drop, {
      arrived: (frame) => void this.#events.emit("arrived", frame),
      frame: (frame) => void this.#events.emit("frame", frame),
      lost: (frame) => void this.#events.emit("lost", frame),
    });
  }

  /** Frames that left. */
  get sent(): number {
    return this.#sent;
  }

  on<Name extends keyof AudioTrackEvents>(
    name: Name,
    listener: (event: AudioTrackEvents[Name]) => unknown,
  ): Unsubscribe {
    return this.#events.on(name, listener);
  }

  send({ data, sampleRate = BEST_RATE, timestamp }: AudioFrame): boolean {
    if (!OPUS_RATES.has(sampleRate)) {
      throw new ToxError("invalid-argument", "Give a sample rate of 8000, 12000, 16000, 24000 or 48000.");
    }
    const payload = encodeAudioPayload(sampleRate, data);
    if (opusPacketFacts(data) === undefined || payload.length > MAX_PIECE_SIZE) {
      throw new ToxError("invalid-argument", "Give one Opus packet of 120 ms and 1288 bytes at most.");
    }
    expectTimestamp(timestamp);
    if (!this.open) return false;
    const { clock, times, ssrc, transmit } = this.#options;
    this.#timestamp = times.wire(timestamp, clock.monotonic(), this.#timestamp);
    const header = {
      kind: "audio",
      sequence: this.#sequence,
      timestamp: this.#timestamp,
      ssrc,
      keyFrame: false,
    } as const;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#sent++;
    transmit(encodeRtpPiece({ ...header, data: payload }, 0));
    return true;
  }

  override resetReceiver(): void {
    this.receiver.reset();
  }

  /** Nothing is told any more. */
  close(): void {
    this.#events.removeAll();
    this.receiver.reset();
  }

  protected override emitBitRate(bitRate: number): void {
    this.#events.emit("bitRate", bitRate);
  }
}
