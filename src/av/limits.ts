/** A picture may have so many bytes: a key frame of 4K has about 1 MiB. Sound has a few hundred; 120 ms at 510 kbit/s have 7.7 KB. */
export const MAX_FRAME_SIZE = { audio: 8 << 10, video: 4 << 20 } as const;
/** Frames that wait for their rest, at most; more than the largest frame may wait only in all of them together. */
export const MAX_PARTIAL_FRAMES = 16;
/** Samples a second that Opus knows. */
export const OPUS_RATES: ReadonlySet<number> = new Set([8000, 12_000, 16_000, 24_000, 48_000]);
/** What may be asked for, in bit/s: toxcore's limits. */
export const AUDIO_BIT_RATES = { least: 6_000, most: 510_000 } as const;
export const VIDEO_BIT_RATES = { least: 1_000, most: 1_000_000_000 } as const;
