import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import type { Picture, Vp8Decoder, Vp8Encoder } from "../../../../src/env/codec.ts";
import { vp8Size } from "../../../../src/node/codecs/vp8_size.ts";
import { Vp8Thread } from "../../../../src/node/codecs/vp8_thread.ts";
import { loadVp8, MAX_PICTURE_PIXELS, TEST_PICTURE_LUMA, testPicture } from "../../../../src/node/media/index.ts";
import { barPosition, meanLuma, movement } from "../../../support/recognise.ts";

const vp8 = await loadVp8();
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((coder) => coder.close()));
});

async function newEncoder(options: Partial<Parameters<typeof vp8.encoder>[0]> = {}): Promise<Vp8Encoder> {
  const encoder = await vp8.encoder({ width: 160, height: 120, bitRate: 300_000, frameRate: 30, ...options });
  open.push(encoder);
  return encoder;
}

async function newDecoder(): Promise<Vp8Decoder> {
  const decoder = await vp8.decoder();
  open.push(decoder);
  return decoder;
}

async function pictures(count: number, width = 160, height = 120): Promise<Picture[]> {
  const source = testPicture({ width, height });
  const all: Picture[] = [];
  for (let i = 0; i < count; i++) {
    const picture = await source.read();
    if (picture) all.push(picture);
  }
  return all;
}

/** Frames of these pictures; those that were left out are undefined. */
async function encodeAll(encoder: Vp8Encoder, all: readonly Picture[]): Promise<(Uint8Array | undefined)[]> {
  const frames: (Uint8Array | undefined)[] = [];
  for (const picture of all) frames.push((await encoder.encode(picture))?.data);
  return frames;
}

const bitsOf = (frames: readonly (Uint8Array | undefined)[]) =>
  frames.reduce((sum, frame) => sum + (frame?.length ?? 0) * 8, 0);

/** Hard to encode: each pixel is another in each picture. */
function noisy(count: number, width: number, height: number): Picture[] {
  let state = 1;
  const noise = (length: number) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return state >> 16;
    });
  const chroma = (width / 2) * (height / 2);
  return Array.from({ length: count }, () => ({
    ...{ width, height },
    ...{ y: noise(width * height), u: noise(chroma), v: noise(chroma) },
  }));
}

describe("VP8", () => {
  it("carries a moving picture", async () => {
    const [encoder, decoder] = [await newEncoder(), await newDecoder()];
    const sent = await pictures(30);
    const seen: Picture[] = [];
    for (const frame of await encodeAll(encoder, sent)) {
      const picture = frame && (await decoder.decode(frame));
      if (picture) seen.push(picture);
    }
    expect(seen).toHaveLength(30);
    for (const [i, picture] of seen.entries()) {
      expect(meanLuma(picture)).toBeCloseTo(TEST_PICTURE_LUMA, -1);
      expect(barPosition(picture)).toBeCloseTo(barPosition(sent[i] ?? picture), 1);
    }
    expect(movement(seen[5] as Picture, seen[25] as Picture)).toBeCloseTo(20 / 90, 1);
  });

  it("makes a key frame first, when it is asked to, and when the size changes; none else", async () => {
    const encoder = await newEncoder();
    const keys: boolean[] = [];
    for (const [i, picture] of [...(await pictures(20)), ...(await pictures(5, 320, 240))].entries()) {
      const frame = await encoder.encode(picture, { keyFrame: i === 12 });
      keys.push(frame?.keyFrame ?? false);
      if (frame?.keyFrame) expect(vp8Size(frame.data)).toEqual({ width: picture.width, height: picture.height });
    }
    expect(keys.flatMap((key, i) => (key ? [i] : []))).toEqual([0, 12, 20]);
  });

  it("carries every size, odd ones too", async () => {
    const decoder = await newDecoder();
    for (const [width, height] of [
      [1, 1],
      [2, 2],
      [3, 5],
      [17, 33],
      [641, 3],
      [2, 4097],
      [176, 144],
    ] as const) {
      const encoder = await newEncoder({ width, height });
      const chroma = ((width + 1) >> 1) * ((height + 1) >> 1);
      const picture = {
        ...{ width, height, y: new Uint8Array(width * height).fill(90) },
        ...{ u: new Uint8Array(chroma).fill(128), v: new Uint8Array(chroma).fill(180) },
      };
      const frame = await encoder.encode(picture);
      const seen = await decoder.decode(frame?.data ?? new Uint8Array());
      expect(seen).toMatchObject({ width, height });
      expect([seen?.y.length, seen?.u.length, seen?.v.length]).toEqual([width * height, chroma, chroma]);
      expect(Math.abs((seen?.v.at(-1) ?? 0) - 180)).toBeLessThan(12);
    }
  });

  it("keeps to the bit rate, whatever it becomes", async () => {
    const all = noisy(30, 320, 240).map((picture) => ({ ...picture, y: picture.y.map((value) => 100 + (value >> 3)) }));
    const encoder = await newEncoder({ width: 320, height: 240, bitRate: 800_000 });
    await encodeAll(encoder, all);
    for (const bitRate of [800_000, 300_000, 1_500_000]) {
      encoder.bitRate = bitRate;
      await encodeAll(encoder, all);
      const frames = await encodeAll(encoder, all);
      expect(bitsOf(frames) / bitRate, `${bitRate} bit/s`).toBeGreaterThan(0.6);
      expect(bitsOf(frames) / bitRate, `${bitRate} bit/s`).toBeLessThan(1.3);
      expect(
        frames.filter((frame) => frame && vp8Size(frame) !== "as before"),
        "key frames",
      ).toEqual([]);
    }
  });

  it("leaves pictures out when even the worst quality is too much for the rate", async () => {
    const encoder = await newEncoder({ width: 320, height: 240, bitRate: 60_000 });
    const frames = await encodeAll(encoder, noisy(90, 320, 240));
    expect(frames.filter((frame) => frame === undefined).length).toBeGreaterThan(20);
    expect(bitsOf(frames) / 3).toBeLessThan(1.4 * 60_000 + bitsOf(frames.slice(0, 1)) / 3);
  });

  it("survives a lost frame: the next ones still show what moves", async () => {
    const [encoder, decoder] = [await newEncoder(), await newDecoder()];
    const sent = await pictures(30);
    const frames = await encodeAll(encoder, sent);
    let last: Picture | undefined;
    for (const [i, frame] of frames.entries()) if (frame && i !== 10) last = (await decoder.decode(frame)) ?? last;
    expect(barPosition(last as Picture)).toBeCloseTo(barPosition(sent[29] as Picture), 1);
  });

  it("shows nothing before the first key frame, nor of what is no frame", async () => {
    const [encoder, decoder] = [await newEncoder(), await newDecoder()];
    const [key, later] = await encodeAll(encoder, await pictures(2));
    expect(await decoder.decode(later as Uint8Array)).toBeUndefined();
    const bogus = [new Uint8Array(), Uint8Array.of(0), new Uint8Array(500).fill(0xff), (key as Uint8Array).slice(0, 9)];
    for (const bytes of bogus) expect(await decoder.decode(bytes)).toBeUndefined();
    expect(await decoder.decode(key as Uint8Array)).toBeDefined();
    expect(await decoder.decode(later as Uint8Array)).toBeDefined();
  });

  it("allocates nothing for a picture that is too large", async () => {
    const decoder = await newDecoder();
    const sized = (width: number, height: number) =>
      Uint8Array.of(0x10, 0, 0, 0x9d, 1, 0x2a, width & 0xff, width >> 8, height & 0xff, height >> 8, 0, 0, 0, 0);
    const before = process.memoryUsage().rss;
    for (const [width, height] of [
      [16_383, 16_383],
      [16_383, 600],
      [4097, 2304],
      [0, 100],
      [100, 0],
    ] as const) {
      expect(await decoder.decode(sized(width, height))).toBeUndefined();
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(50 << 20);
    expect(MAX_PICTURE_PIXELS).toBe(4096 * 2304);
  });

  it("refuses what the caller does wrong", async () => {
    const encoder = await newEncoder();
    const [picture] = await pictures(1);
    const code = { code: "invalid-argument" };
    await expect(encoder.encode({ ...(picture as Picture), width: 161 })).rejects.toMatchObject(code);
    await expect(encoder.encode({ ...(picture as Picture), u: new Uint8Array(3) })).rejects.toMatchObject(code);
    const large = { width: 8192, height: 8192, y: new Uint8Array(), u: new Uint8Array(), v: new Uint8Array() };
    await expect(encoder.encode(large)).rejects.toMatchObject(code);
    for (const wrong of [{ width: 0 }, { width: 1.5 }, { height: 20_000 }, { bitRate: 0 }, { frameRate: 0 }]) {
      await expect(newEncoder(wrong), JSON.stringify(wrong)).rejects.toMatchObject(code);
    }
    expect(() => {
      encoder.bitRate = -1;
    }).toThrow(/bit rate/);
  });

  it("answers what is under way with nothing when it is closed, and says so afterwards", async () => {
    const [encoder, decoder] = [await newEncoder(), await newDecoder()];
    const [picture] = (await pictures(1, 640, 480)) as [Picture];
    const frame = await encoder.encode(picture);
    const pending = [encoder.encode(picture), decoder.decode(frame?.data ?? new Uint8Array())];
    await Promise.all([encoder.close(), decoder.close(), encoder.close(), decoder.close()]);
    expect(await Promise.all(pending)).toEqual([undefined, undefined]);
    await expect(encoder.encode(picture)).rejects.toMatchObject({ code: "closed" });
    await expect(decoder.decode(new Uint8Array(20))).rejects.toMatchObject({ code: "closed" });
  });

  it("leaves pictures out rather than letting them wait", async () => {
    const encoder = await newEncoder();
    const frames = await Promise.all((await pictures(20)).map((picture) => encoder.encode(picture)));
    expect(frames.filter((frame) => frame !== undefined)).toHaveLength(3);
    expect(await encoder.encode((await pictures(1))[0] as Picture)).toBeDefined();
  });
});

describe("a thread with a coder", () => {
  it("that breaks is replaced, not at once and again", async () => {
    let now = 0;
    const thread = new Vp8Thread<unknown, { picture: unknown }>({ role: "decoder" }, 4, () => now);
    open.push(thread);
    await thread.start();
    const noFrame = { frame: undefined };
    const good = { frame: new Uint8Array(5) };
    expect(await thread.run(good, [])).toEqual({ picture: undefined });
    expect(await Promise.all([thread.run(noFrame, []), thread.run(good, [])])).toEqual([undefined, undefined]);
    expect(thread.hasRoom).toBe(false);
    expect(await thread.run(good, [])).toBeUndefined();
    now = 1000;
    expect(await thread.run(good, [])).toEqual({ picture: undefined });
  });

  it("does not keep a process alive that has nothing else to do, nor writes among its lines", async () => {
    const program = `
      import { loadVp8, testPicture } from ${JSON.stringify(resolve("src/node/media/index.ts"))};
      const vp8 = await loadVp8();
      const [encoder, decoder] = [await vp8.encoder({ width: 64, height: 64, bitRate: 100000, frameRate: 30 }), await vp8.decoder()];
      const frame = await encoder.encode(await testPicture({ width: 64, height: 64 }).read());
      const picture = await decoder.decode(frame.data);
      await decoder.decode(frame.data.fill(255, 12));
      console.log(picture.width);`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
      timeout: 15_000,
    });
    expect([stdout, stderr]).toEqual(["64\n", ""]);
  });
});
