import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileSink, fileSource, nodeFiles, streamSink, streamSource } from "../../../src/node/index.ts";
import { fileBytes } from "../../support/files.ts";

describe("files on Node's disk", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tox-files-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const at = (name: string) => join(folder, name);

  it("are read where one wants, and tell when they have changed", async () => {
    writeFileSync(at("a.png"), fileBytes(1000));
    const source = fileSource(at("a.png"));
    expect([source.name, source.size]).toEqual(["a.png", 1000]);
    expect(await source.read(10, 20)).toEqual(fileBytes(1000).subarray(10, 30));
    expect((await source.read(990, 100)).length).toBe(10);
    expect((await source.read(1000, 100)).length).toBe(0);
    await source.close?.();
    utimesSync(at("a.png"), 1, 1);
    expect((await nodeFiles.source(at("a.png"))).version).not.toBe(source.version);
  });

  it("are refused where there is none", async () => {
    expect(() => fileSource(at("none"))).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => fileSource(at("none"))).toThrow(/none cannot be read: there is none\.$/);
    expect(() => fileSource(folder)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    await expect(nodeFiles.source(at("none"))).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(nodeFiles.sink(at("none"))).rejects.toThrow();
  });

  it("have no place where there is no folder", () => {
    writeFileSync(at("file"), "");
    for (const place of [at("none/file"), at("file/within")]) {
      expect(() => fileSink(place)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
      expect(() => fileSink(place)).toThrow("There is no folder");
    }
  });

  it("have their name when they are whole, and not before", async () => {
    const sink = fileSink(at("b"));
    expect(sink.size).toBe(0);
    await sink.write(0, Uint8Array.of(1, 2, 3));
    expect(() => readFileSync(at("b"))).toThrow();
    expect(sink.size).toBe(3);
    await sink.write(3, Uint8Array.of(4));
    await sink.close();
    expect([...readFileSync(at("b"))]).toEqual([1, 2, 3, 4]);
    expect(() => readFileSync(at("b.part"))).toThrow();
  });

  it("may be empty", async () => {
    await fileSink(at("c")).close();
    expect(readFileSync(at("c")).length).toBe(0);
  });

  it("go on where an earlier try ended, without what was behind it", async () => {
    const first = fileSink(at("d"));
    await first.write(0, fileBytes(100));
    await first.suspend?.();
    const again = await nodeFiles.sink(first.location ?? "");
    expect(again.size).toBe(100);
    await again.write(60, Uint8Array.of(7));
    await again.close();
    expect([...readFileSync(at("d"))]).toEqual([...fileBytes(100).subarray(0, 60), 7]);
  });

  it("never replace another unless they are told to", async () => {
    writeFileSync(at("e"), "mine");
    await expect(fileSink(at("e")).write(0, Uint8Array.of(1))).rejects.toMatchObject({ code: "EEXIST" });
    const late = fileSink(at("f"));
    await late.write(0, Uint8Array.of(1));
    writeFileSync(at("f"), "mine");
    await expect(late.close()).rejects.toMatchObject({ code: "EEXIST" });
    expect(readFileSync(at("f"), "utf8")).toBe("mine");
    const told = fileSink(at("e"), { overwrite: true });
    await told.write(0, Uint8Array.of(1));
    await (await nodeFiles.sink(told.location ?? "")).close();
    expect([...readFileSync(at("e"))]).toEqual([]);
  });

  it("leave nothing when they are given up", async () => {
    const sink = fileSink(at("g"));
    await sink.write(0, Uint8Array.of(1));
    await sink.abort();
    expect(() => readFileSync(at("g.part"))).toThrow();
    mkdirSync(at("folder"));
    await expect(fileSink(at("folder")).write(0, Uint8Array.of(1))).rejects.toMatchObject({ code: "EEXIST" });
  });

  it("may be streams", async () => {
    const source = streamSource(Readable.from([fileBytes(100), fileBytes(50)]), { name: "stream" });
    expect([source.size, source.canSeek]).toEqual([undefined, false]);
    expect(await source.read(0, 80)).toEqual(fileBytes(100).subarray(0, 80));
    expect((await source.read(80, 80)).length).toBe(20);
    expect((await source.read(100, 80)).length).toBe(50);
    expect((await source.read(150, 80)).length).toBe(0);
    const seen: number[] = [];
    const sink = streamSink(new WritableStream({ write: (bytes) => void seen.push(...bytes) }));
    await sink.write(0, Uint8Array.of(1, 2));
    await sink.write(2, Uint8Array.of(3));
    await sink.close();
    expect(seen).toEqual([1, 2, 3]);
  });
});
