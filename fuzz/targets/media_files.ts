/** WAV and IVF files, which may come from anybody: the first byte chooses, the file follows. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ivfSource, wavSource } from "../../src/node/media/index.ts";
import { encodeIvfFrameHeader, encodeIvfHeader } from "../../src/node/media/ivf_header.ts";
import { encodeWavHeader } from "../../src/node/media/wav_header.ts";
import { concatBytes } from "../../src/util/bytes.ts";
import { ToxError } from "../../src/util/tox_error.ts";
import { atMost, broken } from "../codec.ts";
import { bytes } from "../samples.ts";

const SAMPLES = 960;

export async function fuzz(data: Uint8Array): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "toxcore-ts-fuzz-"));
  const path = join(folder, "file");
  writeFileSync(path, data.subarray(1));
  try {
    await ((data[0] ?? 0) % 2 ? show(path, data) : play(path, data));
  } catch (error) {
    if (!(error instanceof ToxError && error.code === "invalid-argument")) throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function play(path: string, data: Uint8Array): Promise<void> {
  const source = await wavSource(path);
  let pieces = 0;
  for (let pcm = await source.read(SAMPLES); pcm; pcm = await source.read(SAMPLES)) {
    if (pcm.length !== SAMPLES * source.channels) broken("a piece of another length", data);
    pieces++;
  }
  await source.close?.();
  atMost(1 + ((data.length / 2) * 1.5 + 64) / SAMPLES, pieces, "pieces of sound");
}

async function show(path: string, data: Uint8Array): Promise<void> {
  const source = await ivfSource(path);
  let [size, last] = [0, 0];
  for (let frame = await source.read(); frame; frame = await source.read()) {
    size += 12 + frame.data.length;
    if (!(frame.timestamp >= last)) broken("time goes back", data);
    last = frame.timestamp;
  }
  await source.close?.();
  atMost(data.length, size, "bytes in frames");
}

export function* corpus(): Iterable<Uint8Array> {
  for (const [rate, channels] of [
    [48_000, 1],
    [44_100, 2],
    [11_025, 1],
  ] as const) {
    yield concatBytes(Uint8Array.of(0), encodeWavHeader(rate, channels, 400), bytes(400));
  }
  const header = { codec: "VP80", width: 8, height: 8, unitsPerSecond: { over: 30, under: 1 }, frames: 2 };
  const frames = [0, 1].flatMap((time) => [encodeIvfFrameHeader(20, time), bytes(20)]);
  yield concatBytes(Uint8Array.of(1), encodeIvfHeader(header), ...frames);
}
