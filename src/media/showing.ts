import type { Picture, Vp8Codec, Vp8Encoder } from "../env/codec.ts";
import type { Clock, VideoTrack } from "../index.ts";
import { type Pump, type PumpEnd, pumpFrames, pumpPictures, type VideoSource } from "../node/media/index.ts";

export interface ShowingOptions {
  readonly track: VideoTrack;
  readonly source: VideoSource;
  readonly codec: () => Promise<Vp8Codec>;
  readonly clock: Clock;
}

/** Pictures that go out: from a source, through VP8 where they are not encoded already, into a call. */
export class Showing {
  /** How the source ends. */
  readonly done: Promise<PumpEnd>;
  readonly #pump: Pump;

  static async start({ track, source, codec, clock }: ShowingOptions): Promise<Showing> {
    if (source.kind === "frames") {
      return new Showing(
        pumpFrames(source, (data, timestamp) => track.send({ data, timestamp }), { clock }),
        async () => {},
      );
    }
    const { width, height, frameRate } = source;
    const encoder = await (await codec()).encoder({ width, height, frameRate, bitRate: track.bitRate });
    const encoded = new EncodedPictures(track, encoder);
    return new Showing(
      pumpPictures(source, (picture, timestamp) => encoded.take(picture, timestamp), { clock }),
      () => encoded.close(),
    );
  }

  private constructor(pump: Pump, close: () => Promise<void>) {
    this.#pump = pump;
    this.done = pump.done.finally(close);
  }

  stop(): void {
    this.#pump.stop();
  }
}

class EncodedPictures {
  readonly #track: VideoTrack;
  readonly #encoder: Vp8Encoder;
  readonly #off: (() => void)[];
  #keyFrame = false;
  #closed = false;

  constructor(track: VideoTrack, encoder: Vp8Encoder) {
    this.#track = track;
    this.#encoder = encoder;
    this.#off = [
      track.on("keyFrameWanted", () => {
        this.#keyFrame = true;
      }),
      track.on("bitRate", (bitRate) => {
        encoder.bitRate = bitRate;
      }),
    ];
  }

  take(picture: Picture, timestamp: number): void {
    if (!this.#track.open || this.#closed) {
      this.#keyFrame = true; // who takes it again has nothing to go on from
      return;
    }
    const keyFrame = this.#keyFrame;
    this.#keyFrame = false;
    this.#encoder.encode(picture, { keyFrame }).then(
      (frame) => {
        if (frame !== undefined && !this.#closed) this.#track.send({ data: frame.data, timestamp });
        else if (keyFrame) this.#keyFrame = true; // it was left out
      },
      () => {}, // closed meanwhile, or a size that cannot be
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const off of this.#off) off();
    await this.#encoder.close();
  }
}
