import { beforeEach, describe, expect, it } from "vitest";
import { ToxError } from "../../../src/core.ts";
import { bytesSource } from "../../../src/files/memory.ts";
import { fileBytes, TestSink } from "../../support/files.ts";
import { OneFriend, settle } from "./world.ts";

const FULL = 1371;
const kind = 0;

describe("files with one friend", () => {
  let one: OneFriend;
  beforeEach(() => {
    one = new OneFriend();
  });

  const send = (id: number, size: number, source = bytesSource(fileBytes(size, id), "x")) =>
    one.files.send(source, { friend: one.friend, fileId: fileBytes(32, id), kind, name: "x", size: source.size });

  it("that go out share the session, packet by packet", async () => {
    const transfers = [send(1, 50_000), send(2, 50_000), send(3, 50_000)];
    for (const { slot } of transfers) one.control("accept", slot ?? 0, true);
    await settle();
    const slots = Array.from({ length: 30 }, () => one.pull()?.[1]);
    for (const { slot } of transfers) expect(slots.filter((one) => one === slot).length).toBe(10);
  });

  it("ask the session for nothing while they are paused or over", async () => {
    const transfer = send(1, 50_000);
    expect(one.asks).toBe(false);
    one.control("accept", 0, true);
    expect(one.asks).toBe(true);
    one.control("pause", 0, true);
    expect([one.asks, transfer.pausedBy]).toEqual([false, "them"]);
    transfer.pause();
    one.control("accept", 0, true);
    expect([one.asks, transfer.pausedBy]).toEqual([false, "us"]);
    transfer.resume();
    expect(one.asks).toBe(true);
    transfer.cancel();
    expect(one.asks).toBe(false);
    expect(one.controls().map(({ control }) => control)).toEqual(["pause", "accept", "kill"]);
  });

  it("are at most 256 to a friend", () => {
    for (let id = 0; id < 256; id++) send(id, 10);
    expect(() => send(256, 10)).toThrow(expect.objectContaining({ code: "queue-full" }));
    expect(() => send(256, 10)).toThrow(ToxError);
  });

  it.each([0, FULL, 2 * FULL])("of %i bytes end as toxcore ends them", async (size) => {
    const pieces = async (known: boolean) => {
      const source = { ...bytesSource(fileBytes(size), "x"), ...(known ? {} : { size: undefined }) };
      const transfer = send(known ? 1 : 2, size, source as ReturnType<typeof bytesSource>);
      one.control("accept", transfer.slot ?? 0, true);
      await settle();
      const sizes: number[] = [];
      for (let packet = one.pull(); packet !== undefined; packet = one.pull()) sizes.push(packet.length - 2);
      return sizes;
    };
    const full = new Array<number>(size / FULL).fill(FULL);
    expect(await pieces(true)).toEqual(size === 0 ? [0] : full);
    expect(await pieces(false)).toEqual([...full, 0]);
  });

  it("fail where the source gives less than its size, or cannot be read", async () => {
    const short = { ...bytesSource(fileBytes(3000), "x"), size: 5000 };
    const transfer = send(1, 0, short);
    one.control("accept", 0, true);
    await settle();
    while (one.pull() !== undefined);
    expect(await transfer.done).toMatchObject({ state: "failed", reason: "source-changed" });
    const broken = { name: "x", size: 10, read: () => Promise.reject(new Error("bad block")) };
    const failing = send(2, 0, broken);
    one.control("accept", 1, true);
    expect(await failing.done).toMatchObject({ state: "failed", reason: "read-failed", message: /bad block/ });
  });

  it("fail with the disk's reason, and the sender is told", async () => {
    class FullSink extends TestSink {
      override write(): Promise<void> {
        return Promise.reject(Object.assign(new Error("no space left"), { code: "ENOSPC" }));
      }
    }
    one.request(0);
    const [transfer] = one.offers;
    transfer?.accept(new FullSink(), 0);
    one.data(0, new Uint8Array(FULL));
    expect(await transfer?.done).toMatchObject({ state: "failed", reason: "disk-full" });
    expect(one.controls().at(-1)).toMatchObject({ control: "kill", byReceiver: true });
  });

  it("go on after a lost session with every byte that came, written or not", async () => {
    one.request(3, { size: 10_000n, id: 9 });
    const sink = new TestSink();
    const [transfer] = one.offers;
    transfer?.accept(sink, 0);
    const bytes = fileBytes(10_000);
    one.data(3, bytes.subarray(0, FULL));
    one.data(3, bytes.subarray(FULL, 2 * FULL));
    one.down();
    expect(transfer?.state).toBe("interrupted");
    one.up();
    one.said.length = 0;
    one.request(8, { size: 10_000n, id: 9 });
    expect(one.offers.length).toBe(1);
    expect(one.controls()).toMatchObject([
      { control: "seek", slot: 8, position: BigInt(2 * FULL) },
      { control: "accept", slot: 8 },
    ]);
    for (let at = 2 * FULL; at < bytes.length; at += FULL) one.data(8, bytes.subarray(at, at + FULL));
    await settle();
    expect(await transfer?.done).toEqual({ state: "done" });
    expect(sink.bytes).toEqual(bytes);
  });

  it("that came whole are not offered again to the app when the sender had not heard it", async () => {
    one.request(0, { size: 100n, id: 4 });
    one.offers[0]?.accept(new TestSink(), 0);
    one.data(0, new Uint8Array(100));
    await settle();
    one.down();
    one.up();
    one.said.length = 0;
    one.request(0, { size: 100n, id: 4 });
    expect(one.offers.length).toBe(1);
    expect(one.controls()).toMatchObject([{ control: "seek", position: 99n }, { control: "accept" }]);
    one.data(0, new Uint8Array(1));
    await settle();
    one.request(0, { size: 100n, id: 4 }); // meant so this time
    expect(one.offers.length).toBe(2);
  });

  it("from a stream end with the session", async () => {
    const stream = { ...bytesSource(fileBytes(9000), "x"), canSeek: false };
    const transfer = send(1, 0, stream);
    one.control("accept", 0, true);
    one.down();
    expect(await transfer.done).toMatchObject({ state: "failed", reason: "cannot-resume" });
  });
});
