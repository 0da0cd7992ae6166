import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../src/env/memory_store.ts";
import type { Store } from "../../../src/env/store.ts";
import { World } from "./world.ts";

/** Longer than any pause between two attempts. */
const LONG = 600_000;

/** A disk that may be full; what lies on it is in `inner`. */
class FullDisk {
  readonly inner = memoryStore();
  isFull = false;
  attempts = 0;

  readonly store: Store = {
    read: (name) => this.inner.read(name),
    readJournal: () => this.inner.readJournal(),
    write: (name, bytes) => this.#onto(() => this.inner.write(name, bytes)),
    append: (entry) => this.#onto(() => this.inner.append(entry)),
    rewriteJournal: (entries) => this.#onto(() => this.inner.rewriteJournal(entries)),
    close: async () => {},
  };

  async #onto(write: () => Promise<void>): Promise<void> {
    if (!this.isFull) return await write();
    this.attempts++;
    throw new Error("disk full");
  }
}

describe("a store that is full for a while", () => {
  it("does not bring a conversation to a standstill", async () => {
    const world = new World();
    const disk = new FullDisk();
    const [a, b] = [await world.person("a"), await world.person("b", disk.store)];
    const [toB] = await world.befriend(a, b);
    const texts: string[] = [];
    b.friends.on("message", ({ text }) => void texts.push(text));
    disk.isFull = true;
    const sent = Array.from({ length: 1500 }, (_, i) => toB.send(`${i}`));
    await world.run(LONG);
    expect(sent.filter(({ state }) => state === "delivered")).toEqual([]); // killed now, he would not know them
    expect(disk.attempts).toBeLessThan(1024 + 20);
    disk.isFull = false;
    await world.run(LONG);
    expect(texts).toEqual(sent.map(({ text }) => text));
    expect(toB.queued).toBe(0);
  });

  it("is not asked for sessions to go on", async () => {
    const world = new World();
    const disk = new FullDisk();
    const [a, b] = [await world.person("a"), await world.person("b", disk.store)];
    const [toB] = await world.befriend(a, b);
    const texts: string[] = [];
    b.friends.on("message", ({ text }) => void texts.push(text));
    disk.isFull = true;
    toB.send("1");
    await world.run(1000);
    world.breakAll();
    await world.run(1000);
    expect([texts, toB.queued]).toEqual([["1"], 1]);
    disk.isFull = false;
    await world.run(LONG);
    expect([texts, toB.queued]).toEqual([["1"], 0]);
  });

  it.each(["later", "when it is closed"])("has what waits once there is room, %s", async (when) => {
    const world = new World();
    const disk = new FullDisk();
    const a = await world.person("a", disk.store);
    const toB = a.friends.addWithoutRequest(world.keys("b").publicKey);
    toB.send("before");
    const taken = toB.send("taken back");
    await world.run(0);
    disk.isFull = true;
    const message = toB.send("meanwhile");
    taken.cancel();
    await expect(message.stored).rejects.toThrow("disk full");
    await world.run(LONG);
    disk.isFull = false;
    if (when === "later") await world.run(LONG);
    await world.stop(a, when === "later" ? "crash" : "close");
    const again = await world.person("a", disk.inner);
    const pending = again.friends.addWithoutRequest(world.keys("b").publicKey).outbox();
    expect(pending.map(({ text }) => text)).toEqual(["before", "meanwhile"]);
  });

  it("has the block list once there is room", async () => {
    const world = new World();
    const disk = new FullDisk();
    const a = await world.person("a", disk.store);
    disk.isFull = true;
    a.friends.block(world.keys("b").publicKey, true);
    await world.run(LONG);
    expect(disk.attempts).toBeLessThan(20);
    disk.isFull = false;
    await world.run(LONG);
    await world.stop(a, "crash");
    expect((await world.person("a", disk.inner)).friends.blocked()).toEqual([world.keys("b").publicKey]);
  });
});
