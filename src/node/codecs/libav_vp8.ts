/** The two VP8 coders over libav.js, blocking: a worker thread of their own runs them. */
import type { LibAv } from "@libav.js/variant-vp8-opus";
import type { EncodedVp8Frame, Picture } from "../../env/codec.ts";
import { isPictureSize, type PictureSize, pictureBytes, splitPlanes } from "./planes.ts";
import { vp8Size } from "./vp8_size.ts";

/** A longer frame is none: three times a whole picture of the largest size that we take. */
const MAX_FRAME_BYTES = 4 << 20;

/** Units of time in a second. */
const TIME_BASE = 1_000_000;
/** What a rate may become of the one that an encoder was made for; beyond it there is a new encoder, and a key frame. */
const RATE_SPAN = 16;
/** As long as what was made would take to be sent, at most, before pictures are left out; in seconds. */
const BACKLOG = 0.5;
/** The longest a key frame may be: as much as so many per cent of an average frame. */
const KEY_FRAME_PERCENT = 500;
const INTRA_PICTURE = 1;
const NO_PICTURE_TYPE = 0;

/** Loads the codecs. Each call has a memory of its own. */
export async function loadLibav(): Promise<LibAv> {
  const { default: libav } = await import("@libav.js/variant-vp8-opus");
  const av = await libav.LibAV({ noworker: true, nothreads: true });
  av.av_log_set_level_sync(av.AV_LOG_QUIET);
  return av;
}

interface Encoder extends PictureSize {
  readonly context: number;
  readonly frame: number;
  readonly packet: number;
  /** Bits a second. */
  readonly madeFor: number;
  /** When the next picture is due, in its own time. */
  time: number;
}

/** Throws only when the codec itself is broken. */
export class LibavVp8Encoder {
  readonly #av: LibAv;
  readonly #frameRate: number;
  #encoder: Encoder | undefined;
  /** Bits that were made and, at this rate, not yet sent. */
  #backlog = 0;
  #keyFrameWanted = false;

  constructor(av: LibAv, frameRate: number) {
    this.#av = av;
    this.#frameRate = frameRate;
  }

  /** Undefined: left out, because what was made before is not sent yet. A key frame that was asked for comes later then. */
  encode(picture: Picture, bitRate: number, keyFrame: boolean): EncodedVp8Frame | undefined {
    this.#keyFrameWanted ||= keyFrame;
    this.#backlog = Math.max(0, this.#backlog - bitRate / this.#frameRate);
    if (this.#backlog > bitRate * BACKLOG) return undefined;
    const encoded = this.#encode(this.#encoderFor(picture, bitRate), picture, bitRate);
    if (encoded === undefined) return undefined;
    this.#backlog += encoded.data.length * 8;
    if (encoded.keyFrame) this.#keyFrameWanted = false;
    return encoded;
  }

  close(): void {
    if (this.#encoder === undefined) return;
    const { context, frame, packet } = this.#encoder;
    this.#encoder = undefined;
    this.#av.ff_free_encoder_sync(context, frame, packet);
  }

  #encoderFor(size: PictureSize, bitRate: number): Encoder {
    const now = this.#encoder;
    const fits = now?.width === size.width && now.height === size.height;
    if (now && fits && bitRate <= now.madeFor * RATE_SPAN && bitRate >= now.madeFor / RATE_SPAN) return now;
    this.close();
    this.#encoder = this.#create(size, bitRate);
    return this.#encoder;
  }

  #create({ width, height }: PictureSize, bitRate: number): Encoder {
    const av = this.#av;
    const rate = `${bitRate}`;
    const [, context, frame, packet] = av.ff_init_encoder_sync("libvpx", {
      ctx: { width, height, bit_rate: bitRate, pix_fmt: av.AV_PIX_FMT_YUV420P, gop_size: 0x7fff_ffff },
      time_base: [1, TIME_BASE],
      options: {
        ...{ minrate: rate, maxrate: rate, bufsize: rate }, // equal: a constant rate
        deadline: "realtime",
        "cpu-used": `${-speedFor(width * height)}`,
        "lag-in-frames": "0",
        "auto-alt-ref": "0",
        "error-resilient": "default",
        "max-intra-rate": `${KEY_FRAME_PERCENT}`,
      },
    });
    av.AVFrame_width_s_sync(frame, width);
    av.AVFrame_height_s_sync(frame, height);
    av.AVFrame_format_s_sync(frame, av.AV_PIX_FMT_YUV420P);
    expectDone(av.av_frame_get_buffer_sync(frame, 0), "allocate a picture");
    return { width, height, context, frame, packet, madeFor: bitRate, time: 0 };
  }

  /**
   * libav cannot change the rate of an encoder. So the pictures follow one another faster, in the encoder's time, the less they
   * may have of what it was made for: the rate is bits by time.
   */
  #encode(encoder: Encoder, picture: Picture, bitRate: number): EncodedVp8Frame | undefined {
    const av = this.#av;
    const { context, frame, packet, madeFor } = encoder;
    expectDone(av.av_frame_make_writable_sync(frame), "write a picture");
    const { width, height, y, u, v } = picture;
    const chromaWidth = (width + 1) >> 1;
    this.#writePlane(frame, 0, y, width, height);
    this.#writePlane(frame, 1, u, chromaWidth, (height + 1) >> 1);
    this.#writePlane(frame, 2, v, chromaWidth, (height + 1) >> 1);
    av.AVFrame_pict_type_s_sync(frame, this.#keyFrameWanted ? INTRA_PICTURE : NO_PICTURE_TYPE);
    const [low, high] = av.f64toi64(Math.round(encoder.time));
    av.AVFrame_pts_s_sync(frame, low);
    av.AVFrame_ptshi_s_sync(frame, high);
    encoder.time += (TIME_BASE / this.#frameRate) * (bitRate / madeFor);
    expectDone(av.avcodec_send_frame_sync(context, frame), "encode");
    if (av.avcodec_receive_packet_sync(context, packet) < 0) return undefined;
    const data = copyOf(av, av.AVPacket_data_sync(packet), av.AVPacket_size_sync(packet));
    const keyFrame = (av.AVPacket_flags_sync(packet) & av.AV_PKT_FLAG_KEY) !== 0;
    av.av_packet_unref_sync(packet);
    return { data, keyFrame };
  }

  #writePlane(frame: number, plane: number, bytes: Uint8Array, width: number, height: number): void {
    const start = this.#av.AVFrame_data_a_sync(frame, plane);
    const stride = this.#av.AVFrame_linesize_a_sync(frame, plane);
    const memory = this.#av.HEAPU8;
    for (let row = 0; row < height; row++) {
      memory.set(bytes.subarray(row * width, (row + 1) * width), start + row * stride);
    }
  }
}

/** Throws only when the codec itself is broken, whatever the bytes are. */
export class LibavVp8Decoder {
  readonly #av: LibAv;
  readonly #context: number;
  readonly #packet: number;
  readonly #frame: number;
  #started = false;

  constructor(av: LibAv) {
    this.#av = av;
    const [, context, packet, frame] = av.ff_init_decoder_sync("libvpx");
    this.#context = context;
    this.#packet = packet;
    this.#frame = frame;
  }

  /** Undefined: no picture comes of it. The planes share a buffer of their own. */
  decode(data: Uint8Array): Picture | undefined {
    if (data.length > MAX_FRAME_BYTES) return undefined;
    const size = vp8Size(data);
    if (size === undefined || (size !== "as before" && !isPictureSize(size))) return undefined;
    if (size === "as before" && !this.#started) return undefined;
    this.#started = true;
    const av = this.#av;
    av.ff_set_packet_sync(this.#packet, data);
    const taken = av.avcodec_send_packet_sync(this.#context, this.#packet);
    av.av_packet_unref_sync(this.#packet);
    if (taken < 0 || av.avcodec_receive_frame_sync(this.#context, this.#frame) < 0) return undefined;
    const picture = this.#read();
    av.av_frame_unref_sync(this.#frame);
    return picture;
  }

  close(): void {
    this.#av.ff_free_decoder_sync(this.#context, this.#packet, this.#frame);
  }

  #read(): Picture | undefined {
    const av = this.#av;
    const size = { width: av.AVFrame_width_sync(this.#frame), height: av.AVFrame_height_sync(this.#frame) };
    if (av.AVFrame_format_sync(this.#frame) !== av.AV_PIX_FMT_YUV420P || !isPictureSize(size)) return undefined;
    const picture = splitPlanes(new Uint8Array(pictureBytes(size)), size);
    const chromaWidth = (size.width + 1) >> 1;
    this.#readPlane(0, picture.y, size.width);
    this.#readPlane(1, picture.u, chromaWidth);
    this.#readPlane(2, picture.v, chromaWidth);
    return picture;
  }

  #readPlane(plane: number, into: Uint8Array, width: number): void {
    const start = this.#av.AVFrame_data_a_sync(this.#frame, plane);
    const stride = this.#av.AVFrame_linesize_a_sync(this.#frame, plane);
    const memory = this.#av.HEAPU8;
    for (let row = 0; row * width < into.length; row++) {
      const from = start + row * stride;
      into.set(memory.subarray(from, from + width), row * width);
    }
  }
}

/**
 * libvpx's own choice of speed measures time, of which it has none of ours. The slowest that lets one core make 30 pictures a
 * second: 16 is the fastest there is.
 */
function speedFor(pixels: number): number {
  if (pixels <= 352 * 288) return 6;
  return pixels <= 640 * 480 ? 12 : 16;
}

function copyOf({ HEAPU8 }: LibAv, start: number, length: number): Uint8Array {
  return HEAPU8.slice(start, start + length);
}

function expectDone(result: number, what: string): void {
  if (result < 0) throw new Error(`libav cannot ${what}: ${result}`);
}
