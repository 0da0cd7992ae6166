import type { OpusCodec, Vp8Codec } from "../env/codec.ts";
import type { Call } from "../index.ts";
import { type NodeClock, nodeClock } from "../node/index.ts";
import {
  type AudioShape,
  type AudioSink,
  type AudioSource,
  type FrameSink,
  loadOpus,
  loadVp8,
  type PumpEnd,
  type VideoSource,
} from "../node/media/index.ts";
import { Listening } from "./listening.ts";
import { Showing } from "./showing.ts";
import { Speaking } from "./speaking.ts";
import { type SeenPicture, Watching } from "./watching.ts";

export interface CallMediaOptions {
  /** What the friend hears. */
  readonly audio?: AudioSource | undefined;
  /** What he sees. */
  readonly video?: VideoSource | undefined;
  /** Where his sound goes: of one shape, where there are several. */
  readonly audioSinks?: readonly AudioSink[];
  /** Where his pictures go, as they were encoded. */
  readonly videoSinks?: readonly FrameSink[];
  /** Sees his pictures decoded. */
  readonly onPicture?: (picture: SeenPicture) => unknown;
  /** The built-in ones, which are loaded when they are needed, where left out. */
  readonly opus?: OpusCodec;
  readonly vp8?: Vp8Codec;
}

const DEFAULT_SHAPE: AudioShape = { sampleRate: 48_000, channels: 1 };

/**
 * Sound and pictures of one call: sources are encoded and sent, what comes is decoded and given to sinks. It may begin while the call
 * rings; what nobody takes is left out. When the call ends, all of it is closed, the sources and sinks too.
 */
export class CallMedia {
  /** How the sources end; undefined where there is none. */
  readonly audioDone: Promise<PumpEnd> | undefined;
  readonly videoDone: Promise<PumpEnd> | undefined;
  readonly #clock: NodeClock;
  readonly #parts: { close(): unknown }[];
  readonly #sinks: readonly (AudioSink | FrameSink)[];
  #closing: Promise<void> | undefined;

  /** Rejects with `codec-unavailable`, and `invalid-argument` for a source of another shape than codecs take. */
  static async start(call: Call, options: CallMediaOptions): Promise<CallMedia> {
    const { audio, video, audioSinks = [], videoSinks = [], onPicture } = options;
    const clock = nodeClock();
    const sinks = [...audioSinks, ...videoSinks];
    const parts: { close(): unknown }[] = [];
    const vp8 = () => Promise.resolve(options.vp8 ?? loadVp8());
    let [speaking, showing]: [Speaking | undefined, Showing | undefined] = [undefined, undefined];
    try {
      if (audio !== undefined || audioSinks.length > 0) {
        const codec = options.opus ?? (await loadOpus());
        const [{ sampleRate, channels } = DEFAULT_SHAPE] = audioSinks;
        if (audioSinks.length > 0)
          parts.push(await Listening.start(call.audio, codec, { sampleRate, channels }, audioSinks));
        const loss = () => call.stats.lossThere;
        if (audio) speaking = await Speaking.start({ track: call.audio, source: audio, codec, clock, loss });
      }
      if (videoSinks.length > 0 || onPicture) parts.push(await Watching.start(call.video, vp8, videoSinks, onPicture));
      if (video) showing = await Showing.start({ track: call.video, source: video, codec: vp8, clock });
    } catch (error) {
      speaking?.stop();
      await closeAll([...parts, ...sinks], [audio, video]);
      clock.close();
      throw error;
    }
    return new CallMedia(call, clock, speaking, showing, parts, sinks);
  }

  private constructor(
    call: Call,
    clock: NodeClock,
    speaking: Speaking | undefined,
    showing: Showing | undefined,
    parts: readonly { close(): unknown }[],
    sinks: readonly (AudioSink | FrameSink)[],
  ) {
    this.#clock = clock;
    this.audioDone = speaking?.done;
    this.videoDone = showing?.done;
    this.#sinks = sinks;
    this.#parts = [...parts];
    for (const sending of [speaking, showing]) {
      if (sending !== undefined) this.#parts.push({ close: () => stopped(sending) });
    }
    void call.ended.then(() => this.close().catch(() => {}));
  }

  /** Ends all of it; the call goes on. Rejects with a `ToxError` when a recording could not be finished. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#parts.map(async (part) => part.close()));
    this.#clock.close();
    const ends = await Promise.allSettled(this.#sinks.map((sink) => sink.close()));
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}

function stopped(sending: Speaking | Showing): Promise<PumpEnd> {
  sending.stop();
  return sending.done;
}

async function closeAll(
  parts: readonly { close(): unknown }[],
  sources: readonly ({ close?(): Promise<void> } | undefined)[],
): Promise<void> {
  await Promise.allSettled([
    ...parts.map(async (part) => part.close()),
    ...sources.map(async (source) => source?.close?.()),
  ]);
}
