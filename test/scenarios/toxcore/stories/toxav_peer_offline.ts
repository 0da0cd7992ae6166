import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells =
  "A call ends when the friend goes offline, answered or not, and he can be called again when he is back";

export async function play(stage: Stage): Promise<void> {
  const { bob, aliceSees, bobSees } = await stage.twoFriends();
  for (const answers of [true, false]) {
    const call = aliceSees.call();
    const ringing = await stage.hears(bob, "incomingCall");
    if (answers) ringing.answer();
    if (answers) await stage.until("an answer", () => call.state === "active");
    bob.host.goOffline();
    assert.deepEqual(await stage.universe.wait(call.ended), { reason: "vanished" });
    await stage.refuses("friend-offline", () => aliceSees.call());
    bob.host.goOnline();
    await stage.until("Bob to be back", () => aliceSees.connection !== "none" && bobSees.connection !== "none");
    assert.deepEqual(await stage.universe.wait(ringing.ended), { reason: "vanished" });
  }
}
