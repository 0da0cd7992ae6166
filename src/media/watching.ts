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
  #closed = false;

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
    // What `onPicture` throws goes where the errors of all listeners go.
    this.#off = track.on("frame", async ({ data, timestamp, damaged }) => {
      for (const sink of sinks) sink.write({ data, timestamp });
      if (decoder === undefined) return;
      const picture = await decoder.decode(data).catch(() => undefined); // closed meanwhile
      if (this.#closed) return;
      if (picture === undefined) track.requestKeyFrame();
      else await onPicture?.({ picture, timestamp, damaged });
    });
  }

  /** The sinks stay open. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#off();
    await this.#decoder?.close();
  }
}
