import type { Picture } from "../../src/env/codec.ts";
import { LibavVp8Decoder, LibavVp8Encoder, loadLibav } from "../../src/node/codecs/libav_vp8.ts";
import { loadOpus, loadVp8, testPicture, toneSource } from "../../src/node/media/index.ts";
import { callRows, type Effort, type Part, type PartRow } from "./part.ts";
import { random } from "./quiet.ts";

const SAMPLE_RATE = 48_000;
const FRAME = 960;

export const media: Part = {
  name: "media",
  about: "Opus for 20 ms of sound, VP8 for one picture, in this thread; and VP8 through its own",
  async *rows(effort) {
    yield* callRows(effort, await opusCalls());
    yield* vp8Rows(effort);
    yield* threadRows(effort);
  },
};

async function opusCalls(): Promise<Record<string, () => unknown>> {
  const opus = await loadOpus();
  const calls: Record<string, () => unknown> = {};
  for (const channels of [1, 2] as const) {
    for (const bitRate of [16_000, 48_000]) {
      const encoder = await opus.encoder({ sampleRate: SAMPLE_RATE, channels, bitRate });
      const decoder = await opus.decoder({ sampleRate: SAMPLE_RATE, channels });
      const sound = await speech(channels);
      const packets = sound.map((pcm) => encoder.encode(pcm));
      let [encoded, decoded] = [0, 0];
      const name = `${channels === 1 ? "mono" : "stereo"}, ${bitRate / 1000} kbit/s`;
      calls[`Opus: encode, ${name}`] = () => encoder.encode(sound[encoded++ % sound.length] as Int16Array);
      calls[`Opus: decode, ${name}`] = () => decoder.decode(packets[decoded++ % packets.length] as Uint8Array);
      calls[`Opus: conceal, ${name}`] = () => decoder.conceal(FRAME);
    }
  }
  return calls;
}

async function* vp8Rows({ share }: Effort): AsyncIterable<PartRow> {
  const av = await loadLibav();
  for (const [width, height, bitRate] of [
    [320, 240, 300_000],
    [640, 480, 800_000],
    [1280, 720, 1_500_000],
  ] as const) {
    const shown = await pictures(width, height);
    const encoder = new LibavVp8Encoder(av, 30);
    const decoder = new LibavVp8Decoder(av);
    const rounds = Math.ceil(300 * share);
    const frames: Uint8Array[] = [];
    const encoding = processorTime(() => {
      for (let i = 0; i < rounds; i++) {
        const frame = encoder.encode(shown[i % shown.length] as Picture, bitRate, false);
        if (frame) frames.push(frame.data);
      }
    });
    const decoding = processorTime(() => {
      for (const frame of frames) decoder.decode(frame);
    });
    encoder.close();
    decoder.close();
    const name = `${width} × ${height}, ${bitRate / 1000} kbit/s`;
    yield { work: `VP8: encode ${name}`, figures: { "ms a picture": encoding / rounds } };
    yield { work: `VP8: decode ${name}`, figures: { "ms a picture": decoding / frames.length } };
  }
}

/** What the thread that asks has to do itself. */
async function* threadRows({ share }: Effort): AsyncIterable<PartRow> {
  const vp8 = await loadVp8();
  const [width, height] = [1280, 720];
  const shown = await pictures(width, height);
  const encoder = await vp8.encoder({ width, height, bitRate: 1_500_000, frameRate: 30 });
  const decoder = await vp8.decoder();
  const rounds = Math.ceil(150 * share);
  const before = process.threadCpuUsage().user;
  for (let i = 0; i < rounds; i++) {
    const frame = await encoder.encode(shown[i % shown.length] as Picture);
    if (frame) await decoder.decode(frame.data);
  }
  const spent = (process.threadCpuUsage().user - before) / 1000;
  await Promise.all([encoder.close(), decoder.close()]);
  yield { work: `VP8 in threads: ${width} × ${height}, both ways, here`, figures: { "ms a picture": spent / rounds } };
}

/** A tone with noise in it, which is as hard as speech. */
async function speech(channels: 1 | 2): Promise<Int16Array[]> {
  const tone = toneSource(220, { channels });
  const frames: Int16Array[] = [];
  const noise = new Uint8Array(FRAME * channels);
  for (let i = 0; i < 100; i++) {
    random.fill(noise);
    const pcm = (await tone.read(FRAME)) ?? new Int16Array();
    frames.push(pcm.map((sample, at) => sample + ((noise[at] ?? 0) - 128) * (i % 20)));
  }
  return frames;
}

/** Moving, and with detail. */
async function pictures(width: number, height: number): Promise<Picture[]> {
  const source = testPicture({ width, height });
  const shown: Picture[] = [];
  for (let n = 0; n < 60; n++) {
    const picture = await source.read();
    if (picture === undefined) break;
    const y = picture.y.map((luma, at) => luma + ((((at % width) + 3 * n) ^ Math.floor(at / width)) & 31));
    shown.push({ ...picture, y });
  }
  return shown;
}

/** In ms, of this thread. */
function processorTime(run: () => void): number {
  const before = process.threadCpuUsage().user;
  run();
  return (process.threadCpuUsage().user - before) / 1000;
}
