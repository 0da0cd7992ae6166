import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type AudioSource, recordWav, toneSource, wavSource } from "../../../../src/node/media/index.ts";
import { dominantFrequency, longestGap, toneToNoise } from "../../../support/recognise.ts";
import { scratch } from "../../../support/scratch.ts";

const folder = scratch();

/** A WAV file with what the test wants in it, right or wrong. */
function wavFile(
  path: string,
  pcm: Int16Array,
  { rate = 48_000, channels = 1, ...other }: Partial<WavParts> = {},
): string {
  const { encoding = 1, bits = 16, dataSize = pcm.length * 2, before = [] } = other;
  const format = Buffer.alloc(16);
  format.writeUInt16LE(encoding, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rate, 4);
  format.writeUInt32LE(rate * channels * 2, 8);
  format.writeUInt16LE(channels * 2, 12);
  format.writeUInt16LE(bits, 14);
  const chunk = (name: string, size: number, body: Uint8Array) => {
    const header = Buffer.from(`${name}0000`);
    header.writeUInt32LE(size, 4);
    return Buffer.concat([header, body, Buffer.alloc(body.length % 2)]);
  };
  const body = Buffer.concat([
    ...before.map(([name, bytes]) => chunk(name, bytes.length, bytes)),
    chunk("fmt ", 16, format),
    chunk("data", dataSize, new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength)),
  ]);
  writeFileSync(path, Buffer.concat([Buffer.from("RIFF\0\0\0\0WAVE"), body]));
  return path;
}

interface WavParts {
  rate: number;
  channels: number;
  encoding: number;
  bits: number;
  dataSize: number;
  before: [string, Uint8Array][];
}

async function all(source: AudioSource, samples = 960): Promise<Int16Array> {
  const pieces: number[] = [];
  for (;;) {
    const pcm = await source.read(samples);
    if (pcm === undefined) break;
    expect(pcm.length).toBe(samples * source.channels);
    for (const sample of pcm) pieces.push(sample);
  }
  await source.close?.();
  return Int16Array.from(pieces);
}

const tone = async (hertz: number, sampleRate: number, seconds = 1): Promise<Int16Array> =>
  (await toneSource(hertz, { sampleRate: sampleRate as never }).read(sampleRate * seconds)) ?? new Int16Array();

describe("a WAV file", () => {
  it("gives its samples, and silence behind the last", async () => {
    const pcm = Int16Array.from({ length: 2500 }, (_, i) => i * 13 - 16_000);
    const heard = await all(await wavSource(wavFile(join(folder(), "a.wav"), pcm)));
    expect(heard.length).toBe(2880);
    expect(heard.subarray(0, 2500)).toEqual(pcm);
    expect(heard.subarray(2500).every((sample) => sample === 0)).toBe(true);
  });

  it("may have titles before the sound, two channels, a rate of its own and an open end", async () => {
    const pcm = Int16Array.from({ length: 3200 }, (_, i) => i);
    const before: WavParts["before"] = [
      ["LIST", new Uint8Array(101)],
      ["junk", new Uint8Array(70_001)],
    ];
    for (const dataSize of [0, 0xffff_ffff, 6400]) {
      const path = wavFile(join(folder(), "b.wav"), pcm, { rate: 16_000, channels: 2, before, dataSize });
      const source = await wavSource(path);
      expect(source).toMatchObject({ sampleRate: 16_000, channels: 2 });
      expect(await all(source, 320)).toEqual(pcm);
    }
  });

  it("of a rate that Opus does not have is played at the next one above", async () => {
    for (const [rate, played] of [
      [11_025, 12_000],
      [22_050, 24_000],
      [32_000, 48_000],
      [44_100, 48_000],
      [8001, 12_000],
      [47_999, 48_000],
    ] as const) {
      const path = wavFile(join(folder(), "c.wav"), await tone(1000, rate), { rate });
      const source = await wavSource(path);
      expect(source.sampleRate).toBe(played);
      const heard = await all(source, played / 50);
      expect(heard.length / played).toBeCloseTo(1, 1);
      expect(dominantFrequency(heard, played), `${rate} Hz`).toBeCloseTo(1000, 0);
      expect(toneToNoise(heard.subarray(played / 10, played * 0.9), played, 1000), `${rate} Hz`).toBeGreaterThan(50);
      expect(longestGap(heard.subarray(0, played * 0.95), played)).toBeLessThan(2);
    }
  });

  it("of two channels keeps them apart when its rate is changed", async () => {
    const [left, right] = [await tone(500, 44_100), await tone(2000, 44_100)];
    const both = Int16Array.from({ length: left.length * 2 }, (_, i) => (i % 2 ? right : left)[i >> 1] ?? 0);
    const path = wavFile(join(folder(), "d.wav"), both, { rate: 44_100, channels: 2 });
    const heard = await all(await wavSource(path));
    for (const [channel, hertz] of [
      [0, 500],
      [1, 2000],
    ] as const) {
      const one = heard.filter((_, i) => i % 2 === channel);
      expect(toneToNoise(one.subarray(4800, 43_200), 48_000, hertz)).toBeGreaterThan(50);
    }
  });

  it("is refused when it is another, with what would do", async () => {
    const path = join(folder(), "e.wav");
    const pcm = new Int16Array(100);
    const wrong: [Partial<WavParts>, RegExp][] = [
      [{ encoding: 3 }, /16-bit PCM/],
      [{ bits: 8 }, /16-bit PCM/],
      [{ channels: 6 }, /6 channels/],
      [{ channels: 0 }, /0 channels/],
      [{ rate: 96_000 }, /96000/],
      [{ rate: 4000 }, /4000/],
    ];
    for (const [parts, reason] of wrong) {
      wavFile(path, pcm, parts);
      await expect(wavSource(path)).rejects.toMatchObject({
        code: "invalid-argument",
        message: expect.stringMatching(reason),
      });
    }
    for (const bytes of [
      "",
      "RIFF",
      "RIFF\0\0\0\0WAVE",
      "RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd",
      "OggS and so on and on",
    ]) {
      writeFileSync(path, bytes);
      await expect(wavSource(path), bytes).rejects.toMatchObject({ code: "invalid-argument" });
    }
    await expect(wavSource(join(folder(), "none.wav"))).rejects.toThrow(/none\.wav cannot be read/);
    await expect(wavSource(folder())).rejects.toThrow(/no file/);
  });

  it("is read as it is played, and not after it is closed", async () => {
    const path = wavFile(join(folder(), "f.wav"), new Int16Array(8 << 20).fill(1000));
    const source = await wavSource(path);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 100; i++) await source.read(960);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20);
    await source.close?.();
    await source.close?.();
    expect(await source.read(960)).toBeUndefined();
  });
});

describe("a WAV recording", () => {
  it("is what was written", async () => {
    const path = join(folder(), "r.wav");
    const sink = await recordWav(path, { sampleRate: 24_000, channels: 2 });
    const pcm = Int16Array.from({ length: 96_000 }, (_, i) => (i * 7) % 30_000);
    for (let at = 0; at < pcm.length; at += 960) sink.write(pcm.slice(at, at + 960));
    await sink.close();
    sink.write(new Int16Array(10));
    await sink.close();
    const source = await wavSource(path);
    expect(source).toMatchObject({ sampleRate: 24_000, channels: 2 });
    expect(await all(source, 480)).toEqual(pcm);
    expect(statSync(path).size).toBe(44 + pcm.length * 2);
    expect(readFileSync(path).readUInt32LE(4)).toBe(36 + pcm.length * 2);
  });

  it("plays when its program was killed: all but the last second", async () => {
    const path = join(folder(), "k.wav");
    const program = `
      import { statSync } from "node:fs";
      import { recordWav, toneSource } from ${JSON.stringify(resolve("src/node/media/index.ts"))};
      const [source, sink] = [toneSource(440), await recordWav(${JSON.stringify(path)}, { sampleRate: 48000, channels: 1 })];
      for (let i = 0; i < 125; i++) sink.write(await source.read(960));
      while (statSync(${JSON.stringify(path)}).size < 240044) await new Promise((done) => setTimeout(done, 10));
      setInterval(() => console.log("written"), 10);`;
    const recorder = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(recorder.stdout, "data");
    recorder.kill("SIGKILL");
    await once(recorder, "exit");
    const heard = await all(await wavSource(path));
    expect(heard.length / 48_000).toBeGreaterThanOrEqual(1.5);
    expect(dominantFrequency(heard, 48_000)).toBeCloseTo(440, 0);
  });

  it("replaces nothing unless it may, and says where it cannot be", async () => {
    const path = join(folder(), "o.wav");
    writeFileSync(path, "something dear");
    const shape = { sampleRate: 48_000, channels: 1 } as const;
    await expect(recordWav(path, shape)).rejects.toMatchObject({ code: "invalid-argument" });
    expect(readFileSync(path, "utf8")).toBe("something dear");
    await (await recordWav(path, shape, { overwrite: true })).close();
    expect(readFileSync(path, "latin1")).toMatch(/^RIFF/);
    await expect(recordWav(join(folder(), "no/such/folder.wav"), shape)).rejects.toMatchObject({
      code: "store-unavailable",
    });
  });

  it("tells at the end that the disk was full", async (context) => {
    try {
      statSync("/dev/full");
    } catch {
      return context.skip();
    }
    const sink = await recordWav("/dev/full", { sampleRate: 48_000, channels: 1 }, { overwrite: true });
    for (let i = 0; i < 10; i++) sink.write(new Int16Array(960));
    await expect(sink.close()).rejects.toMatchObject({ code: "disk-full" });
    await expect(sink.close()).rejects.toMatchObject({ code: "disk-full" });
  });
});
