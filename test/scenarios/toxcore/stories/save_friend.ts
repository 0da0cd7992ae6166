import assert from "node:assert/strict";
import { memoryStore } from "../../../../src/core.ts";
import type { Stage } from "../stage.ts";

export const tells = "What a friend said of himself is known after a restart while he is away, and a request goes on";

export async function play(stage: Stage): Promise<void> {
  await stage.crowd(3);
  const store = memoryStore();
  const alice = await stage.person("Alice", { store });
  const bob = await stage.person("Bob", { statusMessage: "in the garden", status: "busy" });
  const carol = await stage.person("Carol");
  const [aliceSees] = await stage.befriend(alice, bob);
  await stage.until("Alice to know Bob", () => aliceSees.status === "busy" && aliceSees.name === "Bob");
  carol.host.goOffline();
  await alice.tox.addFriend(carol.tox.id, "we met on Sunday");
  bob.host.goOffline();
  await stage.hears(alice, "friendConnection", ({ friend, state }) => friend === aliceSees && state === "none");
  const { lastOnline } = aliceSees;
  await stage.universe.wait(alice.tox.close());
  await stage.pass(120_000);

  const again = await stage.restart(alice.host, "Alice", { store });
  const friend = again.tox.friend(bob.tox.publicKey);
  assert.deepEqual([friend?.name, friend?.statusMessage, friend?.status], ["Bob", "in the garden", "busy"]);
  assert.deepEqual([friend?.connection, friend?.lastOnline], ["none", lastOnline]);
  carol.host.goOnline();
  const request = await stage.hears(carol, "friendRequest");
  assert.deepEqual([request.publicKey, request.message], [again.tox.publicKey, "we met on Sunday"]);
  bob.host.goOnline();
  await stage.until("Bob to be there", () => friend?.connection === "udp", 3 * stage.patience);
}
