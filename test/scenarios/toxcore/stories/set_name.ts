import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells =
  "A name reaches the friends who are there at once and the others when they come, and may be empty or long";

const LONGEST = 128;

export async function play(stage: Stage): Promise<void> {
  const { alice, bob, bobSees } = await stage.twoFriends();
  await stage.until("the first name", () => bobSees.name === "Alice");
  for (const name of ["n".repeat(LONGEST), "ß".repeat(LONGEST / 2), "", "Alicia"]) {
    alice.tox.name = name;
    await stage.hears(bob, "friendName", (event) => event.name === name);
    assert.equal(bobSees.name, name);
  }
  await stage.refuses("name-too-long", () => {
    alice.tox.name = "n".repeat(LONGEST + 1);
  });
  assert.equal(alice.tox.name, "Alicia");

  bob.host.goOffline();
  await stage.until("Bob to be missed", () => alice.tox.friends[0]?.connection === "none");
  alice.tox.name = "not the last";
  alice.tox.name = "Alice again";
  bob.host.goOnline();
  await stage.hears(bob, "friendName", ({ name }) => name === "Alice again");
}
