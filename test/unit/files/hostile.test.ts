import { beforeEach, describe, expect, it } from "vitest";
import { bytesSource } from "../../../src/files/memory.ts";
import { fileBytes, TestSink } from "../../support/files.ts";
import { OneFriend, settle } from "./world.ts";

const FULL = 1371;
const kind = 0;

describe("a friend who means harm with files", () => {
  let one: OneFriend;
  beforeEach(() => {
    one = new OneFriend();
  });

  const send = (bytes: Uint8Array) => {
    const facts = { friend: one.friend, fileId: fileBytes(32), kind, name: "x", size: bytes.length };
    return one.files.send(bytesSource(bytes, "x"), facts);
  };

  it("has 256 offers at once and no more, and is slowed down in renewing them", () => {
    for (let slot = 0; slot < 256; slot++) one.request(slot);
    expect(one.offers.length).toBe(256);
    one.request(7, { id: 1000 });
    expect(one.drops).toEqual(["replayed"]);
    for (let slot = 0; slot < 256; slot++) one.control("kill", slot, false);
    for (let slot = 0; slot < 256; slot++) one.request(slot, { id: 2000 + slot });
    expect(one.offers.length).toBe(256);
    expect(one.controls().length).toBe(256); // each is refused
  });

  it("does not fill the table with offers of sessions that ended", () => {
    for (let session = 0; session < 5; session++) {
      for (let slot = 0; slot < 256; slot++) one.request(slot, { id: session * 256 + slot });
      one.down();
      one.pass(60_000);
      one.up();
    }
    expect([...one.files.incoming].length).toBe(256);
  });

  it("is not listened to about a file larger than any disk", () => {
    one.request(0, { size: 2n ** 60n });
    expect(one.offers).toEqual([]);
    expect(one.controls()).toEqual([{ byReceiver: true, slot: 0, control: "kill", position: 0n }]);
  });

  it("offers the same file twice in vain", () => {
    one.request(0, { id: 5 });
    one.request(1, { id: 5 });
    expect(one.offers.length).toBe(1);
    expect(one.controls()).toMatchObject([{ slot: 1, control: "kill" }]);
  });

  it("sends no data before it is wanted, or where nothing is", () => {
    one.request(0);
    one.data(0, new Uint8Array(FULL));
    one.data(9, new Uint8Array(FULL));
    expect(one.drops).toEqual(["unsolicited", "unsolicited"]);
  });

  it("who sends past the end is cut at the size that he promised", async () => {
    one.request(0, { size: 2000n });
    const sink = new TestSink();
    const [offer] = one.offers;
    offer?.accept(sink, 0);
    one.data(0, new Uint8Array(FULL).fill(1));
    one.data(0, new Uint8Array(FULL).fill(2));
    one.data(0, new Uint8Array(FULL).fill(3));
    await settle();
    expect(await offer?.done).toEqual({ state: "done" });
    expect(sink.bytes.length).toBe(2000);
    expect(one.drops).toEqual(["unsolicited"]);
  });

  it("who ends a file before its size has not sent it", async () => {
    one.request(0, { size: 20_000n });
    const sink = new TestSink();
    const [offer] = one.offers;
    offer?.accept(sink, 0);
    one.data(0, new Uint8Array(FULL));
    one.data(0, new Uint8Array(5));
    expect(await offer?.done).toMatchObject({ state: "failed", reason: "incomplete" });
    await settle();
    expect(sink.ended).toBe("aborted");
  });

  it("who pauses what has not begun, resumes what was not paused, or seeks as a sender is passed over", () => {
    const transfer = send(fileBytes(5000));
    one.control("pause", 0, true);
    expect(transfer.state).toBe("offered");
    one.request(0);
    one.control("pause", 0, false);
    one.control("accept", 0, false);
    one.control("seek", 0, false, 5n);
    expect(one.drops).toEqual(["unsolicited", "unsolicited", "unsolicited", "unsolicited"]);
    expect(one.offers[0]?.state).toBe("offered");
  });

  it("who seeks after accepting is passed over", async () => {
    const transfer = send(fileBytes(5000));
    one.control("accept", 0, true);
    one.control("seek", 0, true, 1000n);
    await settle();
    expect(one.drops).toEqual(["unsolicited"]);
    expect(one.pull()?.subarray(2)).toEqual(fileBytes(5000).subarray(0, FULL));
    expect(transfer.state).toBe("active");
  });

  it.each([5000n, 2n ** 64n - 1n])("who asks for what begins at %i of 5000 bytes gets nothing", async (position) => {
    const transfer = send(fileBytes(5000));
    one.control("seek", 0, true, position);
    expect(await transfer.done).toMatchObject({ state: "failed", reason: "bad-seek" });
    one.control("accept", 0, true);
    expect(one.asks).toBe(false);
  });

  it("is told that a transfer is dead, but never about a kill, and not without end", () => {
    one.control("pause", 3, true);
    one.control("pause", 4, false);
    one.control("kill", 5, true);
    one.control("kill", 6, false);
    expect(one.controls()).toEqual([
      { byReceiver: false, slot: 3, control: "kill", position: 0n },
      { byReceiver: true, slot: 4, control: "kill", position: 0n },
    ]);
    for (let i = 0; i < 10_000; i++) one.control("pause", 3, true);
    expect(one.controls().length).toBeLessThanOrEqual(64);
  });

  it("makes us keep no more than so many answers that the session does not take", () => {
    one.takes = false;
    for (let i = 0; i < 5000; i++) one.request(0, { size: 2n ** 60n });
    one.takes = true;
    one.files.writable();
    expect(one.said.length).toBe(2048);
  });

  it("has his disk's slowness kept from our memory", async () => {
    const disk = Promise.withResolvers<void>();
    class SlowSink extends TestSink {
      protected override delay() {
        return disk.promise;
      }
    }
    one.request(0, { size: 100_000_000n });
    const sink = new SlowSink();
    one.offers[0]?.accept(sink, 0);
    one.said.length = 0;
    let sent = 0;
    while (one.said.length === 0) {
      one.data(0, new Uint8Array(FULL));
      sent += FULL;
    }
    expect(sent).toBeLessThan(1_200_000);
    expect(one.controls()).toMatchObject([{ control: "pause", byReceiver: true }]);
    disk.resolve();
    await settle();
    expect(one.controls()).toMatchObject([{ control: "accept", byReceiver: true }]);
  });

  describe("who does not listen to a pause", () => {
    const never = new Promise<void>(() => {});
    class StuckSink extends TestSink {
      protected override delay() {
        return never;
      }
    }
    const MIB = 1024 * 1024;
    const piece = new Uint8Array(FULL);

    /** Accepts so many offers of endless files, whose sinks never take anything. */
    const stuck = (count: number) => {
      for (let slot = 0; slot < count; slot++) one.request(slot, { size: 2n ** 64n - 1n });
      for (const offer of one.offers) offer.accept(new StuckSink(), 0);
      one.said.length = 0;
      return one.offers;
    };
    const sendTo = (slot: number, bytes: number) => {
      for (let sent = 0; sent < bytes; sent += FULL) one.data(slot, piece);
    };

    it("fills as much memory as can be under way, and no more", async () => {
      const [transfer] = stuck(1);
      sendTo(0, 46 * MIB); // toxcore may send so much, having a large window
      expect(transfer?.state).toBe("active");
      expect(one.controls()).toMatchObject([{ control: "pause" }]);
      sendTo(0, 5 * MIB);
      expect(await transfer?.done).toMatchObject({ state: "failed", reason: "overrun" });
      expect(one.controls()).toMatchObject([{ control: "kill" }]);
      one.data(0, piece);
      expect(one.drops.at(-1)).toBe("unsolicited");
    });

    it("of our person's fills no more of the disk", async () => {
      one.request(0, { size: 2n ** 64n - 1n });
      const [transfer] = one.offers;
      transfer?.accept({ write: async () => {}, close: async () => {}, abort: async () => {} }, 0);
      transfer?.pause();
      for (let sent = 0; sent < 46 * MIB; sent += MIB) {
        sendTo(0, MIB);
        await settle();
      }
      expect(transfer?.state).toBe("paused");
      for (let sent = 0; sent < 3 * MIB; sent += MIB) sendTo(0, MIB);
      expect(await transfer?.done).toMatchObject({ state: "failed", reason: "overrun" });
    });

    it("fills no more with many files than with a few", async () => {
      const transfers = stuck(200);
      for (let slot = 0; slot < 63; slot++) sendTo(slot, MIB - FULL);
      expect(one.controls()).toEqual([]);
      for (let slot = 63; slot < 66; slot++) sendTo(slot, MIB - FULL);
      expect(one.controls().filter(({ control }) => control === "pause").length).toBe(200);
      for (let slot = 66; slot < 200; slot++) sendTo(slot, MIB - FULL);
      const failed = transfers.filter(({ state }) => state === "failed").length;
      expect([failed > 60, failed < 80]).toEqual([true, true]); // 128 MiB are held
      transfers[0]?.cancel();
      for (const transfer of transfers.slice(1, 100)) transfer.cancel();
      expect(one.controls().some(({ control }) => control === "accept")).toBe(true);
    });
  });

  it("says nothing and hears nothing by pausing and resuming on and on", () => {
    const transfer = send(fileBytes(5000));
    one.control("accept", 0, true);
    one.said.length = 0;
    for (let i = 0; i < 10_000; i++) one.control(i % 2 === 0 ? "pause" : "accept", 0, true);
    expect([one.said.length, transfer.state]).toEqual([0, "active"]);
    one.request(0);
    one.offers[0]?.accept(new TestSink(), 0);
    one.said.length = 0;
    for (let i = 0; i < 10_000; i++) one.control(i % 2 === 0 ? "pause" : "accept", 0, false);
    expect(one.said.length).toBe(0);
  });

  it("seeks on and on, and the last one before he accepts counts", async () => {
    const bytes = fileBytes(5000);
    send(bytes);
    for (let i = 0; i < 10_000; i++) one.control("seek", 0, true, BigInt(i % 5000));
    one.control("seek", 0, true, 4998n);
    one.control("accept", 0, true);
    await settle();
    expect(one.pull()?.subarray(2)).toEqual(bytes.subarray(4998));
  });

  it("who never sends leaves what was accepted as it is, until our person gives it up", async () => {
    one.request(0);
    const sink = new TestSink();
    const [offer] = one.offers;
    offer?.accept(sink, 0);
    one.pass(86_400_000);
    expect(offer?.state).toBe("active");
    offer?.cancel();
    await settle();
    expect(sink.ended).toBe("aborted");
  });

  it("who offers what has come already, without an end, is taken at his earlier word", async () => {
    one.request(0, { size: 100n });
    one.offers[0]?.accept(new TestSink(), 0);
    one.data(0, new Uint8Array(100));
    await settle();
    one.down();
    one.up();
    one.said.length = 0;
    one.request(0, { size: 2n ** 64n - 1n });
    expect(one.controls()).toMatchObject([{ control: "seek", position: 99n }, { control: "accept" }]);
    one.data(0, new Uint8Array(FULL));
    one.data(0, new Uint8Array(FULL));
    expect(one.drops).toEqual(["unsolicited"]);
  });

  it("who offers another size under the id of a file that is under way has not the rest of it written behind", async () => {
    one.request(0, { id: 5, size: 10_000n });
    const sink = new TestSink();
    const [transfer] = one.offers;
    transfer?.accept(sink, 0);
    one.data(0, new Uint8Array(FULL));
    await settle();
    one.down();
    one.up();
    one.request(0, { id: 5, size: 20_000n });
    expect(await transfer?.done).toEqual({ state: "cancelled", by: "them" });
    await settle();
    expect([sink.ended, one.offers.length, one.offers[1]?.state]).toEqual(["aborted", 2, "offered"]);
  });
});
