import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells = "A receipt comes for each message, once, and not before the other has handled it";

export async function play(stage: Stage): Promise<void> {
  const { alice, bob, aliceSees } = await stage.twoFriends();
  const read = Promise.withResolvers<void>();
  bob.tox.on("message", ({ text }) => (text === "think about it" ? read.promise : undefined));

  const first = aliceSees.send("first");
  assert.equal(await stage.universe.wait(first.delivered, { timeout: stage.patience }), "delivered");
  const slow = aliceSees.send("think about it");
  const behind = aliceSees.send("and then?");
  await stage.hears(bob, "message", ({ text }) => text === "and then?");
  await stage.pass(10_000);
  assert.deepEqual([slow.state, behind.state], ["sent", "sent"]);
  read.resolve();
  assert.equal(await stage.universe.wait(behind.delivered, { timeout: stage.patience }), "delivered");
  assert.equal(slow.state, "delivered");

  bob.host.goOffline();
  await stage.hears(alice, "friendConnection", ({ state }) => state === "none");
  const waiting = aliceSees.send("for when you are back");
  await stage.pass(30_000);
  assert.equal(waiting.state, "queued");
  bob.host.goOnline();
  assert.equal(await stage.universe.wait(waiting.delivered, { timeout: stage.patience }), "delivered");

  const receipts = alice.heard.all("delivered").map(({ message }) => message);
  assert.deepEqual(receipts, [first, slow, behind, waiting]);
  assert.deepEqual(
    bob.heard.all("message").map(({ text }) => text),
    ["first", "think about it", "for when you are back"],
  );
}
