import type { Picture, Vp8Codec, Vp8Encoder } from "../env/codec.ts";
import type { Clock, VideoTrack } from "../index.ts";
import { type Pump, type PumpEnd, pumpFrames, pumpPictures, type VideoSource } from "../node/media/index.ts";
import { claim } from "./claims.ts";

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

  static async start(options: ShowingOptions): Promise<Showing> {
    const release = claim(options.track);
    try {
      const { pump, close } = await Showing.#begin(options);
      return new Showing(pump, async () => {
        release();
        await close();
      });
    } catch (error) {
      release();
      throw error;
    }
  }

  static async #begin({
    track,
    source,
    codec,
    clock,
  }: ShowingOptions): Promise<{ pump: Pump; close(): Promise<void> }> {
    if (source.kind === "frames") {
      const send = (data: Uint8Array, timestamp: number) => track.send({ data, timestamp });
      return { pump: pumpFrames(source, send, { clock }), close: async () => {} };
    }
    const { width, height, frameRate } = source;
    const encoder = await (await codec()).encoder({ width, height, frameRate, bitRate: track.bitRate });
    const encoded = new EncodedPictures(track, encoder);
    const take = (picture: Picture, timestamp: number) => encoded.take(picture, timestamp);
    return { pump: pumpPictures(source, take, { clock }), close: () => encoded.close() };
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
  #failure: { readonly error: unknown } | undefined;

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

  /** Throws what was wrong with a picture before. */
  take(picture: Picture, timestamp: number): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (!this.#track.open || this.#closed) {
      this.#keyFrame = true; // who takes it again has nothing to go on from
      return;
    }
    const keyFrame = this.#keyFrame;
    this.#keyFrame = false;
    this.#send(picture, timestamp, keyFrame).catch((error: unknown) => {
      if (!this.#closed) this.#failure = { error };
    });
  }

  async #send(picture: Picture, timestamp: number, keyFrame: boolean): Promise<void> {
    const frame = await this.#encoder.encode(picture, { keyFrame });
    if (this.#closed) return;
    if (frame === undefined) this.#keyFrame ||= keyFrame;
    else if (!this.#track.send({ data: frame.data, timestamp })) this.#keyFrame = true; // the next would go on from it
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const off of this.#off) off();
    await this.#encoder.close();
  }
}
