import assert from "node:assert/strict";
import { memoryStore } from "../../../../src/core.ts";
import type { Stage } from "../stage.ts";

export const tells = "Who is blocked, friend or stranger, sees us offline and is not heard, until he is let in again";

export async function play(stage: Stage): Promise<void> {
  await stage.crowd(2);
  const store = memoryStore();
  const alice = await stage.person("Alice", { store });
  const bob = await stage.person("Bob");
  const [aliceSees, bobSees] = await stage.befriend(alice, bob);

  await stage.hears(alice, "friendName", ({ name }) => name === "Bob");
  aliceSees.blocked = true;
  assert.deepEqual([aliceSees.connection, alice.tox.blocked], ["none", [bob.tox.publicKey]]);
  await stage.hears(bob, "friendConnection", ({ state }) => state === "none");
  const fromBob = bobSees.send("why do you not answer?");
  const toBob = aliceSees.send("when I let you in");
  bob.tox.name = "Bob who is blocked";
  await stage.pass(120_000);
  assert.deepEqual([bobSees.connection, fromBob.state, toBob.state], ["none", "queued", "queued"]);
  assert.deepEqual(alice.heard.all("message"), []);
  assert.equal(aliceSees.name, "Bob");

  const mallory = await stage.person("Mallory");
  await stage.universe.wait(alice.tox.block(mallory.tox.publicKey));
  const malloryAsks = await mallory.tox.addFriend(alice.tox.id, "let me in");
  await stage.pass(60_000);
  assert.deepEqual(alice.heard.all("friendRequest"), []);

  alice.host.crash();
  const again = await stage.restart(alice.host, "Alice", { store });
  const friend = again.tox.friend(bob.tox.publicKey);
  assert.deepEqual(again.tox.blocked, [bob.tox.publicKey, mallory.tox.publicKey]);
  assert.equal(friend?.blocked, true);
  await stage.pass(60_000);
  assert.equal(bobSees.connection, "none");
  assert.deepEqual(again.heard.all("friendRequest"), []);

  await stage.universe.wait(again.tox.block(bob.tox.publicKey, false));
  await stage.hears(bob, "message", ({ text }) => text === "when I let you in", 240_000);
  await stage.hears(again, "message", ({ text }) => text === "why do you not answer?");
  await stage.until("Alice to know his new name", () => friend?.name === "Bob who is blocked");

  await stage.universe.wait(again.tox.block(mallory.tox.publicKey, false));
  const request = await stage.hears(again, "friendRequest", undefined, 600_000);
  await stage.everybodyOnline([malloryAsks, request.accept()], 240_000);
}
