import { createRequire } from "node:module";
import type {
  EncodedVp8Frame,
  Picture,
  Vp8Codec,
  Vp8Decoder,
  Vp8EncodeOptions,
  Vp8Encoder,
  Vp8EncoderOptions,
} from "../../env/codec.ts";
import { ToxError } from "../../util/tox_error.ts";
import { expectPicture, expectPictureSize, joinPlanes, pictureBytes } from "./planes.ts";
import type { DecodeAnswer, DecodeJob, EncodeAnswer, EncodeJob } from "./vp8_jobs.ts";
import { Vp8Thread } from "./vp8_thread.ts";

/** Pictures that wait to be encoded: later ones are left out, so that what is seen is never older. */
const MAX_PICTURES_WAITING = 3;
/** Frames that wait to be decoded: one that is left out spoils those behind it. */
const MAX_FRAMES_WAITING = 30;
const MIN_BIT_RATE = 1_000;
const MAX_BIT_RATE = 1_000_000_000;
const MAX_FRAME_RATE = 240;

/**
 * libvpx in WebAssembly, each coder in a thread of its own: a picture of 1280 × 720 takes 24 ms of one core to encode, and 8 ms to
 * decode. Rejects with `codec-unavailable` where the package `@libav.js/variant-vp8-opus` is not installed.
 */
export async function loadVp8(): Promise<Vp8Codec> {
  try {
    createRequire(import.meta.url).resolve("@libav.js/variant-vp8-opus");
  } catch (error) {
    throw unavailable(error);
  }
  return { encoder: createEncoder, decoder: createDecoder };
}

async function createEncoder(options: Vp8EncoderOptions): Promise<Vp8Encoder> {
  expectPictureSize(options);
  const { bitRate, frameRate } = options;
  expectBitRate(bitRate);
  if (!(frameRate > 0 && frameRate <= MAX_FRAME_RATE)) {
    throw new ToxError("invalid-argument", `Give a frame rate above 0, of ${MAX_FRAME_RATE} at most.`);
  }
  const thread = new Vp8Thread<EncodeJob, EncodeAnswer>({ role: "encoder", frameRate }, MAX_PICTURES_WAITING);
  await started(thread);
  return new ThreadedVp8Encoder(thread, bitRate);
}

async function createDecoder(): Promise<Vp8Decoder> {
  const thread = new Vp8Thread<DecodeJob, DecodeAnswer>({ role: "decoder" }, MAX_FRAMES_WAITING);
  await started(thread);
  return new ThreadedVp8Decoder(thread);
}

class ThreadedVp8Encoder implements Vp8Encoder {
  readonly #thread: Vp8Thread<EncodeJob, EncodeAnswer>;
  #bitRate: number;
  #keyFrameWanted = false;
  /** The planes of a picture that is encoded: room for the next one. */
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #closed = false;

  constructor(thread: Vp8Thread<EncodeJob, EncodeAnswer>, bitRate: number) {
    this.#thread = thread;
    this.#bitRate = bitRate;
  }

  async encode(picture: Picture, { keyFrame = false }: Vp8EncodeOptions = {}): Promise<EncodedVp8Frame | undefined> {
    expectOpen(this.#closed);
    expectPicture(picture);
    this.#keyFrameWanted ||= keyFrame;
    if (!this.#thread.hasRoom) return undefined;
    const planes = this.#roomFor(pictureBytes(picture));
    joinPlanes(picture, planes);
    const { width, height } = picture;
    const job = { width, height, planes, bitRate: this.#bitRate, keyFrame: this.#keyFrameWanted };
    this.#keyFrameWanted = false;
    const answer = await this.#thread.run(job, [planes.buffer]);
    this.#spare = answer?.planes;
    return answer?.frame;
  }

  get bitRate(): number {
    return this.#bitRate;
  }

  set bitRate(bitRate: number) {
    expectOpen(this.#closed);
    this.#bitRate = expectBitRate(bitRate);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#spare = undefined;
    await this.#thread.close();
  }

  #roomFor(bytes: number): Uint8Array<ArrayBuffer> {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare?.length === bytes ? spare : new Uint8Array(bytes);
  }
}

class ThreadedVp8Decoder implements Vp8Decoder {
  readonly #thread: Vp8Thread<DecodeJob, DecodeAnswer>;
  #closed = false;

  constructor(thread: Vp8Thread<DecodeJob, DecodeAnswer>) {
    this.#thread = thread;
  }

  async decode(frame: Uint8Array): Promise<Picture | undefined> {
    expectOpen(this.#closed);
    if (!this.#thread.hasRoom) return undefined;
    const copy = new Uint8Array(frame);
    return (await this.#thread.run({ frame: copy }, [copy.buffer]))?.picture;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread.close();
  }
}

async function started(thread: { start(): Promise<void>; close(): Promise<void> }): Promise<void> {
  try {
    await thread.start();
  } catch (error) {
    await thread.close();
    throw unavailable(error);
  }
}

function unavailable(cause: unknown): ToxError {
  const message = "VP8 cannot be loaded: install the package @libav.js/variant-vp8-opus.";
  return new ToxError("codec-unavailable", message, { cause });
}

function expectOpen(closed: boolean): void {
  if (closed) throw new ToxError("closed", "This coder was closed.");
}

function expectBitRate(bitRate: number): number {
  if (!Number.isInteger(bitRate) || bitRate < MIN_BIT_RATE || bitRate > MAX_BIT_RATE) {
    throw new ToxError("invalid-argument", `Pictures have a bit rate from ${MIN_BIT_RATE} to ${MAX_BIT_RATE} bit/s.`);
  }
  return bitRate;
}
