import type { OpusCodec, OpusEncoder } from "../env/codec.ts";
import type { AudioTrack, Clock, Unsubscribe } from "../index.ts";
import { type AudioSource, type Pump, type PumpEnd, pumpAudio } from "../node/media/index.ts";
import { claim } from "./claims.ts";

/** What a listener loses is told to the encoder in steps of so many in a hundred, so that it is not set anew all the time. */
const LOSS_STEP = 5;
/** Without news, the encoder reckons with so many in a hundred: what it adds for them is little. */
const EXPECTED_LOSS = 5;

export interface SpeakingOptions {
  readonly track: AudioTrack;
  readonly source: AudioSource;
  readonly codec: OpusCodec;
  readonly clock: Clock;
  /** What the friend reports lost, 0 to 1. */
  readonly loss: () => number;
}

/** Sound that goes out: from a source through Opus into a call. */
export class Speaking {
  /** How the source ends. */
  readonly done: Promise<PumpEnd>;
  readonly #pump: Pump;

  static async start(options: SpeakingOptions): Promise<Speaking> {
    const { codec, source, track } = options;
    const { sampleRate, channels } = source;
    const release = claim(track);
    try {
      const encoder = await codec.encoder({ sampleRate, channels, bitRate: track.bitRate });
      return new Speaking(options, encoder, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  private constructor({ track, source, clock, loss }: SpeakingOptions, encoder: OpusEncoder, release: () => void) {
    const { sampleRate } = source;
    const off: Unsubscribe = track.on("bitRate", (bitRate) => {
      encoder.bitRate = bitRate;
    });
    this.#pump = pumpAudio(
      source,
      (pcm, timestamp) => {
        if (!track.open) return; // the time of what nobody takes passes all the same
        const expected = Math.max(EXPECTED_LOSS, LOSS_STEP * Math.round((100 * loss()) / LOSS_STEP));
        if (encoder.lossPercent !== expected) encoder.lossPercent = expected;
        track.send({ data: encoder.encode(pcm), sampleRate, timestamp });
      },
      { clock },
    );
    this.done = this.#pump.done.finally(() => {
      off();
      release();
      encoder.close();
    });
  }

  stop(): void {
    this.#pump.stop();
  }
}
