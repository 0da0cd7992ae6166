import assert from "node:assert/strict";
import { bytesSource } from "../../../../src/core.ts";
import { fileBytes, offersTo, outcomeOf, TestSink } from "../../../support/files.ts";
import type { Stage } from "../stage.ts";

export const tells =
  "A file of a mebibyte arrives whole, with its name and id; so do an empty one and one of unknown size";

const MEBIBYTE = 1024 * 1024;

export async function play(stage: Stage): Promise<void> {
  const { bob, aliceSees } = await stage.twoFriends();
  const offers = offersTo(bob);
  const sizes = [MEBIBYTE, 0, 1, 1371, 2 * 1371, 5000];
  for (const [at, size] of sizes.entries()) {
    const fileId = fileBytes(32, `id ${size}`);
    const bytes = fileBytes(size, size);
    const known = bytesSource(bytes, `Gentoo ${size}.exe`);
    for (const source of [known, { ...known, size: undefined }]) {
      const transfer = aliceSees.sendFile(source, { fileId, kind: at === 1 ? "sticker" : "data" });
      assert.equal(transfer.state, "offered");
      await stage.until("the offer", () => offers.length > 0);
      const offer = offers.shift();
      assert.ok(offer);
      assert.equal(offer.size, source.size);
      assert.equal(offer.name, `Gentoo ${size}.exe`);
      assert.equal(offer.fileId, transfer.fileId);
      assert.equal(offer.kind, at === 1 ? "sticker" : "data");
      const sink = new TestSink();
      const receipt = offer.accept(sink);
      const ends = [outcomeOf(transfer), outcomeOf(receipt)];
      await stage.until("the end of it", () => ends.every(({ value }) => value !== undefined));
      for (const { value } of ends) assert.deepEqual(value, { state: "done" });
      assert.deepEqual(sink.bytes, bytes);
      assert.equal(sink.ended, "closed");
      assert.equal(receipt.bytes, size);
      assert.equal(receipt.size, size);
      assert.equal(transfer.bytes, size);
    }
  }
  assert.equal(bob.tox.fileTransfers.length, 0);
}
