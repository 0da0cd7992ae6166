/** IVF, as libvpx writes it: a header of 32 bytes, then frames of a size (u32), a time (u64) and that many bytes, little-endian. */
import { ascii, beginsWith } from "./ascii.ts";

export const IVF_HEADER_SIZE = 32;
export const IVF_FRAME_HEADER_SIZE = 12;

export interface IvfHeader {
  /** Four letters: "VP80". */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** Units of time in a second, as a fraction. */
  readonly unitsPerSecond: { readonly over: number; readonly under: number };
  /** Frames, as far as the writer knew. */
  readonly frames: number;
  /** Bytes before the first frame. */
  readonly size: number;
}

export function decodeIvfHeader(bytes: Uint8Array): IvfHeader | undefined {
  if (bytes.length < IVF_HEADER_SIZE || !beginsWith(bytes, "DKIF")) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    size: view.getUint16(6, true),
    codec: String.fromCharCode(...bytes.subarray(8, 12)),
    width: view.getUint16(12, true),
    height: view.getUint16(14, true),
    unitsPerSecond: { over: view.getUint32(16, true), under: view.getUint32(20, true) },
    frames: view.getUint32(24, true),
  };
}

export function encodeIvfHeader({ codec, width, height, unitsPerSecond, frames }: Omit<IvfHeader, "size">): Uint8Array {
  const bytes = new Uint8Array(IVF_HEADER_SIZE);
  const view = new DataView(bytes.buffer);
  bytes.set(ascii("DKIF"), 0);
  view.setUint16(6, IVF_HEADER_SIZE, true);
  bytes.set(ascii(codec), 8);
  view.setUint16(12, width, true);
  view.setUint16(14, height, true);
  view.setUint32(16, unitsPerSecond.over, true);
  view.setUint32(20, unitsPerSecond.under, true);
  view.setUint32(24, frames, true);
  return bytes;
}

export function encodeIvfFrameHeader(size: number, time: number): Uint8Array {
  const bytes = new Uint8Array(IVF_FRAME_HEADER_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, size, true);
  view.setBigUint64(4, BigInt(time), true);
  return bytes;
}
