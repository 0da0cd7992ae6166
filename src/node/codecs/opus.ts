import type {
  OpusChannels,
  OpusCodec,
  OpusDecoder,
  OpusDecoderOptions,
  OpusEncoder,
  OpusEncoderOptions,
  OpusSampleRate,
} from "../../env/codec.ts";
import { ToxError } from "../../util/tox_error.ts";

type LibOpus = typeof import("libopus-wasm");
type EncoderHandle = Awaited<ReturnType<LibOpus["createEncoder"]>>;
type DecoderHandle = Awaited<ReturnType<LibOpus["createDecoder"]>>;

const SAMPLE_RATES: readonly number[] = [8000, 12_000, 16_000, 24_000, 48_000] satisfies OpusSampleRate[];
/** What a packet may last when it is made, in units of 2.5 ms. */
const PACKET_LENGTHS: readonly number[] = [1, 2, 4, 8, 16, 24];
/** The longest that Opus knows: 120 ms, in the same units. */
const LONGEST_PACKET = 48;
/** 48 frames of 1,275 bytes with their lengths: nothing longer is a packet. RFC 6716, section 3.2. */
const MAX_PACKET_SIZE = 48 * 1277 + 2;
const MIN_BIT_RATE = 500;
const MAX_BIT_RATE = 512_000;
/** `OPUS_SET_INBAND_FEC`: 1 leaves CELT for SILK where that is needed to say something of the packet before, 2 does not. */
const FEC = { voice: 1, music: 2 } as const;

/**
 * libopus in WebAssembly, in this thread: a packet takes a tenth of a millisecond. Rejects with `codec-unavailable` where the
 * package `libopus-wasm` is not installed.
 */
export async function loadOpus(): Promise<OpusCodec> {
  let opus: LibOpus;
  try {
    opus = await import("libopus-wasm");
    await opus.loadLibopus();
  } catch (error) {
    throw new ToxError("codec-unavailable", "Opus cannot be loaded: install the package libopus-wasm.", {
      cause: error,
    });
  }
  return {
    encoder: (options) => createEncoder(opus, options),
    decoder: (options) => createDecoder(opus, options),
  };
}

async function createEncoder(opus: LibOpus, options: OpusEncoderOptions): Promise<OpusEncoder> {
  const { sampleRate, channels, bitRate, variable = false, purpose = "voice" } = options;
  expectShape(sampleRate, channels);
  const isMusic = purpose === "music";
  const handle = await opus.createEncoder({
    ...{ sampleRate, channels, bitrate: expectBitRate(bitRate), vbr: variable },
    application: isMusic ? opus.Application.Audio : opus.Application.Voip,
    signal: isMusic ? opus.Signal.Music : opus.Signal.Auto,
  });
  handle.encoderCtl(opus.EncoderCtl.SetInBandFec, FEC[isMusic ? "music" : "voice"]);
  return new WasmOpusEncoder(handle, bitRate);
}

async function createDecoder(opus: LibOpus, { sampleRate, channels }: OpusDecoderOptions): Promise<OpusDecoder> {
  expectShape(sampleRate, channels);
  return new WasmOpusDecoder(await opus.createDecoder({ sampleRate, channels }));
}

class WasmOpusEncoder implements OpusEncoder {
  readonly #handle: EncoderHandle;
  #bitRate: number;
  #lossPercent = 0;
  #closed = false;

  constructor(handle: EncoderHandle, bitRate: number) {
    this.#handle = handle;
    this.#bitRate = bitRate;
  }

  encode(pcm: Int16Array): Uint8Array {
    expectOpen(this.#closed);
    const { channels, sampleRate } = this.#handle;
    const frameSize = pcm.length / channels;
    if (!PACKET_LENGTHS.includes((frameSize * 400) / sampleRate)) {
      throw new ToxError("invalid-argument", "Give the samples of 2.5, 5, 10, 20, 40 or 60 ms.");
    }
    return this.#handle.encode(pcm, { frameSize });
  }

  get bitRate(): number {
    return this.#bitRate;
  }

  set bitRate(bitRate: number) {
    expectOpen(this.#closed);
    this.#handle.setBitrate(expectBitRate(bitRate));
    this.#bitRate = bitRate;
  }

  get lossPercent(): number {
    return this.#lossPercent;
  }

  set lossPercent(percent: number) {
    expectOpen(this.#closed);
    if (!(percent >= 0 && percent <= 100)) {
      throw new ToxError("invalid-argument", "The share of lost packets is a number from 0 to 100.");
    }
    this.#handle.setPacketLossPercent(Math.round(percent));
    this.#lossPercent = percent;
  }

  close(): void {
    this.#closed = true;
    this.#handle.free();
  }
}

class WasmOpusDecoder implements OpusDecoder {
  readonly #handle: DecoderHandle;
  #closed = false;

  constructor(handle: DecoderHandle) {
    this.#handle = handle;
  }

  decode(packet: Uint8Array): Int16Array {
    expectOpen(this.#closed);
    return this.#decode(packet, {});
  }

  conceal(samples: number): Int16Array {
    expectOpen(this.#closed);
    this.#expectLength(samples);
    return this.#handle.decodePacketLoss(samples);
  }

  recover(next: Uint8Array, samples: number): Int16Array {
    expectOpen(this.#closed);
    this.#expectLength(samples);
    const recovered = this.#decode(next, { decodeFec: true, frameSize: samples });
    return recovered.length === samples * this.#handle.channels ? recovered : this.#handle.decodePacketLoss(samples);
  }

  close(): void {
    this.#closed = true;
    this.#handle.free();
  }

  /** Whatever the decoder says against the bytes, they are a stranger's. */
  #decode(packet: Uint8Array, options: { decodeFec?: boolean; frameSize?: number }): Int16Array {
    if (packet.length === 0 || packet.length > MAX_PACKET_SIZE) return new Int16Array(0);
    try {
      return this.#handle.decode(packet, options);
    } catch {
      return new Int16Array(0);
    }
  }

  #expectLength(samples: number): void {
    const units = (samples * 400) / this.#handle.sampleRate;
    if (!Number.isInteger(units) || units < 1 || units > LONGEST_PACKET) {
      throw new ToxError("invalid-argument", "Ask for a multiple of 2.5 ms, of 120 ms at most.");
    }
  }
}

function expectOpen(closed: boolean): void {
  if (closed) throw new ToxError("closed", "This coder was closed.");
}

function expectShape(sampleRate: OpusSampleRate, channels: OpusChannels): void {
  if (!SAMPLE_RATES.includes(sampleRate)) {
    throw new ToxError("invalid-argument", "Give a sample rate of 8000, 12000, 16000, 24000 or 48000.");
  }
  if (channels !== 1 && channels !== 2) throw new ToxError("invalid-argument", "Sound has one channel or two.");
}

function expectBitRate(bitRate: number): number {
  if (!Number.isInteger(bitRate) || bitRate < MIN_BIT_RATE || bitRate > MAX_BIT_RATE) {
    throw new ToxError("invalid-argument", `Sound has a bit rate from ${MIN_BIT_RATE} to ${MAX_BIT_RATE} bit/s.`);
  }
  return bitRate;
}
