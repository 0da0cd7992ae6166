/** What sources and sinks of sound and pictures look like. An app's own, a camera say, need no more than this. */
import type { OpusChannels, OpusSampleRate, Picture } from "../../env/codec.ts";

/** How sound is laid out: 16-bit samples, those of two channels in turn. */
export interface AudioShape {
  readonly sampleRate: OpusSampleRate;
  readonly channels: OpusChannels;
}

export interface AudioSource extends AudioShape {
  /** True: `read` itself waits for the samples, as a microphone does. Otherwise they are there, and the reader keeps the pace. */
  readonly live?: boolean;
  /**
   * The next samples, so many of each channel; the caller's. The last ones may be filled up with silence; undefined behind them.
   * One read at a time. A rejection ends the source.
   */
  read(samples: number): Promise<Int16Array | undefined>;
  /** Nothing is read any more; a read that waits resolves to undefined. A second call does nothing. */
  close?(): Promise<void>;
}

export interface AudioSink extends AudioShape {
  /** Takes the samples over. Never throws: what goes wrong ends the sink, and `close` tells it. */
  write(pcm: Int16Array): void;
  /** Waits for what is under way. Rejects with a ToxError when not all could be done. */
  close(): Promise<void>;
}

/** Pictures to be encoded. */
export interface PictureSource {
  readonly kind: "pictures";
  readonly width: number;
  readonly height: number;
  /** Pictures a second. */
  readonly frameRate: number;
  /** True: `read` itself waits for the picture, as a camera does. */
  readonly live?: boolean;
  /** The next picture; undefined at the end. It may change again with the next read. A rejection ends the source. */
  read(): Promise<Picture | undefined>;
  /** As for `AudioSource`. */
  close?(): Promise<void>;
}

export interface TimedFrame {
  /** A VP8 frame. */
  readonly data: Uint8Array;
  /** In ms, from any moment on; never goes back. */
  readonly timestamp: number;
}

/** Pictures that are VP8 frames already. */
export interface FrameSource {
  readonly kind: "frames";
  /** The next frame; undefined at the end. A rejection ends the source. */
  read(): Promise<TimedFrame | undefined>;
  /** As for `AudioSource`. */
  close?(): Promise<void>;
}

export type VideoSource = PictureSource | FrameSource;

export interface FrameSink {
  /** Takes the frame over. Never throws: what goes wrong ends the sink, and `close` tells it. */
  write(frame: TimedFrame): void;
  /** Waits for what is under way. Rejects with a ToxError when not all could be done. */
  close(): Promise<void>;
}
