import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BytesSink, bytesSource, type FileState, type FileTransfer } from "../../../src/index.ts";
import { fileSink } from "../../../src/node/index.ts";
import { type FileOffer, fileBytes } from "../../support/files.ts";
import { describeInterop } from "../toxcore.ts";
import { type Pair, startPair } from "../two_sides.ts";

const MEBIBYTE = 1024 * 1024;
const AVATAR = 1;

function untilState(transfer: FileTransfer, wanted: FileState): Promise<void> {
  return new Promise((resolve) => {
    if (transfer.state === wanted) resolve();
    transfer.on("state", ({ state }) => void (state === wanted && resolve()));
  });
}

describeInterop("files with libtoxcore", () => {
  let pair: Pair;
  let folder: string;
  const offers: FileOffer[] = [];
  let wake: (() => void) | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tox-files-"));
    pair = await startPair();
    pair.ours.tox.on("fileOffer", (offer) => {
      offers.push(offer);
      wake?.();
    });
  });
  afterAll(async () => {
    await pair?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const at = (name: string) => join(folder, name);

  async function nextOffer(): Promise<FileOffer> {
    while (offers.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return offers.shift() as FileOffer;
  }

  describe("file_transfer", () => {
    it.each([0, 1, 1371, 2742, 5000, MEBIBYTE])("of %i bytes arrives at theirs, with its name and id", async (size) => {
      const { ours, theirs, friend } = pair;
      const bytes = fileBytes(size);
      const fileId = fileBytes(32, size);
      const transfer = friend.sendFile(bytesSource(bytes, "a cat.png"), { fileId });
      const offer = await theirs.waitFor("fileOffer");
      expect(offer).toMatchObject({ kind: 0, size, name: "a cat.png", fileId: transfer.fileId });
      await theirs.acceptFile(ours.tox.publicKey, offer.file, { path: at(`there ${size}`) });
      expect(await transfer.done).toEqual({ state: "done" });
      await theirs.waitFor("fileDone", { file: offer.file, bytes: size });
      expect(readFileSync(at(`there ${size}`)).equals(bytes)).toBe(true);
    });

    it.each([0, 1, 1371, 2742, 5000, MEBIBYTE])("of %i bytes arrives at ours, with its name and id", async (size) => {
      const { ours, theirs } = pair;
      writeFileSync(at(`from ${size}`), fileBytes(size));
      const { file, fileId } = await theirs.sendFile(ours.tox.publicKey, {
        path: at(`from ${size}`),
        name: "../a.dog",
      });
      const offer = await nextOffer();
      expect([offer.name, offer.rawName, offer.size, offer.fileId]).toEqual(["_a.dog", "../a.dog", size, fileId]);
      const receipt = offer.accept(fileSink(at(`here ${size}`)));
      expect(await receipt.done).toEqual({ state: "done" });
      await theirs.waitFor("fileDone", { file, bytes: size });
      expect(readFileSync(at(`here ${size}`)).equals(fileBytes(size))).toBe(true);
    });

    it.each([0, 1371, 5000])("of %i bytes, which is not told before, arrives both ways", async (size) => {
      const { ours, theirs, friend } = pair;
      const bytes = fileBytes(size);
      const transfer = friend.sendFile({ ...bytesSource(bytes, "stream"), size: undefined });
      const offer = await theirs.waitFor("fileOffer", { size: null });
      await theirs.acceptFile(ours.tox.publicKey, offer.file, { path: at(`unknown there ${size}`) });
      expect(await transfer.done).toEqual({ state: "done" });
      await theirs.waitFor("fileDone", { file: offer.file, bytes: size });
      expect(readFileSync(at(`unknown there ${size}`)).equals(bytes)).toBe(true);

      writeFileSync(at(`unknown ${size}`), bytes);
      await theirs.sendFile(ours.tox.publicKey, { path: at(`unknown ${size}`), name: "stream", unknownSize: true });
      const back = await nextOffer();
      expect(back.size).toBeUndefined();
      const sink = new BytesSink();
      expect(await back.accept(sink).done).toEqual({ state: "done" });
      expect(sink.bytes).toEqual(bytes);
    });

    it("of forty at once arrives each whole", async () => {
      const { ours, theirs, friend } = pair;
      const size = 100_000;
      const transfers = Array.from({ length: 40 }, (_, i) => friend.sendFile(bytesSource(fileBytes(size, i), `${i}`)));
      const theirOffers = await theirs.waitForMany("fileOffer", 40);
      for (const { file, name } of theirOffers) {
        await theirs.acceptFile(ours.tox.publicKey, file, { path: at(`many ${name}`) });
      }
      for (const transfer of transfers) expect(await transfer.done).toEqual({ state: "done" });
      await theirs.waitForMany("fileDone", 40);
      for (let i = 0; i < 40; i++) expect(readFileSync(at(`many ${i}`)).equals(fileBytes(size, i))).toBe(true);
    });
  });

  describe("file_cancel", () => {
    it("by ours, of an offer and under way, is known to theirs", async () => {
      const { ours, theirs, friend } = pair;
      const transfer = friend.sendFile(bytesSource(fileBytes(MEBIBYTE), "x"));
      const offer = await theirs.waitFor("fileOffer");
      transfer.cancel();
      await theirs.waitFor("fileControl", { file: offer.file, control: "cancel" });
      expect(await transfer.done).toEqual({ state: "cancelled", by: "us" });

      await theirs.sendFile(ours.tox.publicKey, { zeros: 100 * MEBIBYTE, name: "large" });
      const large = (await nextOffer()).accept(new BytesSink());
      await new Promise<void>((resolve) => void large.on("progress", ({ bytes }) => void (bytes > 0 && resolve())));
      large.cancel();
      await theirs.waitFor("fileControl", { control: "cancel" });
    });

    it("by theirs, of an offer and under way, is known to ours", async () => {
      const { ours, theirs, friend } = pair;
      const { file } = await theirs.sendFile(ours.tox.publicKey, { zeros: MEBIBYTE, name: "x" });
      const offer = await nextOffer();
      await theirs.fileControl(ours.tox.publicKey, file, "cancel");
      expect(await offer.transfer.done).toEqual({ state: "cancelled", by: "them" });

      const large = { name: "large", size: 1e12, read: async (_: number, length: number) => new Uint8Array(length) };
      const transfer = friend.sendFile(large);
      const taken = await theirs.waitFor("fileOffer", { name: "large" });
      await theirs.acceptFile(ours.tox.publicKey, taken.file);
      await new Promise<void>((resolve) => void transfer.on("progress", ({ bytes }) => void (bytes > 0 && resolve())));
      await theirs.fileControl(ours.tox.publicKey, taken.file, "cancel");
      expect(await transfer.done).toEqual({ state: "cancelled", by: "them" });
    });

    it("and a rejected offer is known to its sender", async () => {
      const { ours, theirs, friend } = pair;
      const { file } = await theirs.sendFile(ours.tox.publicKey, { zeros: MEBIBYTE, name: "x" });
      (await nextOffer()).reject();
      await theirs.waitFor("fileControl", { file, control: "cancel" });
      const transfer = friend.sendFile(bytesSource(fileBytes(10), "y"));
      const offer = await theirs.waitFor("fileOffer", { name: "y" });
      await theirs.fileControl(ours.tox.publicKey, offer.file, "cancel");
      expect(await transfer.done).toEqual({ state: "cancelled", by: "them" });
    });
  });

  describe("file_seek", () => {
    const HALF = 512 * 1024;

    it("lets theirs begin in the middle", async () => {
      const { ours, theirs, friend } = pair;
      const transfer = friend.sendFile(bytesSource(fileBytes(MEBIBYTE), "seek"));
      const offer = await theirs.waitFor("fileOffer", { name: "seek" });
      await theirs.acceptFile(ours.tox.publicKey, offer.file, { path: at("seek there"), seek: HALF });
      expect(await transfer.done).toEqual({ state: "done" });
      await theirs.waitFor("fileDone", { file: offer.file, bytes: MEBIBYTE });
      expect(readFileSync(at("seek there")).equals(fileBytes(MEBIBYTE).subarray(HALF))).toBe(true);
    });

    it("lets ours begin in the middle", async () => {
      const { ours, theirs } = pair;
      const bytes = fileBytes(MEBIBYTE);
      writeFileSync(at("seek"), bytes);
      writeFileSync(at("seek here.part"), bytes.subarray(0, HALF));
      await theirs.sendFile(ours.tox.publicKey, { path: at("seek"), name: "seek" });
      const receipt = (await nextOffer()).accept(fileSink(at("seek here")), { offset: HALF });
      expect(receipt.bytes).toBe(HALF);
      expect(await receipt.done).toEqual({ state: "done" });
      expect(readFileSync(at("seek here")).equals(bytes)).toBe(true);
    });
  });

  describe("a pause", () => {
    it("of ours stops theirs until ours goes on", async () => {
      const { ours, theirs } = pair;
      const { file } = await theirs.sendFile(ours.tox.publicKey, { zeros: MEBIBYTE, name: "pause" });
      const receipt = (await nextOffer()).accept(new BytesSink());
      receipt.pause();
      await theirs.waitFor("fileControl", { file, control: "pause" });
      expect([receipt.state, receipt.pausedBy]).toEqual(["paused", "us"]);
      receipt.resume();
      expect(await receipt.done).toEqual({ state: "done" });
    });

    it("of theirs stops ours until theirs goes on", async () => {
      const { ours, theirs, friend } = pair;
      const size = 24 * MEBIBYTE;
      const transfer = friend.sendFile({ name: "wait", size, read: async (_, length) => new Uint8Array(length) });
      const offer = await theirs.waitFor("fileOffer", { name: "wait" });
      await theirs.acceptFile(ours.tox.publicKey, offer.file);
      await theirs.fileControl(ours.tox.publicKey, offer.file, "pause");
      await untilState(transfer, "paused");
      expect(transfer.pausedBy).toBe("them");
      await theirs.fileControl(ours.tox.publicKey, offer.file, "resume");
      expect(await transfer.done).toEqual({ state: "done" });
    });
  });

  describe("avatar", () => {
    it("of ours is offered with its hash, and theirs is fetched when it is new", async () => {
      const { ours, theirs } = pair;
      const image = fileBytes(50_000, "avatar");
      await ours.tox.setAvatar(image);
      const offer = await theirs.waitFor("fileOffer", { kind: AVATAR });
      expect([offer.size, offer.fileId]).toEqual([image.length, ours.tox.avatar?.hash]);
      await theirs.acceptFile(ours.tox.publicKey, offer.file, { path: at("avatar") });
      await theirs.waitFor("fileDone", { file: offer.file });
      expect(readFileSync(at("avatar")).equals(image)).toBe(true);

      const fileId = ours.tox.avatar?.hash ?? "";
      const again = { path: at("avatar"), name: "", kind: AVATAR, fileId };
      await theirs.sendFile(ours.tox.publicKey, again);
      const { avatar } = await ours.heard.waitFor("friendAvatar");
      expect(avatar?.bytes).toEqual(image);
      const { file } = await theirs.sendFile(ours.tox.publicKey, again);
      await theirs.waitFor("fileControl", { file, control: "cancel" });
      expect((await ours.tox.avatarOf(pair.friend))?.bytes).toEqual(image);
    });
  });
});
