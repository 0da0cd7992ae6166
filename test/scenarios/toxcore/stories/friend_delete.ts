import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells = "Who is deleted sees the other go offline, and is heard again only when he is added again";

export async function play(stage: Stage): Promise<void> {
  const { alice, bob, aliceSees, bobSees } = await stage.twoFriends();
  aliceSees.remove();
  assert.equal(alice.tox.friend(bob.tox.publicKey), undefined);
  assert.deepEqual(alice.tox.friends, []);
  await stage.refuses("unknown-friend", () => aliceSees.send("are you still there?"));
  await stage.hears(bob, "friendConnection", ({ state }) => state === "none");

  const waiting = bobSees.send("what have I done?");
  await stage.pass(120_000);
  assert.equal(bobSees.connection, "none");
  assert.equal(waiting.state, "queued");
  assert.deepEqual(alice.heard.all("message"), []);

  const again = await alice.tox.addFriendWithoutRequest(bob.tox.publicKey);
  await stage.hears(alice, "message", ({ friend, text }) => friend === again && text === "what have I done?");
  assert.equal(await stage.universe.wait(waiting.delivered, { timeout: stage.patience }), "delivered");
}
