import { beforeEach, describe, expect, it } from "vitest";
import type { FileSink, FileSource } from "../../../src/env/file.ts";
import { fileBytes } from "../../support/files.ts";
import { FilesWorld, type OneOfFriends } from "./files_world.ts";
import { settle } from "./world.ts";

const never = new Promise<never>(() => {});
const throws = (): never => {
  throw new Error("a fault of the app's");
};
const rejects = () => Promise.reject(new Error("a fault of the app's"));
const rejectsWithNothing = () => Promise.reject(undefined);
const good: FileSink = { write: async () => {}, close: async () => {}, abort: async () => {}, suspend: async () => {} };

describe("what an app does wrong with files ends that transfer, and nothing else", () => {
  let world: FilesWorld;
  let friend: OneOfFriends;
  beforeEach(async () => {
    world = await FilesWorld.start();
    friend = world.friend("A");
  });

  const receive = (sink: FileSink, size = 2000) => {
    friend.offer(0, { size: BigInt(size) });
    return world.offers[0]?.accept(sink);
  };

  it.each([
    ["throws", throws],
    ["rejects", rejects],
    ["rejects with nothing", rejectsWithNothing],
  ])("a sink %s at a write, or at the end", async (_what, fault) => {
    const writing = receive({ ...good, write: fault, abort: fault });
    friend.data(0, fileBytes(1371));
    expect(await writing?.done).toMatchObject({ state: "failed", reason: "write-failed" });
    expect(friend.controls().at(-1)).toMatchObject({ control: "kill" });
    friend.offer(1, { fileId: fileBytes(32, 1), size: 100n });
    const closing = world.offers[1]?.accept({ ...good, close: fault, abort: fault });
    friend.data(1, fileBytes(100));
    expect(await closing?.done).toMatchObject({ state: "failed", reason: "write-failed" });
    await settle();
    expect(world.logger.lines.filter(({ level }) => level === "warn").length).toBe(2); // that it could not be given up
  });

  it("a sink never ends: our person may give it up, and the instance be closed", async () => {
    const stuck = receive({ ...good, write: () => never, close: () => never, abort: () => never });
    friend.data(0, fileBytes(1371));
    await settle();
    stuck?.cancel();
    expect(await stuck?.done).toEqual({ state: "cancelled", by: "us" });
    friend.offer(1, { fileId: fileBytes(32, 1), size: 100n });
    const closing = world.offers[1]?.accept({ ...good, close: () => never, abort: () => never, suspend: () => never });
    friend.data(1, fileBytes(100));
    await settle();
    expect(closing?.state).toBe("active");
    await world.files.close();
    expect(await closing?.done).toEqual({ state: "closed" });
  });

  it.each([
    ["throws", throws],
    ["rejects", rejects],
    ["rejects with nothing", rejectsWithNothing],
  ])("a source %s", async (_what, fault) => {
    const source: FileSource = { name: "x", size: 100, read: fault, close: fault };
    const transfer = world.files.send(friend.handle, source, {});
    friend.control("accept", 0, true);
    expect(await transfer.done).toMatchObject({ state: "failed", reason: "read-failed" });
    await settle();
    expect(world.logger.lines.at(-1)).toMatchObject({ level: "warn", message: "a sent file could not be closed" });
  });

  it("a source never ends: our person may give it up, and the instance be closed", async () => {
    const source: FileSource = { name: "x", size: 100, read: () => never, close: () => never };
    const transfers = [1, 2].map(() => world.files.send(friend.handle, source, {}));
    friend.control("accept", 0, true);
    friend.control("accept", 1, true);
    transfers[0]?.cancel();
    expect(await transfers[0]?.done).toEqual({ state: "cancelled", by: "us" });
    await world.files.close();
    expect(await transfers[1]?.done).toEqual({ state: "closed" });
  });

  it.each([
    ["throws", throws],
    ["rejects", rejects],
    ["never ends", () => never],
  ])("a listener %s", async (_what, fault) => {
    world.files.events.on("fileOffer", fault);
    const transfer = receive(good, 1371 * 2);
    transfer?.on("progress", fault);
    transfer?.on("state", fault);
    friend.data(0, fileBytes(2 * 1371));
    expect(await transfer?.done).toEqual({ state: "done" });
  });
});
