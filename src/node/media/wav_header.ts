/** What a WAV file begins with: "RIFF", its size, "WAVE", then chunks of a name, a size and that many bytes, all little-endian. */
import { ascii } from "./ascii.ts";

export interface WavFormat {
  /** 1: PCM. */
  readonly encoding: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bitsPerSample: number;
}

export const WAV_PCM = 1;
/** The encoding stands in the first bytes of a longer name, further back. */
const EXTENSIBLE = 0xfffe;
const FORMAT_SIZE = 16;
const EXTENDED_FORMAT_SIZE = 40;
export const WAV_HEADER_SIZE = 44;
const MAX_SIZE = 0xffff_ffff;

/** The bytes of a chunk "fmt "; undefined when they are too few. */
export function decodeWavFormat(chunk: Uint8Array): WavFormat | undefined {
  if (chunk.length < FORMAT_SIZE) return undefined;
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  const encoding = view.getUint16(0, true);
  const isExtended = encoding === EXTENSIBLE && chunk.length >= EXTENDED_FORMAT_SIZE;
  return {
    encoding: isExtended ? view.getUint16(24, true) : encoding,
    channels: view.getUint16(2, true),
    sampleRate: view.getUint32(4, true),
    bitsPerSample: view.getUint16(14, true),
  };
}

/** The header of a file with so many bytes of 16-bit samples behind it. */
export function encodeWavHeader(sampleRate: number, channels: number, dataBytes: number): Uint8Array {
  const header = new Uint8Array(WAV_HEADER_SIZE);
  const view = new DataView(header.buffer);
  header.set(ascii("RIFF"), 0);
  view.setUint32(4, Math.min(dataBytes + WAV_HEADER_SIZE - 8, MAX_SIZE), true);
  header.set(ascii("WAVEfmt "), 8);
  view.setUint32(16, FORMAT_SIZE, true);
  view.setUint16(20, WAV_PCM, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  header.set(ascii("data"), 36);
  view.setUint32(40, Math.min(dataBytes, MAX_SIZE), true);
  return header;
}
