import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells =
  "A request arrives with its words, as many as fit, and once; accepting it makes friends of the two";

const LONGEST = 921;

export async function play(stage: Stage): Promise<void> {
  await stage.crowd(3);
  const bob = await stage.person("Bob");
  for (const [name, message] of [
    ["Alice", "Hi, it's Alice"],
    ["Carol", "c".repeat(LONGEST)],
    ["Dörte", "ö".repeat(LONGEST >> 1)],
  ] as const) {
    const one = await stage.person(name);
    await stage.refuses("message-empty", () => one.tox.addFriend(bob.tox.id, ""));
    await stage.refuses("request-message-too-long", () => one.tox.addFriend(bob.tox.id, "x".repeat(LONGEST + 1)));
    const oneSees = await one.tox.addFriend(bob.tox.id, message);
    const request = await stage.hears(bob, "friendRequest");
    assert.deepEqual([request.publicKey, request.message], [one.tox.publicKey, message]);
    const bobSees = request.accept();
    await stage.everybodyOnline([oneSees, bobSees]);
    await stage.until("names", () => oneSees.name === "Bob" && bobSees.name === name);
  }
  await stage.pass(60_000);
  assert.deepEqual(bob.heard.all("friendRequest"), []);
  assert.equal(bob.tox.friends.length, 3);
}
