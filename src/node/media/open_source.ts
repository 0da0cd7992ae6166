import { ToxError } from "../../util/tox_error.ts";
import { ivfSource } from "./ivf_source.ts";
import type { AudioSource, VideoSource } from "./media.ts";
import { microphone } from "./microphone.ts";
import { testPicture } from "./test_picture.ts";
import { toneSource } from "./tone.ts";
import { wavSource } from "./wav_source.ts";

/**
 * `tone:HZ`, `microphone`, or the path of a WAV file; `./` before a path that looks like one of the others. Rejects with
 * `invalid-argument` or `device-unavailable`.
 */
export async function openAudioSource(source: string): Promise<AudioSource> {
  if (source === "microphone") return microphone();
  const tone = /^tone:(.*)$/.exec(source);
  if (tone === null) return wavSource(source);
  const hertz = /^\d+(\.\d+)?$/.test(tone[1] ?? "") ? Number(tone[1]) : Number.NaN;
  if (Number.isNaN(hertz)) throw new ToxError("invalid-argument", `"${source}" is no tone: write tone:440.`);
  return toneSource(hertz);
}

/**
 * `test-picture`, `test-picture:WIDTHxHEIGHT`, the same with `@FRAMES` a second behind it, or the path of an IVF file; `./` before a
 * path that looks like one of the others. Rejects with `invalid-argument`.
 */
export async function openVideoSource(source: string): Promise<VideoSource> {
  if (source === "test-picture") return testPicture();
  if (!source.startsWith("test-picture:")) return ivfSource(source);
  const parts = /^test-picture:(\d+)x(\d+)(?:@(\d+))?$/.exec(source);
  if (parts === null) {
    throw new ToxError("invalid-argument", `"${source}" is no test picture: write test-picture:640x480@30.`);
  }
  const [, width, height, frameRate = "30"] = parts;
  return testPicture({ width: Number(width), height: Number(height), frameRate: Number(frameRate) });
}
