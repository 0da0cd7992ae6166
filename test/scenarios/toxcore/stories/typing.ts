import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells = "One sees when the other writes and when he stops, and no longer when he has gone";

export async function play(stage: Stage): Promise<void> {
  const { alice, bob, aliceSees, bobSees } = await stage.twoFriends();
  for (const on of [true, false, true]) {
    aliceSees.setTyping(on);
    await stage.hears(bob, "typing", (event) => event.on === on);
    assert.equal(bobSees.typing, on);
  }
  assert.equal(aliceSees.typing, false);
  aliceSees.setTyping(true);
  await stage.pass(5_000);
  assert.deepEqual(bob.heard.all("typing"), []);

  await stage.universe.wait(alice.tox.close());
  await stage.hears(bob, "friendConnection", ({ state }) => state === "none");
  assert.equal(bobSees.typing, false);
}
