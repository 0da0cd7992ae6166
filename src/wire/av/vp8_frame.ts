/** What the first bytes of a VP8 frame tell. RFC 6386, section 9.1. */
export interface Vp8FrameFacts {
  readonly keyFrame: boolean;
  /** In pixels, with key frames only. */
  readonly width?: number;
  readonly height?: number;
}

const TAG_SIZE = 3;
const KEY_FRAME_SIZE = 10;
const START_CODE = [0x9d, 0x01, 0x2a] as const;

/** Undefined: no VP8 frame. */
export function vp8FrameFacts(frame: Uint8Array): Vp8FrameFacts | undefined {
  if (frame.length <= TAG_SIZE) return undefined;
  if ((frame[0] ?? 0) & 1) return { keyFrame: false };
  if (frame.length < KEY_FRAME_SIZE) return undefined;
  if (START_CODE.some((byte, i) => frame[TAG_SIZE + i] !== byte)) return undefined;
  return { keyFrame: true, width: side(frame, 6), height: side(frame, 8) };
}

/** 14 bits; the two above them are for scaling. */
function side(frame: Uint8Array, at: number): number {
  return (frame[at] ?? 0) | (((frame[at + 1] ?? 0) & 0x3f) << 8);
}
