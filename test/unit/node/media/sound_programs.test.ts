import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { nodeClock } from "../../../../src/node/index.ts";
import {
  loudspeaker,
  microphone,
  openAudioSource,
  openVideoSource,
  toneSource,
} from "../../../../src/node/media/index.ts";
import { dominantFrequency } from "../../../support/recognise.ts";
import { scratch } from "../../../support/scratch.ts";

const folder = scratch();
const clock = nodeClock();
const closing: { close?(): Promise<void> }[] = [];

afterEach(async () => {
  for (const device of closing.splice(0)) await device.close?.().catch(() => {});
});

/** Programs that stand on the PATH in place of the real ones. Each is JavaScript, and notes how it was called. */
function programs(made: Record<string, string>): { path: string; calls(name: string): string } {
  const path = folder();
  for (const [name, code] of Object.entries(made)) {
    const note = `require("node:fs").writeFileSync(${JSON.stringify(join(path, `${name}.calls`))}, process.argv.slice(2).join(" "));`;
    writeFileSync(join(path, name), `#!${process.execPath}\n${note}\n${code}\n`);
    chmodSync(join(path, name), 0o755);
  }
  return { path, calls: (name) => readFileSync(join(path, `${name}.calls`), "utf8") };
}

const RECORDS = `
  let phase = 0;
  const timer = setInterval(() => {
    const pcm = Buffer.alloc(1921); // pieces as odd as pipes make them
    for (let i = 0; i + 1 < pcm.length; i += 2) pcm.writeInt16LE(Math.round(8000 * Math.sin(phase += 2 * Math.PI * 440 / 48000)), i);
    process.stdout.write(pcm.subarray(0, 1001)); process.stdout.write(pcm.subarray(1001, 1920));
  }, 5);`;
const PLAYS = (file: string) => `process.stdin.pipe(require("node:fs").createWriteStream(${JSON.stringify(file)}));`;
const FAILS = `console.error("no server runs here"); process.exitCode = 1;`;

describe("the microphone", () => {
  it("is parec, told to give what we take", async () => {
    const { path, calls } = programs({ parec: RECORDS, arecord: FAILS });
    const source = await microphone({ path });
    closing.push(source);
    expect(source).toMatchObject({ live: true, sampleRate: 48_000, channels: 1 });
    const pieces: number[] = [];
    for (let i = 0; i < 20; i++) pieces.push(...((await source.read(960)) ?? []));
    expect(pieces.length).toBe(20 * 960);
    expect(dominantFrequency(Int16Array.from(pieces), 48_000)).toBeCloseTo(440, -1);
    expect(calls("parec")).toMatch(/--format=s16le --rate=48000 --channels=1 .*--latency-msec=20/);
    const waiting = source.read(48_000);
    await source.close?.();
    expect(await waiting).toBeUndefined();
    expect(await source.read(960)).toBeUndefined();
  });

  it("is arecord where parec gives nothing", async () => {
    const { path, calls } = programs({ parec: FAILS, arecord: RECORDS });
    const source = await microphone({ path });
    closing.push(source);
    expect((await source.read(960))?.length).toBe(960);
    expect(calls("arecord")).toMatch(/-t raw -f S16_LE -r 48000 -c 1/);
  });

  it("keeps little that nobody reads", async () => {
    const { path } = programs({ parec: `process.stdout.write(Buffer.alloc(2e6, 5), () => process.exit());` });
    const source = await microphone({ path });
    await new Promise((resolve) => setTimeout(resolve, 300));
    let samples = 0;
    for (let pcm = await source.read(960); pcm; pcm = await source.read(960)) samples += pcm.length;
    expect(samples).toBeLessThanOrEqual(9600);
    expect(samples).toBeGreaterThan(8000);
  });

  it("says why there is none", async () => {
    await expect(microphone({ path: folder() })).rejects.toMatchObject({
      code: "device-unavailable",
      message: expect.stringMatching(/no parec or arecord/),
    });
    const { path } = programs({ parec: FAILS, arecord: "" });
    await expect(microphone({ path })).rejects.toMatchObject({
      code: "device-unavailable",
      message: expect.stringMatching(/parec says: no server runs here; arecord says: it ended with 0/),
    });
  });
});

describe("the loudspeaker", () => {
  it("is pacat, and plays what it is given to the end", async () => {
    const file = join(folder(), "played");
    const { path, calls } = programs({ pacat: PLAYS(file) });
    const sink = loudspeaker({ clock, path });
    const pcm = (await toneSource(440).read(4800)) ?? new Int16Array();
    for (let at = 0; at < pcm.length; at += 960) sink.write(pcm.subarray(at, at + 960));
    await sink.close();
    const played = readFileSync(file);
    expect(Int16Array.from(pcm, (_, i) => played.readInt16LE(i * 2))).toEqual(pcm);
    expect(calls("pacat")).toMatch(/--format=s16le --rate=48000 --channels=1 .*--latency-msec=40/);
  });

  it("leaves out what would be heard late", async () => {
    const file = join(folder(), "played");
    const { path } = programs({ pacat: PLAYS(file) });
    const sink = loudspeaker({ clock: { monotonic: () => 0, wall: () => 0, at: () => () => {} }, path });
    for (let i = 0; i < 100; i++) sink.write(new Int16Array(960));
    await sink.close();
    expect(readFileSync(file).length).toBe(11 * 1920);
  });

  it("is aplay where pacat ends", async () => {
    const file = join(folder(), "played");
    const { path, calls } = programs({ pacat: FAILS, aplay: PLAYS(file) });
    const sink = loudspeaker({ clock, path });
    closing.push(sink);
    while (!existsSync(file)) {
      sink.write(new Int16Array(960));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    sink.write(new Int16Array(960));
    await sink.close();
    expect(readFileSync(file).length).toBeGreaterThan(0);
    expect(calls("aplay")).toMatch(/-t raw -f S16_LE -r 48000 -c 1/);
  });

  it("says why there is none", async () => {
    expect(() => loudspeaker({ clock, path: folder() })).toThrow(/no pacat or aplay/);
    const { path, calls } = programs({ pacat: FAILS, aplay: FAILS });
    const sink = loudspeaker({ clock, path });
    while (!existsSync(join(path, "aplay.calls"))) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 200));
    sink.write(new Int16Array(960));
    await expect(sink.close()).rejects.toMatchObject({ code: "device-unavailable" });
    expect(calls("aplay")).toBeTruthy();
  });
});

describe("a source by its name", () => {
  it("is a tone, a test picture or a file", async () => {
    const tone = await openAudioSource("tone:1000.5");
    expect(dominantFrequency((await tone.read(16_384)) ?? new Int16Array(), 48_000)).toBeCloseTo(1000.5, 0);
    expect(await openVideoSource("test-picture")).toMatchObject({
      kind: "pictures",
      width: 640,
      height: 480,
      frameRate: 30,
    });
    const sized = await openVideoSource("test-picture:1280x720");
    expect(sized).toMatchObject({ width: 1280, height: 720, frameRate: 30 });
    expect(await openVideoSource("test-picture:320x240@15")).toMatchObject({ width: 320, height: 240, frameRate: 15 });
  });

  it("is refused with what would do", async () => {
    const code = { code: "invalid-argument" };
    for (const wrong of [
      "tone:",
      "tone:high",
      "tone:0",
      "tone:24000",
      "tone:-5",
      "tone:1e3",
      "no/such.wav",
      "",
      "test-picture",
    ]) {
      await expect(openAudioSource(wrong), wrong).rejects.toMatchObject(code);
    }
    for (const wrong of [
      "test-picture:",
      "test-picture:3x3",
      "test-picture:640x480@0",
      "test-picture:9999x10",
      "tone:440",
      "",
    ]) {
      await expect(openVideoSource(wrong), wrong).rejects.toMatchObject(code);
    }
  });
});
