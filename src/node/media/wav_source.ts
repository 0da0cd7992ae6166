import type { OpusChannels, OpusSampleRate } from "../../env/codec.ts";
import { ToxError } from "../../util/tox_error.ts";
import { beginsWith } from "./ascii.ts";
import type { AudioSource } from "./media.ts";
import { Resampler } from "./resampler.ts";
import { SequentialFile } from "./sequential_file.ts";
import { decodeWavFormat, WAV_PCM, type WavFormat } from "./wav_header.ts";

const OPUS_RATES: readonly OpusSampleRate[] = [8000, 12_000, 16_000, 24_000, 48_000];
/** Chunks before the sound, with titles and the like: nobody has more. */
const MAX_CHUNKS = 64;
const MAX_FORMAT_SIZE = 4096;
/** How many samples of each channel are read from the file at once. */
const PIECE = 4096;

/**
 * A WAV file: 16-bit PCM of one or two channels, 8,000 to 48,000 samples a second. It is read as it is played. A rate that Opus
 * does not have becomes the next one above. Rejects with `invalid-argument` for what is not such a file.
 */
export async function wavSource(path: string): Promise<AudioSource> {
  const file = await SequentialFile.open(path);
  try {
    return new WavSource(file, await readHeader(file, path));
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Sound extends WavFormat {
  /** What the file says; it may have less. */
  readonly bytes: number;
}

class WavSource implements AudioSource {
  readonly sampleRate: OpusSampleRate;
  readonly channels: OpusChannels;
  readonly #file: SequentialFile;
  /** One for each channel; none when the file has a rate that Opus has. */
  readonly #resamplers: readonly Resampler[];
  #bytesLeft: number;
  #ended = false;
  #closed = false;
  /** Samples that are decoded and not yet asked for. */
  #ready: Int16Array = new Int16Array(0);

  constructor(file: SequentialFile, { sampleRate, channels, bytes }: Sound) {
    this.#file = file;
    this.#bytesLeft = bytes;
    this.channels = channels === 1 ? 1 : 2;
    this.sampleRate = OPUS_RATES.find((rate) => rate >= sampleRate) ?? 48_000;
    const needed = this.sampleRate === sampleRate ? 0 : channels;
    this.#resamplers = Array.from({ length: needed }, () => new Resampler(sampleRate, this.sampleRate));
  }

  async read(samples: number): Promise<Int16Array | undefined> {
    const wanted = samples * this.channels;
    while (this.#ready.length < wanted && !this.#ended) this.#add(await this.#readPiece());
    if (this.#ready.length === 0 || this.#closed) return undefined;
    const pcm = new Int16Array(wanted);
    pcm.set(this.#ready.subarray(0, wanted));
    this.#ready = this.#ready.subarray(wanted);
    return pcm;
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#closed = true;
    await this.#file.close();
  }

  async #readPiece(): Promise<Int16Array> {
    const size = this.channels * 2;
    const bytes = await this.#file.take(Math.min(this.#bytesLeft, PIECE * size));
    const whole = bytes.length - (bytes.length % size);
    this.#bytesLeft -= whole;
    this.#ended ||= whole < PIECE * size;
    const view = new DataView(bytes.buffer, bytes.byteOffset, whole);
    const pcm = Int16Array.from({ length: whole / 2 }, (_, i) => view.getInt16(i * 2, true));
    return this.#resamplers.length === 0 ? pcm : this.#resample(pcm);
  }

  #resample(pcm: Int16Array): Int16Array {
    const { channels } = this;
    const outputs = this.#resamplers.map((resampler, channel) => {
      const input = Float32Array.from({ length: pcm.length / channels }, (_, i) => pcm[i * channels + channel] ?? 0);
      const output = resampler.push(input);
      return this.#ended ? joined(output, resampler.end()) : output;
    });
    const length = (outputs[0]?.length ?? 0) * channels;
    return Int16Array.from({ length }, (_, i) => clamp(outputs[i % channels]?.[Math.floor(i / channels)] ?? 0));
  }

  #add(pcm: Int16Array): void {
    const ready = new Int16Array(this.#ready.length + pcm.length);
    ready.set(this.#ready);
    ready.set(pcm, this.#ready.length);
    this.#ready = ready;
  }
}

/** Leaves the file at the first sample. */
async function readHeader(file: SequentialFile, path: string): Promise<Sound> {
  const start = await file.take(12);
  if (!beginsWith(start, "RIFF") || !beginsWith(start, "WAVE", 8)) throw unfit(path, "it is no WAV file");
  let format: WavFormat | undefined;
  for (let chunks = 0; chunks < MAX_CHUNKS; chunks++) {
    const header = await file.take(8);
    if (header.length < 8) break;
    const size = new DataView(header.buffer, header.byteOffset).getUint32(4, true);
    if (beginsWith(header, "data")) return soundOf(format, size, path);
    const padded = size + (size % 2);
    if (!beginsWith(header, "fmt ")) file.skip(padded);
    else if (size > MAX_FORMAT_SIZE) break;
    else format = decodeWavFormat((await file.take(padded)).subarray(0, size));
  }
  throw unfit(path, "there is no sound in it");
}

function soundOf(format: WavFormat | undefined, size: number, path: string): Sound {
  if (format === undefined) throw unfit(path, "it does not say what its sound is like");
  const { encoding, bitsPerSample, channels, sampleRate } = format;
  if (encoding !== WAV_PCM || bitsPerSample !== 16) throw unfit(path, "its samples are not 16-bit PCM");
  if (channels !== 1 && channels !== 2) throw unfit(path, `it has ${channels} channels`);
  if (sampleRate < 8000 || sampleRate > 48_000) throw unfit(path, `it has ${sampleRate} samples a second`);
  // Programs that write to a pipe, and those that were killed, leave the size open.
  const isOpen = size === 0 || size === 0xffff_ffff;
  return { ...format, bytes: isOpen ? Number.MAX_SAFE_INTEGER : size };
}

function unfit(path: string, reason: string): ToxError {
  const wanted = "Give a WAV file of 16-bit PCM, one or two channels, 8000 to 48000 samples a second";
  return new ToxError("invalid-argument", `The file ${path} cannot be played: ${reason}. ${wanted}.`);
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function clamp(sample: number): number {
  return Math.max(-0x8000, Math.min(0x7fff, Math.round(sample)));
}
