import type { Picture } from "../../env/codec.ts";
import { ToxError } from "../../util/tox_error.ts";
import type { PictureSource } from "./media.ts";

export interface TestPictureOptions {
  /** Pixels, even; 640 and 480 when left out. */
  readonly width?: number;
  readonly height?: number;
  /** Pictures a second; 30 when left out. */
  readonly frameRate?: number;
}

const GROUND = { y: 64, u: 148, v: 116 } as const;
const BAR = { y: 220, u: 96, v: 150 } as const;
/** The bar takes this share of the width. */
const BAR_SHARE = 8;
/** What the luma of every test picture is on average. */
export const TEST_PICTURE_LUMA = GROUND.y + (BAR.y - GROUND.y) / BAR_SHARE;
const SECONDS_TO_CROSS = 3;
const MAX_FRAME_RATE = 240;

/**
 * A bright bar that moves to the right over a dark ground in three seconds, again and again. Each picture is as bright as the one
 * before. Throws `invalid-argument`.
 */
export function testPicture({ width = 640, height = 480, frameRate = 30 }: TestPictureOptions = {}): PictureSource {
  const isSide = (side: number) => Number.isInteger(side) && side >= 16 && side <= 4096 && side % 2 === 0;
  if (!isSide(width) || !isSide(height)) throw new ToxError("invalid-argument", "Give even sides from 16 to 4096.");
  if (!(frameRate > 0 && frameRate <= MAX_FRAME_RATE)) {
    throw new ToxError("invalid-argument", `Give a frame rate above 0, of ${MAX_FRAME_RATE} at most.`);
  }
  let shown = 0;
  return {
    ...{ kind: "pictures", width, height, frameRate },
    async read() {
      const left = Math.floor((shown++ * width) / (SECONDS_TO_CROSS * frameRate)) % width;
      return draw(width, height, left);
    },
  };
}

function draw(width: number, height: number, left: number): Picture {
  const [halfWidth, halfHeight, halfLeft] = [width >> 1, height >> 1, left >> 1];
  return {
    ...{ width, height },
    y: plane(width, height, left, GROUND.y, BAR.y),
    u: plane(halfWidth, halfHeight, halfLeft, GROUND.u, BAR.u),
    v: plane(halfWidth, halfHeight, halfLeft, GROUND.v, BAR.v),
  };
}

/** A row, and the same again. The part of the bar that leaves on the right comes in on the left. */
function plane(width: number, height: number, left: number, ground: number, bar: number): Uint8Array {
  const bytes = new Uint8Array(width * height);
  const right = left + Math.round(width / BAR_SHARE);
  bytes.fill(ground, 0, width).fill(bar, left, Math.min(right, width));
  if (right > width) bytes.fill(bar, 0, right - width);
  for (let filled = width; filled < bytes.length; filled *= 2) bytes.copyWithin(filled, 0, filled);
  return bytes;
}
