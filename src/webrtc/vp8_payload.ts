/**
 * VP8 in RTP packets (RFC 7741). A payload is a descriptor of one byte or more, and a part of one frame; the last packet of a frame has
 * the marker of the RTP header.
 *
 *     X R N S R PID   X: extensions follow; S: a partition begins here; PID: which
 *     I L T K RSV     I: picture id, one byte, or two where its highest bit is set; L: TL0PICIDX, one byte; T or K: one byte for both
 */

const HAS_EXTENSIONS = 0x80;
const PARTITION_BEGINS = 0x10;
const PARTITION_ID = 0x07;
const HAS_PICTURE_ID = 0x80;
const HAS_TL0_PICTURE_INDEX = 0x40;
const HAS_LAYER_OR_KEY_INDEX = 0x20 | 0x10;
const LONG_PICTURE_ID = 0x80;

/** How much of a frame one payload has, in bytes: with all headers and the seal it fits an Ethernet frame. */
const MAX_PART = 1_180;

export interface Vp8Part {
  /** Whether the frame begins here. */
  readonly first: boolean;
  readonly data: Uint8Array;
}

/** A frame in as many payloads as it takes, of nearly the same length. */
export function packetizeVp8(frame: Uint8Array): Uint8Array[] {
  const count = Math.max(1, Math.ceil(frame.length / MAX_PART));
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((frame.length * index) / count);
    const to = Math.floor((frame.length * (index + 1)) / count);
    const payload = new Uint8Array(1 + to - from);
    payload[0] = index === 0 ? PARTITION_BEGINS : 0;
    payload.set(frame.subarray(from, to), 1);
    return payload;
  });
}

/** What a payload has; undefined for what is none. Answers a view. */
export function readVp8Payload(payload: Uint8Array): Vp8Part | undefined {
  const [descriptor, extensions = 0] = payload;
  if (descriptor === undefined) return undefined;
  let offset = 1;
  if (descriptor & HAS_EXTENSIONS) {
    offset = 2;
    if (extensions & HAS_PICTURE_ID) offset += (payload[offset] ?? 0) & LONG_PICTURE_ID ? 2 : 1;
    if (extensions & HAS_TL0_PICTURE_INDEX) offset += 1;
    if (extensions & HAS_LAYER_OR_KEY_INDEX) offset += 1;
  }
  if (offset >= payload.length) return undefined;
  const first = (descriptor & PARTITION_BEGINS) !== 0 && (descriptor & PARTITION_ID) === 0;
  return { first, data: payload.subarray(offset) };
}

/** Whether a frame needs none before it. */
export function isKeyFrame(frame: Uint8Array): boolean {
  return frame.length > 0 && ((frame[0] ?? 1) & 1) === 0;
}
