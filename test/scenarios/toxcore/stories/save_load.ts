import assert from "node:assert/strict";
import { memoryStore } from "../../../../src/core.ts";
import type { Stage } from "../stage.ts";

export const tells =
  "Two friends who were both killed come back as themselves and meet, knowing no node but those they kept";

export async function play(stage: Stage): Promise<void> {
  await stage.crowd(3);
  const stores = { alice: memoryStore(), bob: memoryStore() };
  const alice = await stage.person("Alice", { store: stores.alice, statusMessage: "here", status: "away" });
  const bob = await stage.person("Bob", { store: stores.bob, nospam: 0x0102_0304 });
  await stage.befriend(alice, bob);
  const ids = [alice.tox.id, bob.tox.id];
  await stage.pass(70_000); // nodes are written within a minute
  alice.host.crash();
  bob.host.crash();
  await stage.pass(1_000);

  const alone = { bootstrap: [] };
  const again = await stage.restart(alice.host, "Alice", { store: stores.alice, ...alone });
  const bobAgain = await stage.restart(bob.host, "Bob", { store: stores.bob, ...alone });
  assert.deepEqual([again.tox.id, bobAgain.tox.id], ids);
  assert.deepEqual([again.tox.statusMessage, again.tox.status, bobAgain.tox.nospam], ["here", "away", 0x0102_0304]);
  const [aliceSees] = again.tox.friends;
  const [bobSees] = bobAgain.tox.friends;
  assert.ok(aliceSees && bobSees);
  await stage.everybodyOnline([aliceSees, bobSees], 3 * stage.patience);
  bobSees.send("you again");
  await stage.hears(again, "message", ({ text }) => text === "you again");
}
