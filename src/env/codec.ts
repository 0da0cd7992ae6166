/**
 * Codecs, as calls see them. Opus is quick and answers at once; VP8 takes milliseconds a picture and answers later.
 * `toxcore-ts/node` has both in WebAssembly; an app may bring its own.
 *
 * Sound is signed 16-bit samples, those of two channels in turn (left, right). What the caller does wrong is a ToxError; bytes
 * that a peer has damaged are none: each decoder says what it answers then.
 */

/** Hertz: what Opus can be given, and can give. */
export type OpusSampleRate = 8000 | 12_000 | 16_000 | 24_000 | 48_000;

export type OpusChannels = 1 | 2;

export interface OpusEncoderOptions {
  readonly sampleRate: OpusSampleRate;
  readonly channels: OpusChannels;
  /** Bits a second, 500 to 512,000. */
  readonly bitRate: number;
  /** True: what is silent or plain takes fewer bytes, which tells a listener on the wire what is said. False when left out. */
  readonly variable?: boolean;
  /** `voice` when left out. */
  readonly purpose?: "voice" | "music";
}

export interface OpusEncoder {
  /**
   * One packet of 2.5, 5, 10, 20, 40 or 60 ms: so many samples of each channel. The bytes are the caller's. Throws
   * `invalid-argument` for another length, and `closed`.
   */
  encode(pcm: Int16Array): Uint8Array;
  /** Bits a second, 500 to 512,000; from the next packet on. */
  bitRate: number;
  /** How many packets in a hundred are expected to be lost, 0 to 100: above 0 the packets may say something of the one before. */
  lossPercent: number;
  /** Frees the memory. A second call does nothing. */
  close(): void;
}

export interface OpusDecoderOptions {
  readonly sampleRate: OpusSampleRate;
  /** Of what comes out; what comes in may have one or two, changing as it likes. */
  readonly channels: OpusChannels;
}

/** Packets of one stream, in order. The samples are the caller's. Throws `closed` after `close`. */
export interface OpusDecoder {
  /** 2.5 to 120 ms of sound, as the packet says. Empty: damaged, and to be treated as lost. */
  decode(packet: Uint8Array): Int16Array;
  /**
   * Concealment for a packet that is lost: so many samples a channel. A multiple of 2.5 ms, at most 120 ms; `invalid-argument`
   * is thrown otherwise.
   */
  conceal(samples: number): Int16Array;
  /**
   * What the packet after the lost one says of it (in-band FEC); concealment where it says nothing. To be called before
   * `decode(next)`. So many samples a channel, as for `conceal`; the lost packet's length.
   */
  recover(next: Uint8Array, samples: number): Int16Array;
  /** Frees the memory. A second call does nothing. */
  close(): void;
}

export interface OpusCodec {
  /** Rejects with `invalid-argument` for what the options do not allow. */
  encoder(options: OpusEncoderOptions): Promise<OpusEncoder>;
  decoder(options: OpusDecoderOptions): Promise<OpusDecoder>;
}

/**
 * I420, planes without padding: `y` has width × height bytes, `u` and `v` have half of both, rounded up. Limited range
 * (black is 16, white 235), as VP8 and libtoxav have it.
 */
export interface Picture {
  /** Pixels, at least 1. */
  readonly width: number;
  readonly height: number;
  readonly y: Uint8Array;
  readonly u: Uint8Array;
  readonly v: Uint8Array;
}

export interface Vp8EncoderOptions {
  /** Pixels of the first picture; others may follow. */
  readonly width: number;
  readonly height: number;
  /** Bits a second. */
  readonly bitRate: number;
  /** Pictures a second, which the bits are shared among. */
  readonly frameRate: number;
}

export interface EncodedVp8Frame {
  /** The caller's. */
  readonly data: Uint8Array;
  /** True: nothing before it is needed to decode it. */
  readonly keyFrame: boolean;
}

export interface Vp8EncodeOptions {
  /** True: a key frame. The first, and the first of another size, always are. */
  readonly keyFrame?: boolean;
}

export interface Vp8Encoder {
  /**
   * Takes a copy of the picture within this call. Resolves to its frame; to undefined when it is left out, because the rate
   * allows none or too many are waiting. Rejects with `invalid-argument` for planes that do not fit or a size beyond the bounds,
   * and with `closed`.
   */
  encode(picture: Picture, options?: Vp8EncodeOptions): Promise<EncodedVp8Frame | undefined>;
  /** Bits a second; from the next picture on. */
  bitRate: number;
  /** What is under way resolves to undefined. A second call does nothing. */
  close(): Promise<void>;
}

/** Frames of one stream, in order. */
export interface Vp8Decoder {
  /**
   * Takes a copy of the frame within this call. Resolves to the picture, which is the caller's; to undefined when there is none
   * yet (no key frame came), the frame is damaged or beyond the bounds, or too many are waiting. Rejects with `closed`.
   */
  decode(frame: Uint8Array): Promise<Picture | undefined>;
  /** What is under way resolves to undefined. A second call does nothing. */
  close(): Promise<void>;
}

export interface Vp8Codec {
  /** Rejects with `invalid-argument` for what the options do not allow. */
  encoder(options: Vp8EncoderOptions): Promise<Vp8Encoder>;
  decoder(): Promise<Vp8Decoder>;
}
