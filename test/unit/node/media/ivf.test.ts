import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type FrameSource, ivfSource, recordIvf, type TimedFrame } from "../../../../src/node/media/index.ts";
import { encodeIvfFrameHeader, encodeIvfHeader } from "../../../../src/node/media/ivf_header.ts";
import { scratch } from "../../../support/scratch.ts";

const folder = scratch();

const key = (size: number): Uint8Array => {
  const frame = new Uint8Array(size).fill(7);
  frame.set([0x10, 0, 0, 0x9d, 1, 0x2a, 320 & 0xff, 320 >> 8, 240, 0]);
  return frame;
};
const later = (size: number) => new Uint8Array(size).fill(0x31);

async function all(source: FrameSource): Promise<TimedFrame[]> {
  const frames: TimedFrame[] = [];
  for (let frame = await source.read(); frame; frame = await source.read()) frames.push(frame);
  await source.close?.();
  return frames;
}

const header = { codec: "VP80", width: 320, height: 240, unitsPerSecond: { over: 30, under: 1 }, frames: 0 };

describe("an IVF file", () => {
  it("is recorded and shown again, from the first key frame on", async () => {
    const path = join(folder(), "a.ivf");
    const sink = await recordIvf(path);
    sink.write({ data: later(50), timestamp: 1000 });
    sink.write({ data: key(90_000), timestamp: 1033.4 });
    sink.write({ data: later(500), timestamp: 1066.8 });
    sink.write({ data: new Uint8Array(2), timestamp: 1090 });
    sink.write({ data: later(5), timestamp: 1101 });
    await sink.close();
    const source = await ivfSource(path);
    expect(source.kind).toBe("frames");
    expect(await all(source)).toEqual([
      { data: key(90_000), timestamp: 0 },
      { data: later(500), timestamp: 33 },
      { data: later(5), timestamp: 68 },
    ]);
    const bytes = readFileSync(path);
    expect([bytes.readUInt16LE(12), bytes.readUInt16LE(14), bytes.readUInt32LE(24)]).toEqual([320, 240, 3]);
  });

  it("has times in units of its own, which never go back", async () => {
    const path = join(folder(), "b.ivf");
    const times = [0, 1, 3, 2, 60];
    const parts = times.flatMap((time) => [encodeIvfFrameHeader(10, time), later(10)]);
    writeFileSync(path, Buffer.concat([encodeIvfHeader(header), ...parts]));
    const shown = (await all(await ivfSource(path))).map(({ timestamp }) => Math.round(timestamp));
    expect(shown).toEqual([0, 33, 100, 100, 2000]);
  });

  it("that was cut off, or lies about a size, ends with its last whole frame", async () => {
    const path = join(folder(), "c.ivf");
    const frame = [encodeIvfFrameHeader(1000, 1), later(1000)];
    writeFileSync(path, Buffer.concat([encodeIvfHeader(header), ...frame, ...frame, ...frame]));
    for (const size of [32 + 3 * 1012 - 1, 32 + 2 * 1012 + 11, 32 + 2 * 1012]) {
      truncateSync(path, size);
      expect(await all(await ivfSource(path))).toHaveLength(2);
    }
    for (const lie of [0xffff_ffff, 5 << 20]) {
      writeFileSync(path, Buffer.concat([encodeIvfHeader(header), ...frame, encodeIvfFrameHeader(lie, 2), later(9)]));
      expect(await all(await ivfSource(path))).toHaveLength(1);
    }
  });

  it("is refused when it is another", async () => {
    const path = join(folder(), "d.ivf");
    const wrong = [
      encodeIvfHeader({ ...header, codec: "VP90" }),
      encodeIvfHeader({ ...header, unitsPerSecond: { over: 0, under: 1 } }),
      encodeIvfHeader(header).subarray(0, 31),
      Buffer.from("RIFF and so on, for more than thirty-two bytes"),
      new Uint8Array(0),
    ];
    for (const bytes of wrong) {
      writeFileSync(path, bytes);
      await expect(ivfSource(path)).rejects.toMatchObject({ code: "invalid-argument" });
    }
    await expect(ivfSource(join(folder(), "none"))).rejects.toMatchObject({ code: "invalid-argument" });
  });
});
