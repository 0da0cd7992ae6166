import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileSink, nodeFiles } from "../../../src/node/index.ts";
import { fileBytes } from "../../support/files.ts";

describe("a file that is not whole yet", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tox-files-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const at = (name: string) => join(folder, name);
  const text = (name: string) => readFileSync(at(name), "utf8");
  const bytes = (words: string) => new Uint8Array(Buffer.from(words));

  /** What a run before this one left. */
  async function halfDone(name: string, content: string): Promise<string> {
    const sink = fileSink(at(name));
    await sink.write(0, bytes(content));
    await sink.suspend?.();
    return sink.location ?? "";
  }

  it("belongs to one transfer: another of the same name is refused, and spoils nothing", async () => {
    const alices = fileSink(at("photo.jpg"));
    await alices.write(0, bytes("Alice's"));
    const mallorys = fileSink(at("photo.jpg"));
    await expect(mallorys.write(0, bytes("Mallory's"))).rejects.toMatchObject({ code: "EEXIST" });
    await mallorys.abort();
    const overwriting = fileSink(at("photo.jpg"), { overwrite: true });
    await expect(overwriting.write(0, bytes("Mallory's"))).rejects.toMatchObject({ code: "EEXIST" });
    await overwriting.abort();
    await alices.write(7, bytes(" photo"));
    await alices.close();
    expect(text("photo.jpg")).toBe("Alice's photo");
    expect(readdirSync(folder)).toEqual(["photo.jpg"]);
  });

  it("is the next one's as soon as it is given up", async () => {
    const first = fileSink(at("a"));
    await first.write(0, fileBytes(100_000));
    const gone = first.abort();
    const second = fileSink(at("a"));
    await second.write(0, bytes("second"));
    await gone;
    await second.close();
    expect(text("a")).toBe("second");
    const third = fileSink(at("b"));
    await third.write(0, bytes("third"));
    await Promise.all([third.suspend?.(), fileSink(at("b")).write(0, bytes("x"))]);
  });

  it("goes when it was found again and is given up, whether or not something was written", async () => {
    const sink = await nodeFiles.sink(await halfDone("a", "half"));
    await sink.abort();
    expect(readdirSync(folder)).toEqual([]);
    const other = await nodeFiles.sink(await halfDone("b", "half"));
    await other.write(4, bytes("."));
    await other.abort();
    expect(readdirSync(folder)).toEqual([]);
    await halfDone("c", "somebody's");
    await fileSink(at("c")).abort(); // which knows nothing of it
    expect(text("c.part")).toBe("somebody's");
  });

  it("goes when it cannot have its name", async () => {
    const sink = fileSink(at("a"));
    await sink.write(0, bytes("mine"));
    writeFileSync(at("a"), "there first");
    await expect(sink.close()).rejects.toMatchObject({ code: "EEXIST" });
    await sink.abort();
    expect(readdirSync(folder)).toEqual(["a"]);
    expect(text("a")).toBe("there first");
  });

  it("is known again by more than its name", async () => {
    const sink = fileSink(at("a"));
    expect(sink.version).toBeUndefined();
    await sink.write(0, bytes("half"));
    const { version } = sink;
    expect(version).toMatch(/./);
    await sink.suspend?.();
    const again = await nodeFiles.sink(at("a"));
    expect([again.version, again.size]).toEqual([version, 4]);
    await again.suspend?.();
    rmSync(at("a.part"));
    writeFileSync(at("a.part"), "an impostor");
    const impostor = await nodeFiles.sink(at("a"));
    expect(impostor.version).not.toBe(version);
    await impostor.suspend?.();
    expect(text("a.part")).toBe("an impostor");
  });

  it("that was found again is nobody else's from then on", async () => {
    const sink = await nodeFiles.sink(await halfDone("a", "half"));
    await expect(fileSink(at("a")).write(0, bytes("other"))).rejects.toMatchObject({ code: "EEXIST" });
    await expect(nodeFiles.sink(at("a"))).rejects.toMatchObject({ code: "EEXIST" });
    await sink.write(4, bytes(" and half"));
    await sink.close();
    expect(text("a")).toBe("half and half");
  });

  it("that becomes shorter while it waits is not gone on with", async () => {
    const sink = await nodeFiles.sink(await halfDone("a", "half"));
    truncateSync(at("a.part"), 1);
    await expect(sink.write(4, bytes("."))).rejects.toThrow("has become shorter");
    await sink.abort();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ["gone", () => {}],
    ["empty", (part: string) => writeFileSync(part, "")],
    ["a folder", (part: string) => mkdirSync(part)],
    ["a link", (part: string) => symlinkSync("victim", part)],
    ["one of two names of a file", (part: string) => linkSync(join(part, "../victim"), part)],
  ])("is not found again when it is %s", async (_what, replace) => {
    const location = await halfDone("a", "half");
    writeFileSync(at("victim"), "untouched");
    rmSync(at("a.part"));
    replace(at("a.part"));
    await expect(nodeFiles.sink(location)).rejects.toThrow("a.part");
    const anew = fileSink(at("a"));
    await expect(anew.write(3, bytes("x"))).rejects.toThrow();
    await anew.abort();
    expect(text("victim")).toBe("untouched");
  });

  it("does not take the place of anything, and is found again under its other name", async () => {
    writeFileSync(at("a.part"), "somebody's");
    mkdirSync(at("a.2.part"));
    for (const overwrite of [false, true]) {
      const sink = fileSink(at("a"), { overwrite });
      await sink.write(0, bytes("mine"));
      expect(sink.size).toBe(4);
      await sink.suspend?.();
      expect(readdirSync(folder)).toContain("a.3.part");
      const again = await nodeFiles.sink(sink.location ?? "");
      expect([again.location, again.version]).toEqual([sink.location, sink.version]);
      await again.write(4, bytes("!"));
      await again.close();
      expect([text("a"), text("a.part")]).toEqual(["mine!", "somebody's"]);
      rmSync(at("a"));
    }
    for (let number = 3; number <= 9; number++) writeFileSync(at(`a.${number}.part`), "");
    const sink = fileSink(at("a"));
    await expect(sink.write(0, bytes("mine"))).rejects.toMatchObject({ code: "EEXIST" });
    await sink.abort();
    expect(readdirSync(folder).length).toBe(9);
  });

  it("leads nowhere else, whatever lies in its place", async () => {
    writeFileSync(at("victim"), "untouched");
    symlinkSync("victim", at("a.part"));
    linkSync(at("victim"), at("b.part"));
    for (const name of ["a", "b"]) {
      const sink = fileSink(at(name));
      expect(sink.size).toBe(name === "a" ? 0 : 9);
      await sink.write(0, bytes("new"));
      await sink.close();
      expect(text(name)).toBe("new");
    }
    expect(text("victim")).toBe("untouched");
    expect(readdirSync(folder)).toEqual(["a", "a.part", "b", "b.part", "victim"]);
  });

  it("gets no name when another has been put in its place, and leaves that alone", async () => {
    for (const overwrite of [false, true]) {
      const sink = fileSink(at("a"), { overwrite });
      await sink.write(0, bytes("mine"));
      renameSync(at("a.part"), at("moved"));
      symlinkSync("/etc/passwd", at("a.part"));
      await expect(sink.close()).rejects.toThrow("a.part is another file now");
      await sink.abort();
      expect(readdirSync(folder).sort()).toEqual(["a.part", "moved"]);
      rmSync(at("a.part"));
    }
  });
});
