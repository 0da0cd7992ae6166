import assert from "node:assert/strict";
import type { Friend } from "../../../../src/core.ts";
import type { Stage } from "../stage.ts";

export const tells =
  "Thirty-three requests at once, one more than are remembered: every one is shown once and all connect";
export const large = true;

const ASKERS = 33;

export async function play(stage: Stage): Promise<void> {
  const bob = await stage.person("Bob");
  const askers = await stage.crowd(ASKERS);
  await stage.until("the network to stand", () => stage.people.every(({ tox }) => tox.connection === "udp"));
  const accepted: Friend[] = [];
  bob.tox.on("friendRequest", (request) => void accepted.push(request.accept()));

  const asked: Friend[] = [];
  for (const [i, { tox }] of askers.entries()) asked.push(await tox.addFriend(bob.tox.id, `request ${i}`));
  await stage.until("all requests", () => accepted.length === ASKERS);
  await stage.everybodyOnline([...asked, ...accepted]);

  const messages = bob.heard.all("friendRequest").map(({ message }) => message);
  assert.deepEqual(new Set(messages), new Set(askers.map((_, i) => `request ${i}`)));
  assert.equal(messages.length, ASKERS);
  assert.equal(bob.tox.friends.length, ASKERS);
}
