import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells = "The longest message arrives whole; one byte more, or none at all, is refused";

const LONGEST = 1372;

export async function play(stage: Stage): Promise<void> {
  const { bob, aliceSees } = await stage.twoFriends();
  for (const text of ["m".repeat(LONGEST), "é".repeat(LONGEST / 2), "🦊".repeat(LONGEST / 4)]) {
    for (const action of [false, true]) {
      const message = aliceSees.send(text, { action });
      const heard = await stage.hears(bob, "message");
      assert.deepEqual([heard.text, heard.action], [text, action]);
      assert.equal(await stage.universe.wait(message.delivered, { timeout: stage.patience }), "delivered");
    }
  }
  await stage.refuses("message-too-long", () => aliceSees.send("m".repeat(LONGEST + 1)));
  await stage.refuses("message-too-long", () => aliceSees.send(`${"é".repeat(LONGEST / 2)}m`));
  await stage.refuses("message-empty", () => aliceSees.send(""));
  await stage.pass(10_000);
  assert.deepEqual(bob.heard.all("message"), []);
}
