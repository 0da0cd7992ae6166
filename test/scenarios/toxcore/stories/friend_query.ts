import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells = "Everything that is to be known of a friend can be asked, before, while and after he is there";

export async function play(stage: Stage): Promise<void> {
  await stage.crowd(2);
  const alice = await stage.person("Alice");
  const bob = await stage.person("Bob", { name: "Böb", statusMessage: "on the road", status: "away" });

  const friend = await alice.tox.addFriendWithoutRequest(bob.tox.publicKey);
  assert.deepEqual(alice.tox.friends, [friend]);
  assert.equal(alice.tox.friend(bob.tox.publicKey), friend);
  assert.equal(alice.tox.friend(bob.tox.publicKey.toLowerCase()), friend);
  assert.equal(friend.publicKey, bob.tox.publicKey);
  assert.deepEqual(
    [friend.name, friend.statusMessage, friend.status, friend.typing, friend.connection, friend.lastOnline],
    ["", "", "none", false, "none", undefined],
  );
  assert.equal(alice.tox.friend("0".repeat(64)), undefined);
  await stage.refuses("invalid-argument", () => alice.tox.friend("not a key"));

  const back = await bob.tox.addFriendWithoutRequest(alice.tox.publicKey);
  await stage.everybodyOnline([friend, back]);
  await stage.until("Alice to know him", () => friend.statusMessage !== "" && friend.status !== "none");
  back.setTyping(true);
  await stage.hears(alice, "typing", ({ on }) => on);
  assert.deepEqual([friend.name, friend.statusMessage, friend.status], ["Böb", "on the road", "away"]);
  assert.equal(friend.typing, true);
  assert.equal(friend.lastOnline, alice.host.edges.clock.wall());

  const leftAt = alice.host.edges.clock.wall();
  await stage.universe.wait(bob.tox.close());
  await stage.hears(alice, "friendConnection", ({ state }) => state === "none");
  await stage.pass(60_000);
  assert.deepEqual([friend.name, friend.statusMessage], ["Böb", "on the road"]);
  assert.deepEqual([friend.typing, friend.connection], [false, "none"]);
  assert.ok(friend.lastOnline !== undefined && friend.lastOnline >= leftAt, "when he was last seen");
  assert.ok(friend.lastOnline < alice.host.edges.clock.wall(), "and that is a while ago");
}
