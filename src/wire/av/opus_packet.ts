/** What the first bytes of an Opus packet tell. RFC 6716, section 3. */

export interface OpusPacketFacts {
  readonly channels: 1 | 2;
  /** Of the whole packet, in ms: 2.5 to 120. */
  readonly duration: number;
}

const SILK_DURATIONS = [10, 20, 40, 60] as const;
const HYBRID_DURATIONS = [10, 20] as const;
const CELT_DURATIONS = [2.5, 5, 10, 20] as const;
const LONGEST = 120;

/** Undefined: no Opus packet. */
export function opusPacketFacts(packet: Uint8Array): OpusPacketFacts | undefined {
  const toc = packet[0];
  if (toc === undefined) return undefined;
  const frames = frameCount(toc, packet);
  const duration = frames * frameDuration(toc >>> 3);
  if (frames === 0 || duration > LONGEST) return undefined;
  return { channels: toc & 4 ? 2 : 1, duration };
}

function frameDuration(configuration: number): number {
  if (configuration < 12) return SILK_DURATIONS[(configuration & 3) as 0];
  if (configuration < 16) return HYBRID_DURATIONS[(configuration & 1) as 0];
  return CELT_DURATIONS[(configuration & 3) as 0];
}

/** 0: the packet is too short to say. */
function frameCount(toc: number, packet: Uint8Array): number {
  const code = toc & 3;
  if (code === 0) return 1;
  return code === 3 ? (packet[1] ?? 0) & 0x3f : 2;
}
