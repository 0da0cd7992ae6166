import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells = "A status message reaches the friends, from the empty one to the longest";

const LONGEST = 1007;

export async function play(stage: Stage): Promise<void> {
  const { alice, bob, bobSees } = await stage.twoFriends();
  for (const statusMessage of ["s".repeat(LONGEST), "", "in the garden 🌻"]) {
    alice.tox.statusMessage = statusMessage;
    await stage.hears(bob, "friendStatusMessage", (event) => event.statusMessage === statusMessage);
    assert.equal(bobSees.statusMessage, statusMessage);
  }
  await stage.refuses("status-message-too-long", () => {
    alice.tox.statusMessage = "s".repeat(LONGEST + 1);
  });
  assert.equal(alice.tox.statusMessage, "in the garden 🌻");
}
