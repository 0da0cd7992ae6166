import { beforeEach, describe, expect, it } from "vitest";
import { nobleProvider } from "../../../src/crypto/noble.ts";
import { bytesSource } from "../../../src/files/memory.ts";
import { Capability } from "../../../src/wire/friend/extension.ts";
import { decodeFileHash, encodeFileHash } from "../../../src/wire/friend/file_hash.ts";
import { fileBytes, TestSink } from "../../support/files.ts";
import { OneFriend, settle } from "./world.ts";

const FULL = 1371;
const SIZE = 3000;
const BYTES = fileBytes(SIZE);

function hashOf(bytes: Uint8Array): Uint8Array {
  const hash = new Uint8Array(32);
  nobleProvider.sha256(hash, bytes);
  return hash;
}

describe("a file between two of ours", () => {
  let one: OneFriend;
  beforeEach(() => {
    one = new OneFriend();
    one.capabilities = Capability.FileHash;
    one.down();
    one.up();
  });

  const saidHash = () => one.said.map((packet) => decodeFileHash(packet, () => undefined)).find(Boolean)?.hash;

  const receive = (sink: TestSink, from = 0) => {
    one.request(0, { size: BigInt(SIZE), id: 1 });
    const transfer = one.offers.at(-1);
    transfer?.accept(sink, from);
    for (let at = from; at < SIZE; at += FULL) one.data(0, BYTES.subarray(at, at + FULL));
    return transfer;
  };

  const tellHash = (hash: Uint8Array) => {
    const fileId = new Uint8Array(32);
    fileId[0] = 1;
    one.files.handleHash(encodeFileHash({ fileId, hash }));
  };

  it.each([0, 1500])("is followed by the hash of all of it, sent from %i on", async (from) => {
    const facts = { friend: one.friend, fileId: fileBytes(32), kind: 0, name: "x", size: SIZE };
    one.files.send(bytesSource(BYTES, "x"), facts);
    if (from > 0) one.control("seek", 0, true, BigInt(from));
    one.control("accept", 0, true);
    await settle();
    while (one.pull() !== undefined);
    await settle();
    expect(saidHash()).toEqual(hashOf(BYTES));
  });

  it("has no hash for a peer who would not know what it is", async () => {
    one.capabilities = 0;
    one.down();
    one.up();
    one.files.send(bytesSource(BYTES, "x"), {
      friend: one.friend,
      fileId: fileBytes(32),
      kind: 0,
      name: "x",
      size: SIZE,
    });
    one.control("accept", 0, true);
    await settle();
    while (one.pull() !== undefined);
    await settle();
    expect(saidHash()).toBeUndefined();
    const sink = new TestSink();
    expect(await receive(sink)?.done).toEqual({ state: "done" });
  });

  it("is whole once its hash has come", async () => {
    const sink = new TestSink();
    const transfer = receive(sink);
    await settle();
    expect([transfer?.state, sink.ended]).toEqual(["active", undefined]);
    tellHash(hashOf(BYTES));
    expect(await transfer?.done).toEqual({ state: "done" });
  });

  it("is no file when its hash is another", async () => {
    const sink = new TestSink();
    const transfer = receive(sink);
    tellHash(hashOf(BYTES.subarray(1)));
    expect(await transfer?.done).toMatchObject({ state: "failed", reason: "hash-mismatch" });
    await settle();
    expect(sink.ended).toBe("aborted");
  });

  it("is compared with what was there before, where the sink can be read", async () => {
    class ReadableSink extends TestSink {
      async read(offset: number, length: number): Promise<Uint8Array> {
        return this.bytes.subarray(offset, offset + length);
      }
    }
    const good = receive(new ReadableSink(BYTES.subarray(0, 1500)), 1500);
    tellHash(hashOf(BYTES));
    expect(await good?.done).toEqual({ state: "done" });
    const spoilt = receive(new ReadableSink(BYTES.slice(0, 1500).fill(7, 3, 4)), 1500);
    tellHash(hashOf(BYTES));
    expect(await spoilt?.done).toMatchObject({ reason: "hash-mismatch" });
  });

  it("does without the hash when the session goes, or it does not come", async () => {
    const cut = receive(new TestSink());
    await settle();
    one.down();
    expect(await cut?.done).toEqual({ state: "done" });
    one.up();
    one.request(1, { size: 0n, id: 77 });
    const transfer = one.offers.at(-1);
    transfer?.accept(new TestSink(), 0);
    one.data(1, new Uint8Array(0));
    await settle();
    expect(transfer?.state).toBe("active");
    one.pass(61_000);
    await settle();
    expect(transfer?.state).toBe("done");
  });
});
