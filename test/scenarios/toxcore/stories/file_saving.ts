import assert from "node:assert/strict";
import { bytesSource, type FilePort, memoryStore } from "../../../../src/core.ts";
import { fileBytes, offersTo, outcomeOf, TestSink } from "../../../support/files.ts";
import { nodeOf } from "../../../support/people.ts";
import type { Stage } from "../stage.ts";

export const tells =
  "A file that is cut at half goes on where it was, after a lost network and after a restart of either side";

const SIZE = 1_500_000;

export async function play(stage: Stage): Promise<void> {
  await stage.crowd(2);
  const bytes = fileBytes(SIZE);
  const fileId = fileBytes(32, "id");
  let read = 0;
  const plain = bytesSource(bytes, "film.mkv");
  const source = {
    ...plain,
    location: "/film.mkv",
    version: "1",
    read: async (at: number, length: number) => {
      const piece = await plain.read(at, length);
      read += piece.length;
      return piece;
    },
  };
  let disk = new Uint8Array(0);
  class DiskSink extends TestSink {
    readonly location = "/downloads/film.mkv";
    override async write(offset: number, piece: Uint8Array) {
      await super.write(offset, piece);
      disk = this.bytes.slice();
    }
  }
  const files: FilePort = { source: async () => source, sink: async () => new DiskSink(disk) };
  const keys = { alice: fileBytes(32, "alice"), bob: fileBytes(32, "bob") };
  const stores = { alice: memoryStore(), bob: memoryStore() };
  const uplink = { bandwidth: 200_000, queue: 20_000 };
  const env = () => ({ files });
  let alice = await stage.person("Alice", { secretKey: keys.alice, store: stores.alice, env, host: { uplink } });
  let bob = await stage.person("Bob", { secretKey: keys.bob, store: stores.bob, env });
  const [aliceSees] = await stage.befriend(alice, bob);
  const offers = offersTo(bob);
  aliceSees.sendFile(source, { fileId });
  await stage.until("the offer", () => offers.length > 0);
  offers.shift()?.accept(new DiskSink());

  await stage.until("a quarter", () => disk.length > SIZE / 4);
  bob.host.goOffline();
  await stage.until("Bob to be missed", () => alice.tox.fileTransfers[0]?.state === "interrupted");
  await stage.until("Alice to be missed", () => bob.tox.fileTransfers[0]?.state === "interrupted");
  bob.host.goOnline();
  await stage.until("it to go on", () => bob.tox.fileTransfers[0]?.state === "active");

  await stage.until("half of it", () => disk.length > SIZE / 2);
  await stage.universe.wait(alice.tox.close());
  alice = await stage.restart(alice.host, "Alice", { secretKey: keys.alice, store: stores.alice, env });
  const goesOn = await stage.hears(alice, "fileResumed");
  assert.equal(goesOn.transfer.direction, "send");

  await stage.until("three quarters", () => disk.length > (3 * SIZE) / 4);
  bob.host.crash();
  const [way] = stage.people;
  assert.ok(way);
  bob = await stage.restart(bob.host, "Bob", { secretKey: keys.bob, store: stores.bob, env, bootstrap: [nodeOf(way)] });
  const { transfer } = await stage.hears(bob, "fileResumed");
  assert.equal(transfer.direction, "receive");
  const end = outcomeOf(transfer);
  await stage.until("the end", () => end.value !== undefined);
  assert.deepEqual(end.value, { state: "done" });
  assert.deepEqual(disk, bytes);
  await stage.until("Alice to hear so", () => alice.tox.fileTransfers.length === 0);
  await stage.pass(5_000);
  assert.equal(offers.length, 0);
  assert.ok(read < 4 * SIZE, `${read} bytes were read`); // what is read ahead of a lost session is read again
}
