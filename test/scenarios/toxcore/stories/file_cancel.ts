import assert from "node:assert/strict";
import { bytesSource } from "../../../../src/core.ts";
import { fileBytes, offersTo, outcomeOf, TestSink } from "../../../support/files.ts";
import type { Stage } from "../stage.ts";

export const tells = "Either side gives a file up, before it is accepted and after, and the other hears of it";

export async function play(stage: Stage): Promise<void> {
  const { bob, aliceSees } = await stage.twoFriends();
  const offers = offersTo(bob);
  const bytes = fileBytes(2_000_000);
  for (const accepted of [false, true]) {
    for (const by of ["sender", "receiver"] as const) {
      const transfer = aliceSees.sendFile(bytesSource(bytes, "x"));
      await stage.until("the offer", () => offers.length > 0);
      const offer = offers.shift();
      assert.ok(offer);
      const sink = new TestSink();
      if (accepted) {
        offer.accept(sink);
        await stage.until("a piece of it", () => sink.bytes.length > 0);
      }
      const ends = { sender: outcomeOf(transfer), receiver: outcomeOf(offer.transfer) };
      if (by === "sender") transfer.cancel();
      else if (accepted) offer.transfer.cancel();
      else offer.reject();
      await stage.until("the end", () => ends.sender.value !== undefined && ends.receiver.value !== undefined);
      assert.deepEqual(ends.sender.value, { state: "cancelled", by: by === "sender" ? "us" : "them" });
      assert.deepEqual(ends.receiver.value, { state: "cancelled", by: by === "receiver" ? "us" : "them" });
      await stage.pass(1000);
      assert.equal(sink.ended, accepted ? "aborted" : undefined);
      assert.ok(sink.bytes.length < bytes.length);
    }
  }
}
