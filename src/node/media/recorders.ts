import { vp8Size } from "../codecs/vp8_size.ts";
import { GrowingFile, type RecordingOptions } from "./growing_file.ts";
import { encodeIvfFrameHeader, encodeIvfHeader } from "./ivf_header.ts";
import type { AudioShape, AudioSink, FrameSink } from "./media.ts";
import { encodeWavHeader } from "./wav_header.ts";

/**
 * Records sound as a WAV file, which plays however the program ends; at most a second is missing when it is killed. Rejects with
 * `invalid-argument` when the file is there already, otherwise with `disk-full` or `store-unavailable`.
 */
export async function recordWav(
  path: string,
  { sampleRate, channels }: AudioShape,
  options: RecordingOptions = {},
): Promise<AudioSink> {
  const file = await GrowingFile.create(path, options, (bytes) => encodeWavHeader(sampleRate, channels, bytes));
  return {
    ...{ sampleRate, channels },
    write(pcm) {
      const bytes = new Uint8Array(pcm.length * 2);
      const view = new DataView(bytes.buffer);
      pcm.forEach((sample, i) => void view.setInt16(i * 2, sample, true));
      file.append(bytes);
    },
    close: () => file.close(),
  };
}

const MILLISECONDS = { over: 1000, under: 1 } as const;

/**
 * Records VP8 frames as an IVF file, from the first key frame on. What is killed leaves what was written. Rejects as `recordWav`
 * does.
 */
export async function recordIvf(path: string, options: RecordingOptions = {}): Promise<FrameSink> {
  let size = { width: 0, height: 0 };
  let frames = 0;
  let start: number | undefined;
  const file = await GrowingFile.create(path, options, () =>
    encodeIvfHeader({ codec: "VP80", ...size, unitsPerSecond: MILLISECONDS, frames }),
  );
  return {
    write({ data, timestamp }) {
      const frameSize = vp8Size(data);
      if (frameSize === undefined) return;
      if (start === undefined) {
        if (frameSize === "as before") return;
        size = frameSize;
        start = timestamp;
      }
      frames++;
      const header = encodeIvfFrameHeader(data.length, Math.max(0, Math.round(timestamp - start)));
      const bytes = new Uint8Array(header.length + data.length);
      bytes.set(header);
      bytes.set(data, header.length);
      file.append(bytes);
    },
    close: () => file.close(),
  };
}
