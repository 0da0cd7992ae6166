import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { memoryStore } from "../../../src/env/memory_store.ts";
import { fileSink, nodeFiles } from "../../../src/node/index.ts";
import { fileBytes } from "../../support/files.ts";
import { scratch } from "../../support/scratch.ts";
import { FilesWorld, until } from "./files_world.ts";
import { settle } from "./world.ts";

const newFolder = scratch();
const CONTENT = fileBytes(10_000);
const HALF = 4 * 1371;

describe("a file that was half-received in an earlier run", () => {
  let folder: string;
  let store: ReturnType<typeof memoryStore>;
  beforeEach(() => {
    folder = newFolder();
    store = memoryStore();
  });
  const photo = () => join(folder, "photo.jpg");
  const part = () => `${photo()}.part`;

  /** Friend A has sent a half of his photo. */
  async function firstRun(): Promise<void> {
    const world = await FilesWorld.start(store, nodeFiles);
    const a = world.friend("A");
    a.offer(0);
    world.offers[0]?.accept(fileSink(photo()));
    a.data(0, CONTENT.subarray(0, HALF));
    await until("a half", () => existsSync(part()) && readFileSync(part()).length === HALF);
    await world.files.close();
  }

  it("goes on where it was", async () => {
    await firstRun();
    const world = await FilesWorld.start(store, nodeFiles);
    const a = world.friend("A");
    a.offer(3);
    await until("it goes on", () => world.resumed.length > 0);
    expect(a.controls()).toMatchObject([{ control: "seek", position: BigInt(HALF) }, { control: "accept" }]);
    a.data(3, CONTENT.subarray(HALF));
    expect(await world.resumed[0]?.done).toEqual({ state: "done" });
    expect(readFileSync(photo())).toEqual(Buffer.from(CONTENT));
    expect(readdirSync(folder)).toEqual(["photo.jpg"]);
  });

  it("is nothing to another friend who offers a file with its id", async () => {
    await firstRun();
    const world = await FilesWorld.start(store, nodeFiles);
    const [a, b] = [world.friend("A"), world.friend("B")];
    b.offer(0);
    await settle();
    expect(world.offers.map(({ friend, received }) => [friend, received])).toEqual([[b.handle, 0]]);
    a.offer(0);
    await until("it goes on", () => world.resumed.length > 0);
    const theirs = world.offers[0]?.accept(fileSink(photo()));
    b.data(0, fileBytes(10_000, "Mallory"));
    expect(await theirs?.done).toMatchObject({ state: "failed", reason: "file-exists" });
    a.data(0, CONTENT.subarray(HALF));
    expect(await world.resumed[0]?.done).toEqual({ state: "done" });
    expect(readFileSync(photo())).toEqual(Buffer.from(CONTENT));
  });

  it("two at once, with the same id, from two friends, do not meet", async () => {
    const world = await FilesWorld.start(store, nodeFiles);
    const friends = [world.friend("A"), world.friend("B")];
    for (const friend of friends) friend.offer(0);
    const transfers = world.offers.map((offer, i) => offer.accept(fileSink(join(folder, `${i}`))));
    const contents = friends.map((_, i) => fileBytes(10_000, i));
    for (const [i, friend] of friends.entries()) friend.data(0, contents[i]?.subarray(0, HALF) ?? CONTENT);
    for (const friend of friends) friend.down();
    for (const [i, friend] of friends.entries()) {
      friend.up();
      friend.offer(0);
      friend.data(0, contents[i]?.subarray(HALF) ?? CONTENT);
    }
    for (const transfer of transfers) expect(await transfer.done).toEqual({ state: "done" });
    expect([0, 1].map((i) => new Uint8Array(readFileSync(join(folder, `${i}`))))).toEqual(contents);
  });

  it.each([
    ["deleted", () => rmSync(part())],
    ["replaced", () => writeFileSync(part(), new Uint8Array(HALF))],
    ["a folder", () => mkdirSync(part())],
    ["a link", () => symlinkSync(join(folder, "victim"), part())],
  ])("is offered to the app anew when what came of it was %s", async (what, change) => {
    await firstRun();
    writeFileSync(join(folder, "victim"), "untouched");
    if (what !== "deleted") rmSync(part());
    change();
    const world = await FilesWorld.start(store, nodeFiles);
    world.friend("A").offer(0);
    await until("the offer", () => world.offers.length > 0);
    expect(world.offers[0]?.received).toBe(0);
    expect(world.resumed).toEqual([]);
    expect(readFileSync(join(folder, "victim"), "utf8")).toBe("untouched");
  });

  it("goes on from what is left of it, when it was cut short", async () => {
    await firstRun();
    truncateSync(part(), 1000);
    const world = await FilesWorld.start(store, nodeFiles);
    const a = world.friend("A");
    a.offer(0);
    await until("it goes on", () => world.resumed.length > 0);
    expect(a.controls()).toMatchObject([{ control: "seek", position: 1000n }, { control: "accept" }]);
  });

  it("is not looked for under a name that it may never have had", async () => {
    writeFileSync(part(), "somebody's");
    const world = await FilesWorld.start(store, nodeFiles);
    world.friend("A").offer(0);
    world.offers[0]?.accept(fileSink(photo()));
    world.pass(1000); // the record is written before anything has come
    await settle();
    const again = await FilesWorld.start(store, nodeFiles); // the first one is killed
    again.friend("A").offer(0);
    await until("the offer", () => again.offers.length > 0);
    expect([again.offers[0]?.received, readFileSync(part(), "utf8")]).toEqual([0, "somebody's"]);
  });

  it("is noted for a crash soon after its first bytes have come", async () => {
    const world = await FilesWorld.start(store, nodeFiles);
    const a = world.friend("A");
    a.offer(0);
    world.offers[0]?.accept(fileSink(photo()));
    world.pass(1000);
    a.data(0, CONTENT.subarray(0, HALF));
    await until("a half", () => existsSync(part()) && readFileSync(part()).length === HALF);
    await until("it is noted", () => world.offers[0]?.transfer.bytes === HALF);
    world.pass(1000);
    await settle();
    expect(Buffer.from((await store.read("files")) ?? []).toString()).toContain(`"bytes":${HALF}`);
  });

  it("is removed with the friend", async () => {
    await firstRun();
    const world = await FilesWorld.start(store, nodeFiles);
    world.files.removed(world.friend("B").handle);
    await settle();
    expect(readdirSync(folder)).toEqual(["photo.jpg.part"]);
    world.files.removed(world.friend("A").handle);
    await until("it is gone", () => readdirSync(folder).length === 0);
  });

  it("is removed when he takes it back, though nothing was written in this run", async () => {
    await firstRun();
    const world = await FilesWorld.start(store, nodeFiles);
    const a = world.friend("A");
    a.offer(0);
    a.control("kill", 0, false); // before it was found
    await until("it is gone", () => readdirSync(folder).length === 0);
    store = memoryStore();
    await firstRun();
    const again = await FilesWorld.start(store, nodeFiles);
    const same = again.friend("A");
    same.offer(0);
    await until("it goes on", () => again.resumed.length > 0);
    again.resumed[0]?.cancel();
    await until("it is gone", () => readdirSync(folder).length === 0);
  });

  it("waits on when the instance is closed while it is looked for", async () => {
    await firstRun();
    const spare = { ...nodeFiles, suspended: 0 };
    spare.sink = async (location) => {
      const sink = await nodeFiles.sink(location);
      const suspend = sink.suspend?.bind(sink);
      sink.suspend = async () => {
        await suspend?.();
        spare.suspended++;
      };
      return sink;
    };
    const world = await FilesWorld.start(store, spare);
    world.friend("A").offer(0);
    await world.files.close();
    await until("it is put away", () => spare.suspended > 0);
    expect(readdirSync(folder)).toEqual(["photo.jpg.part"]);
    const again = await FilesWorld.start(store, nodeFiles);
    again.friend("A").offer(0);
    await until("it goes on", () => again.resumed.length > 0);
  });

  it("is no trouble when its sink throws at whatever is asked of it", async () => {
    await firstRun();
    const broken = { ...fileSink(photo()) };
    Object.defineProperty(broken, "size", {
      get: () => {
        throw new Error("no such disk");
      },
    });
    const world = await FilesWorld.start(store, { ...nodeFiles, sink: async () => broken });
    world.friend("A").offer(0);
    await until("the offer", () => world.offers.length > 0);
    expect(world.offers[0]?.received).toBe(0);
  });
});

it("what half-done files there are is written once a full disk has room", async () => {
  const inner = memoryStore();
  let full = true;
  const store = { ...inner, read: inner.read.bind(inner), close: inner.close.bind(inner) };
  store.write = async (name: string, bytes: Uint8Array) => {
    if (full) throw new Error("disk full");
    await inner.write(name, bytes);
  };
  const world = await FilesWorld.start(store as typeof inner);
  world.friend("A").offer(0);
  world.offers[0]?.accept({ write: async () => {}, close: async () => {}, abort: async () => {}, location: "/x" });
  world.pass(1000);
  await settle();
  full = false;
  expect(await inner.read("files")).toBeUndefined();
  world.pass(600_000);
  await settle();
  expect(Buffer.from((await inner.read("files")) ?? []).toString()).toContain('"/x"');
});
