import type { PictureSize } from "./planes.ts";

const TAG_SIZE = 3;
const KEY_FRAME_HEADER_SIZE = 10;
const START_CODE = [0x9d, 0x01, 0x2a] as const;

/**
 * The size of picture that a VP8 frame says it makes, before anything is allocated for it: only key frames say one. Undefined: no
 * frame. RFC 6386, section 9.1.
 */
export function vp8Size(frame: Uint8Array): PictureSize | "as before" | undefined {
  const [tag = 1] = frame;
  if (frame.length <= TAG_SIZE) return undefined;
  if (tag & 1) return "as before";
  if (frame.length < KEY_FRAME_HEADER_SIZE) return undefined;
  if (START_CODE.some((byte, at) => frame[TAG_SIZE + at] !== byte)) return undefined;
  return { width: fourteenBits(frame, 6), height: fourteenBits(frame, 8) };
}

/** The two bits above are how much the picture is to be scaled up when shown, which nobody does. */
function fourteenBits(frame: Uint8Array, at: number): number {
  return (frame[at] ?? 0) | (((frame[at + 1] ?? 0) & 0x3f) << 8);
}
