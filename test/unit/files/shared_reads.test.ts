import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FileSource } from "../../../src/env/file.ts";
import { READ_SIZE, SharedSources } from "../../../src/files/shared_reads.ts";
import type { FileTransfer } from "../../../src/friend/friend.ts";
import { fileSource, streamSource } from "../../../src/node/index.ts";
import { decodeFileRequest } from "../../../src/wire/friend/file_request.ts";
import { fileBytes } from "../../support/files.ts";
import { scratch } from "../../support/scratch.ts";
import { OneFriend, settle } from "./world.ts";

const newFolder = scratch();
const FULL = 1371;
const PIECES = 24;
const CONTENT = fileBytes((PIECES - 1) * READ_SIZE + 1000);
const MOST_KEPT = 16 * READ_SIZE;

/** Counts what is asked of it. */
class CountedSource implements FileSource {
  readonly name = "film.mkv";
  readonly size = CONTENT.length;
  reads = 0;
  closes = 0;

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.reads++;
    return CONTENT.subarray(offset, offset + length);
  }

  async close(): Promise<void> {
    this.closes++;
  }
}

/** A friend to whom the file goes, and who compares it with what it should be. */
class Receiver {
  readonly one: OneFriend;
  readonly transfer: FileTransfer;
  at = 0;

  constructor(sources: SharedSources, source: FileSource, at = 0) {
    this.one = new OneFriend(sources);
    const facts = { friend: this.one.friend, fileId: fileBytes(32), kind: 0, name: "x", size: source.size };
    this.transfer = this.one.files.send(source, facts);
    this.accept(at);
  }

  accept(at: number): void {
    const slots = this.one.said.splice(0).flatMap((packet) => decodeFileRequest(packet, () => undefined) ?? []);
    const slot = slots.at(-1)?.slot ?? 0;
    if (at > 0) this.one.control("seek", slot, true, BigInt(at));
    this.one.control("accept", slot, true);
    this.at = at;
  }

  /** Takes up to so many packets, as many as are there. */
  take(packets: number): void {
    for (let i = 0; i < packets; i++) {
      const packet = this.one.pull();
      if (packet === undefined) return;
      const data = packet.subarray(2);
      if (Buffer.compare(data, CONTENT.subarray(this.at, this.at + data.length)) !== 0) {
        throw new Error(`other bytes at ${this.at}`);
      }
      this.at += data.length;
    }
  }

  get hasAll(): boolean {
    return this.at === CONTENT.length;
  }
}

describe("a source that goes to many", () => {
  it("is read once for fifty friends who go about together, and closed once", async () => {
    const sources = new SharedSources();
    const source = new CountedSource();
    const friends = Array.from({ length: 50 }, () => new Receiver(sources, source));
    let most = 0;
    while (!friends.every(({ hasAll }) => hasAll)) {
      // Each is now a little before the others, now behind.
      for (const [i, friend] of friends.entries()) friend.take(40 + ((i * 37) % 100));
      await settle();
      most = Math.max(most, sources.kept);
    }
    expect(source.reads).toBeLessThanOrEqual(PIECES + 1);
    expect(most).toBeLessThanOrEqual(MOST_KEPT);
    for (const [i, { transfer }] of friends.entries()) {
      expect(source.closes).toBe(0);
      transfer.cancel();
      await settle();
      if (i < 49) expect(source.closes).toBe(0);
    }
    expect([source.closes, sources.kept]).toEqual([1, 0]);
  });

  it("holds nobody back for one who is slow, who reads for himself and gets all of it", async () => {
    const sources = new SharedSources();
    const source = new CountedSource();
    const slow = new Receiver(sources, source);
    const friends = Array.from({ length: 10 }, () => new Receiver(sources, source));
    let most = 0;
    for (let turn = 0; !friends.every(({ hasAll }) => hasAll); turn++) {
      for (const friend of friends) friend.take(200);
      if (turn % 4 === 0) slow.take(10);
      await settle();
      most = Math.max(most, sources.kept);
    }
    expect(slow.at).toBeLessThan(READ_SIZE * 2);
    const before = source.reads;
    expect(before).toBeLessThanOrEqual(PIECES + 4);
    while (!slow.hasAll) {
      slow.take(200);
      await settle();
    }
    expect(source.reads - before).toBeLessThanOrEqual(PIECES);
    expect(most).toBeLessThanOrEqual(MOST_KEPT);
    expect(sources.kept).toBe(0); // nobody wants anything any more
  });

  it("is read once for those, too, who begin somewhere within", async () => {
    const sources = new SharedSources();
    const source = new CountedSource();
    const friends = [0, 1, 5000, READ_SIZE - 1, READ_SIZE].map((at) => new Receiver(sources, source, at));
    while (!friends.every(({ hasAll }) => hasAll)) {
      for (const friend of friends) friend.take(200);
      await settle();
    }
    expect(source.reads).toBeLessThanOrEqual(PIECES + 4);
  });

  it("goes on after a lost session of one of them", async () => {
    const sources = new SharedSources();
    const source = new CountedSource();
    const friends = Array.from({ length: 3 }, () => new Receiver(sources, source));
    for (let turn = 0; turn < 10; turn++) {
      for (const friend of friends) friend.take(100);
      await settle();
    }
    const [first] = friends;
    first?.one.down();
    first?.one.up();
    first?.accept(first.at);
    while (!friends.every(({ hasAll }) => hasAll)) {
      for (const friend of friends) friend.take(100);
      await settle();
    }
    expect(source.reads).toBeLessThanOrEqual(PIECES + 6);
  });

  it("fails for those who wait for what cannot be read, and is tried again for the next", async () => {
    const sources = new SharedSources();
    const source = new CountedSource();
    const read = source.read.bind(source);
    let broken = true;
    source.read = (offset, length) => (broken ? Promise.reject(new Error("bad block")) : read(offset, length));
    const friends = [new Receiver(sources, source), new Receiver(sources, source)];
    for (const { transfer } of friends) {
      expect(await transfer.done).toMatchObject({ state: "failed", reason: "read-failed", message: /bad block/ });
    }
    await settle();
    expect(source.closes).toBe(1);
    broken = false;
    const next = new Receiver(sources, source);
    while (!next.hasAll) {
      next.take(1000);
      await settle();
    }
  });

  it.each([
    [
      "throws",
      () =>
        (
          (() => {
            throw new Error("no");
          }) as () => Promise<Uint8Array>
        )(),
    ],
    ["gives something else", () => Promise.resolve("text" as unknown as Uint8Array)],
    ["gives nothing at all", () => Promise.resolve(undefined as unknown as Uint8Array)],
  ])("fails when it %s", async (_what, read) => {
    const { transfer } = new Receiver(new SharedSources(), { name: "x", size: 5000, read });
    expect(await transfer.done).toMatchObject({ state: "failed", reason: "read-failed" });
  });

  it("that never answers can be given up", async () => {
    const source = new CountedSource();
    source.read = () => new Promise(() => {});
    const friend = new Receiver(new SharedSources(), source);
    friend.take(1);
    friend.transfer.cancel();
    await settle();
    expect([await friend.transfer.done, source.closes]).toEqual([{ state: "cancelled", by: "us" }, 1]);
  });

  it("that gives more than it is asked for is cut", async () => {
    const friend = new Receiver(new SharedSources(), {
      ...{ name: "x", size: CONTENT.length },
      read: async (offset) => CONTENT.subarray(offset),
    });
    while (!friend.hasAll) {
      friend.take(1000);
      await settle();
    }
  });

  it("that is a stream is sent to one", async () => {
    const sources = new SharedSources();
    const source = streamSource(new Blob([CONTENT]).stream(), { name: "x", size: CONTENT.length });
    const one = new Receiver(sources, source);
    expect(() => new Receiver(sources, source)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    one.transfer.cancel();
  });

  it("stays open on Node's disk until the last one has it", async () => {
    const path = join(newFolder(), "film.mkv");
    writeFileSync(path, CONTENT.subarray(0, 2 * READ_SIZE));
    const sources = new SharedSources();
    const source = fileSource(path);
    const friends = Array.from({ length: 8 }, () => new Receiver(sources, source));
    for (const friend of friends) {
      while (friend.at < 2 * READ_SIZE) {
        friend.take(FULL);
        await new Promise((resolve) => setImmediate(resolve));
      }
      friend.transfer.cancel();
    }
  });
});

describe("a receiver who wants only the end of a file, again and again", () => {
  it("does not have all of it read for its hash longer than his session lasts", async () => {
    const source = new CountedSource();
    let release: (() => void)[] = [];
    const read = source.read.bind(source);
    source.read = async (offset, length) => {
      await new Promise<void>((resolve) => release.push(resolve));
      return await read(offset, length);
    };
    const step = async () => {
      const waiting = release;
      release = [];
      for (const resolve of waiting) resolve();
      await settle();
      return waiting.length;
    };
    const sources = new SharedSources();
    const one = new OneFriend(sources);
    one.capabilities = 4;
    one.down();
    one.up();
    const facts = { friend: one.friend, fileId: fileBytes(32), kind: 0, name: "x", size: CONTENT.length };
    one.files.send(source, facts);
    for (let session = 0; session < 20; session++) {
      const slot = one.said.splice(0).flatMap((packet) => decodeFileRequest(packet, () => undefined) ?? [])[0]?.slot;
      one.control("seek", slot ?? 0, true, BigInt(CONTENT.length - 1));
      one.control("accept", slot ?? 0, true);
      await step();
      expect(one.pull()?.length).toBe(3);
      await settle();
      one.down();
      one.up();
    }
    let more = 0;
    for (let steps = await step(); steps > 0; steps = await step()) more += steps;
    expect(more).toBeLessThanOrEqual(20);
  });
});
