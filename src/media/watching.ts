import type { Picture, Vp8Codec, Vp8Decoder } from "../env/codec.ts";
import type { Unsubscribe, VideoTrack } from "../index.ts";
import type { FrameSink } from "../node/media/index.ts";

/** A picture of a friend. */
export interface SeenPicture {
  readonly picture: Picture;
  /** In ms on the friend's clock. */
  readonly timestamp: number;
  /** Something was lost: it may look wrong. */
  readonly damaged: boolean;
}

/** Pictures that come in: from a call into sinks as they are, and decoded to whom wants to see them. */
export class Watching {
  readonly #decoder: Vp8Decoder | undefined;
  readonly #off: Unsubscribe;

  static async start(
    track: VideoTrack,
    codec: () => Promise<Vp8Codec>,
    sinks: readonly FrameSink[],
    onPicture: ((picture: SeenPicture) => unknown) | undefined,
  ): Promise<Watching> {
    const decoder = onPicture && (await (await codec()).decoder());
    return new Watching(track, sinks, decoder, onPicture);
  }

  private constructor(
    track: VideoTrack,
    sinks: readonly FrameSink[],
    decoder: Vp8Decoder | undefined,
    onPicture: ((picture: SeenPicture) => unknown) | undefined,
  ) {
    this.#decoder = decoder;
    this.#off = track.on("frame", ({ data, timestamp, damaged }) => {
      for (const sink of sinks) sink.write({ data, timestamp });
      decoder?.decode(data).then(
        (picture) => picture && onPicture?.({ picture, timestamp, damaged }),
        () => {}, // closed meanwhile
      );
    });
  }

  /** The sinks stay open. */
  async close(): Promise<void> {
    this.#off();
    await this.#decoder?.close();
  }
}
