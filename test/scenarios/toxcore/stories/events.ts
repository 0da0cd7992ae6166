import assert from "node:assert/strict";
import type { ToxEvents } from "../../../../src/core.ts";
import type { Stage } from "../stage.ts";

export const tells =
  "Events come one by one, in order, after the state has changed, and not to those who stopped listening";

export async function play(stage: Stage): Promise<void> {
  const { alice, bob, aliceSees, bobSees } = await stage.twoFriends();
  await stage.hears(bob, "friendName", ({ name }) => name === "Alice");

  const seen: string[] = [];
  const nameAtEvent: string[] = [];
  const stop = bob.tox.on("message", ({ text }) => void seen.push(text));
  bob.tox.once("message", ({ text }) => void seen.push(`once ${text}`));
  bob.tox.on("friendName", ({ friend, name }) => void nameAtEvent.push(`${friend.name} is ${name}`));

  alice.tox.name = "Alice the Second";
  aliceSees.send("one");
  aliceSees.setTyping(true);
  aliceSees.send("two");
  await stage.hears(bob, "message", ({ text }) => text === "two");
  assert.deepEqual(seen, ["one", "once one", "two"]);
  await stage.hears(bob, "friendName", ({ name }) => name === "Alice the Second");
  await stage.hears(bob, "typing", ({ on }) => on);
  assert.deepEqual(nameAtEvent, ["Alice the Second is Alice the Second"]);

  stop();
  const inside: ToxEvents["message"][] = [];
  const nested = bob.tox.on("message", (event) => {
    nested();
    inside.push(event);
    bobSees.send(`answer to ${event.text}`);
  });
  aliceSees.send("three");
  aliceSees.send("four");
  await stage.hears(alice, "message", ({ text }) => text === "answer to three");
  await stage.hears(bob, "message", ({ text }) => text === "four");
  assert.deepEqual(seen, ["one", "once one", "two"]);
  assert.equal(inside.length, 1);
  assert.match(inside[0]?.id ?? "", /^[0-9A-F]{32}$/);
  const message = { friend: bobSees, text: "three", action: false, receivedAt: 0, id: "" };
  assert.deepEqual({ ...inside[0], receivedAt: 0, id: "" }, message);

  let afterClose = 0;
  bob.tox.on("message", () => void afterClose++);
  const closed = bob.tox.close();
  aliceSees.send("five");
  await stage.universe.wait(closed);
  await stage.pass(5_000);
  assert.equal(afterClose, 0);
}
