import assert from "node:assert/strict";
import { fileBytes } from "../../../support/files.ts";
import type { Stage } from "../stage.ts";

export const tells =
  "A friend's avatar is fetched once, again when it changes, and forgotten when there is none any more";

export async function play(stage: Stage): Promise<void> {
  const { alice, bob, aliceSees, bobSees } = await stage.twoFriends();
  const images = [fileBytes(20_000, "first"), fileBytes(65_536, "second")];
  for (const image of images) {
    await alice.tox.setAvatar(image);
    const { friend, avatar } = await stage.hears(bob, "friendAvatar");
    assert.equal(friend, bobSees);
    assert.deepEqual(avatar?.bytes, image);
    assert.equal(avatar.hash, alice.tox.avatar?.hash);
    assert.deepEqual((await bob.tox.avatarOf(bobSees))?.bytes, image);
  }
  bob.host.goOffline();
  await stage.until("Bob to be missed", () => aliceSees.connection === "none");
  bob.host.goOnline();
  await stage.until("Bob to be back", () => aliceSees.connection !== "none" && bobSees.connection !== "none");
  await stage.pass(20_000);
  assert.deepEqual(bob.heard.all("friendAvatar"), []);

  await stage.refuses("invalid-argument", () => alice.tox.setAvatar(new Uint8Array(65_537)));
  await alice.tox.setAvatar(undefined);
  assert.equal((await stage.hears(bob, "friendAvatar")).avatar, undefined);
  assert.equal(await bob.tox.avatarOf(bobSees), undefined);
}
