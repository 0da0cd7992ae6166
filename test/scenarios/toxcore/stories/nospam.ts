import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells = "A new nospam makes the ID given out before worthless to strangers, and friends stay friends";

export async function play(stage: Stage): Promise<void> {
  const { alice, bob, bobSees } = await stage.twoFriends();
  const oldId = bob.tox.id;
  bob.tox.nospam = 0x12345678;
  assert.equal(bob.tox.nospam, 0x12345678);
  assert.notEqual(bob.tox.id, oldId);
  assert.equal(bob.tox.id.slice(0, 64), oldId.slice(0, 64));

  const mallory = await stage.person("Mallory");
  await mallory.tox.addFriend(oldId, "with the old one");
  await stage.pass(60_000);
  assert.deepEqual(bob.heard.all("friendRequest"), []);

  const carol = await stage.person("Carol");
  const carolSees = await carol.tox.addFriend(bob.tox.id, "with the new one");
  const request = await stage.hears(bob, "friendRequest");
  assert.equal(request.message, "with the new one");
  await stage.everybodyOnline([carolSees, request.accept()]);

  bobSees.send("we are still friends");
  await stage.hears(alice, "message");
  await stage.refuses("invalid-argument", () => {
    bob.tox.nospam = 2 ** 32;
  });
}
