import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeInterop } from "../toxcore.ts";
import { type Ours, type Pair, startPair, TOXCORE_PATIENCE_MS } from "../two_sides.ts";

const LONGEST = 1373;
const LOSSLESS_IDS = range(160, 191);
const LOSSY_IDS = range(200, 254);
/** For calls: toxcore sends them as an app's packets, and shows them to nobody. */
const CALL_IDS = range(192, 199);
/** A lossy packet that does not arrive for so long is sent again. */
const LOST_AFTER_MS = 2_000;

describeInterop("custom packets with libtoxcore", () => {
  let pair: Pair;

  beforeAll(async () => {
    pair = await startPair();
  });
  afterAll(() => pair?.[Symbol.asyncDispose]());

  describe("lossless_packet", () => {
    const packets = LOSSLESS_IDS.flatMap((id) => [packet(id, 1), packet(id, LONGEST)]);

    it("of every id, the shortest and the longest, arrive in order at theirs", async () => {
      const { theirs, friend } = pair;
      for (const bytes of packets) friend.sendPacket(bytes);
      const seen = await theirs.waitForMany("lossless", packets.length, undefined, TOXCORE_PATIENCE_MS);
      expect(seen.map(({ hex }) => hex)).toEqual(packets.map(hexOf));
    });

    it("of every id, the shortest and the longest, arrive in order at ours", async () => {
      const { ours, theirs } = pair;
      for (const bytes of packets) await theirs.sendLossless(ours.tox.publicKey, bytes);
      for (const bytes of packets) expect((await heardPacket(ours)).hex).toBe(hexOf(bytes));
    });

    it("that cannot be are refused on both sides", async () => {
      const { ours, theirs, friend } = pair;
      const send = (bytes: Uint8Array) => () => friend.sendPacket(bytes);
      expect(send(packet(160, LONGEST + 1))).toThrow(expect.objectContaining({ code: "packet-too-long" }));
      expect(send(packet(159, 2))).toThrow(expect.objectContaining({ code: "packet-id-reserved" }));
      expect(send(new Uint8Array(0))).toThrow(expect.objectContaining({ code: "invalid-argument" }));
      const refused = (bytes: Uint8Array) => theirs.sendLossless(ours.tox.publicKey, bytes);
      await expect(refused(packet(160, LONGEST + 1))).rejects.toMatchObject(customPacketError("TOO_LONG"));
      await expect(refused(packet(159, 2))).rejects.toMatchObject(customPacketError("INVALID"));
      await expect(refused(new Uint8Array(0))).rejects.toMatchObject(customPacketError("EMPTY"));
    });
  });

  describe("lossy_packet", () => {
    const packets = LOSSY_IDS.flatMap((id) => [packet(id, 1), packet(id, LONGEST)]);

    it("of every id, the shortest and the longest, arrive at theirs", async () => {
      const { theirs, friend } = pair;
      for (const bytes of packets) {
        await untilArrived(
          () => friend.sendPacket(bytes),
          () => theirs.waitFor("lossy", { hex: bytes }, LOST_AFTER_MS),
        );
      }
    });

    it("of every id, the shortest and the longest, arrive at ours", async () => {
      const { ours, theirs } = pair;
      for (const bytes of packets) {
        await untilArrived(
          () => theirs.sendLossy(ours.tox.publicKey, bytes),
          () => heardPacket(ours, bytes, LOST_AFTER_MS),
        );
      }
    });

    it("that belong to calls are no app's packets", async () => {
      const { ours, theirs, friend } = pair;
      for (const id of CALL_IDS) {
        const send = () => friend.sendPacket(packet(id, 2));
        expect(send).toThrow(expect.objectContaining({ code: "packet-id-reserved" }));
        await theirs.sendLossy(ours.tox.publicKey, packet(id, 2));
      }
      await untilArrived(
        () => theirs.sendLossy(ours.tox.publicKey, packet(254, 3)),
        () => heardPacket(ours, packet(254, 3), LOST_AFTER_MS),
      );
      expect(ours.heard.all("packet").filter(({ bytes }) => (bytes[0] ?? 0) < 200)).toEqual([]);
    });

    it("that cannot be are refused on both sides", async () => {
      const { ours, theirs, friend } = pair;
      const send = (bytes: Uint8Array) => () => friend.sendPacket(bytes);
      expect(send(packet(200, LONGEST + 1))).toThrow(expect.objectContaining({ code: "packet-too-long" }));
      expect(send(packet(255, 2))).toThrow(expect.objectContaining({ code: "packet-id-reserved" }));
      const refused = (bytes: Uint8Array) => theirs.sendLossy(ours.tox.publicKey, bytes);
      await expect(refused(packet(200, LONGEST + 1))).rejects.toMatchObject(customPacketError("TOO_LONG"));
      await expect(refused(packet(255, 2))).rejects.toMatchObject(customPacketError("INVALID"));
      await expect(refused(new Uint8Array(0))).rejects.toMatchObject(customPacketError("EMPTY"));
    });
  });

  it("does not show them what our extension says", () => {
    expect(pair.theirs.drain("lossless")).toEqual([]);
  });
});

/** An id and then bytes that differ from one id to the next. */
function packet(id: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at === 0 ? id : (id * 7 + at) & 0xff));
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex").toUpperCase();
}

function customPacketError(name: string): { code: string } {
  return { code: `TOX_ERR_FRIEND_CUSTOM_PACKET_${name}` };
}

async function heardPacket(ours: Ours, wanted?: Uint8Array, timeoutMs?: number): Promise<{ hex: string }> {
  const { bytes } = await ours.heard.waitFor(
    "packet",
    (event) => wanted === undefined || hexOf(event.bytes) === hexOf(wanted),
    timeoutMs,
  );
  return { hex: hexOf(bytes) };
}

/** A lossy packet may get lost, most of all on a busy machine: it is sent again, not for ever. */
async function untilArrived(send: () => void | Promise<void>, arrival: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await send();
    try {
      await arrival();
      return;
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
}
