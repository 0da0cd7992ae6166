import assert from "node:assert/strict";
import { bytesSource } from "../../../../src/core.ts";
import { fileBytes, offersTo, outcomeOf, TestSink } from "../../../support/files.ts";
import type { Stage } from "../stage.ts";

export const tells = "Who has the first half of a file asks for the rest of it, and pauses on the way";

const MEBIBYTE = 1024 * 1024;
const HALF = 512 * 1024;

export async function play(stage: Stage): Promise<void> {
  const { bob, aliceSees } = await stage.twoFriends();
  const offers = offersTo(bob);
  const bytes = fileBytes(MEBIBYTE);
  for (const offset of [HALF, 0, MEBIBYTE - 1, MEBIBYTE]) {
    const transfer = aliceSees.sendFile(bytesSource(bytes, "x"));
    await stage.until("the offer", () => offers.length > 0);
    const offer = offers.shift();
    assert.ok(offer);
    const sink = new TestSink(bytes.subarray(0, offset));
    await stage.refuses("invalid-argument", () => offer.accept(sink, { offset: MEBIBYTE + 1 }));
    await stage.refuses("invalid-argument", () => offer.accept(sink, { offset: -1 }));
    const receipt = offer.accept(sink, { offset });
    if (offset <= HALF) {
      receipt.pause();
      await stage.until("the pause", () => transfer.state === "paused");
      assert.equal(transfer.pausedBy, "them");
      receipt.resume();
    }
    const ends = [outcomeOf(transfer), outcomeOf(receipt)];
    await stage.until("the end of it", () => ends.every(({ value }) => value !== undefined));
    for (const { value } of ends) assert.deepEqual(value, { state: "done" });
    assert.deepEqual(sink.bytes, bytes);
    const written = sink.writes.reduce((sum, { length }) => sum + length, 0);
    assert.equal(written, offset === MEBIBYTE ? 1 : MEBIBYTE - offset);
  }
}
