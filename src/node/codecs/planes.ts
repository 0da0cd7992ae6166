import type { Picture } from "../../env/codec.ts";
import { ToxError } from "../../util/tox_error.ts";

/**
 * Larger pictures are neither encoded nor decoded: 4096 × 2304, in whatever shape. A decoder keeps some five of them in memory,
 * and a frame of eleven bytes can ask for that.
 */
export const MAX_PICTURE_PIXELS = 4096 * 2304;
/** VP8 has 14 bits for each side. */
const MAX_SIDE = 16_383;

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

export function isPictureSize({ width, height }: PictureSize): boolean {
  const isSide = (side: number) => Number.isInteger(side) && side >= 1 && side <= MAX_SIDE;
  return isSide(width) && isSide(height) && width * height <= MAX_PICTURE_PIXELS;
}

export function expectPictureSize(size: PictureSize): void {
  if (isPictureSize(size)) return;
  throw new ToxError("invalid-argument", `Give a picture of ${MAX_PICTURE_PIXELS} pixels at most.`);
}

export function expectPicture(picture: Picture): void {
  expectPictureSize(picture);
  const { y, u, v } = picture;
  const [luma, chroma] = planeSizes(picture);
  if (y.length === luma && u.length === chroma && v.length === chroma) return;
  throw new ToxError("invalid-argument", `Give planes of ${luma}, ${chroma} and ${chroma} bytes.`);
}

/** Bytes of the planes y, u and v. */
export function planeSizes({ width, height }: PictureSize): readonly [number, number, number] {
  const chroma = ((width + 1) >> 1) * ((height + 1) >> 1);
  return [width * height, chroma, chroma];
}

/** Bytes of all planes behind one another. */
export function pictureBytes(size: PictureSize): number {
  const [luma, chroma] = planeSizes(size);
  return luma + 2 * chroma;
}

/** The planes behind one another, written into `into`, which has room for them. */
export function joinPlanes({ y, u, v }: Picture, into: Uint8Array): void {
  into.set(y);
  into.set(u, y.length);
  into.set(v, y.length + u.length);
}

/** Views of the planes that lie behind one another in `bytes`. */
export function splitPlanes(bytes: Uint8Array, { width, height }: PictureSize): Picture {
  const [luma, chroma] = planeSizes({ width, height });
  return {
    ...{ width, height },
    y: bytes.subarray(0, luma),
    u: bytes.subarray(luma, luma + chroma),
    v: bytes.subarray(luma + chroma, luma + 2 * chroma),
  };
}
