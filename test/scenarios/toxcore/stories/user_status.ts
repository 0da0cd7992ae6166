import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells = "Away, busy and back again: each is seen by the friends, and by one who comes later";

export async function play(stage: Stage): Promise<void> {
  const { alice, bob, bobSees } = await stage.twoFriends();
  for (const status of ["away", "busy", "none", "away"] as const) {
    alice.tox.status = status;
    await stage.hears(bob, "friendStatus", (event) => event.status === status);
    assert.equal(bobSees.status, status);
  }
  const carol = await stage.person("Carol");
  const [carolSees] = await stage.befriend(carol, alice);
  await stage.until("Carol to see it", () => carolSees.status === "away");
  await stage.refuses("invalid-argument", () => {
    alice.tox.status = "asleep" as never;
  });
  assert.equal(alice.tox.status, "away");
}
