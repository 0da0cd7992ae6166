import type { OpusCodec, OpusDecoder } from "../env/codec.ts";
import type { AudioTrack, Unsubscribe } from "../index.ts";
import type { AudioShape, AudioSink } from "../node/media/index.ts";

/** Sound that comes in: from a call through Opus into sinks, at an even pace, with what is lost concealed. */
export class Listening {
  readonly #decoder: OpusDecoder;
  readonly #off: Unsubscribe[];
  readonly #sinks: readonly AudioSink[];
  #closed = false;

  /** The sinks have the same shape. */
  static async start(
    track: AudioTrack,
    codec: OpusCodec,
    shape: AudioShape,
    sinks: readonly AudioSink[],
  ): Promise<Listening> {
    return new Listening(track, await codec.decoder(shape), shape, sinks);
  }

  private constructor(
    track: AudioTrack,
    decoder: OpusDecoder,
    { sampleRate }: AudioShape,
    sinks: readonly AudioSink[],
  ) {
    this.#decoder = decoder;
    this.#sinks = sinks;
    const samplesOf = (duration: number) => Math.round((duration * sampleRate) / 1000);
    this.#off = [
      track.on("frame", ({ data, duration }) => {
        const pcm = decoder.decode(data);
        this.#write(pcm.length > 0 ? pcm : decoder.conceal(samplesOf(duration)));
      }),
      track.on("lost", ({ duration, next }) => {
        const samples = samplesOf(duration);
        this.#write(next === undefined ? decoder.conceal(samples) : decoder.recover(next, samples));
      }),
    ];
  }

  /** The sinks stay open. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const off of this.#off) off();
    this.#decoder.close();
  }

  #write(pcm: Int16Array): void {
    const [first, ...others] = this.#sinks;
    for (const sink of others) sink.write(pcm.slice());
    first?.write(pcm);
  }
}
