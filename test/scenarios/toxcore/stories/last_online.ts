import assert from "node:assert/strict";
import { memoryStore } from "../../../../src/core.ts";
import type { Stage } from "../stage.ts";

export const tells = "When a friend was last there is known while he is away, and after a restart";

export async function play(stage: Stage): Promise<void> {
  await stage.crowd(2);
  const store = memoryStore();
  const alice = await stage.person("Alice", { store });
  const bob = await stage.person("Bob");
  const nobody = await alice.tox.addFriendWithoutRequest("11".repeat(32));
  const [friend, bobSees] = await stage.befriend(alice, bob);
  assert.equal(nobody.lastOnline, undefined);
  const now = () => alice.host.edges.clock.wall();
  await stage.pass(100_000);
  assert.equal(friend.lastOnline, now());

  const leftAt = now();
  await stage.universe.wait(bob.tox.close());
  await stage.hears(alice, "friendConnection", ({ state }) => state === "none");
  const seen = friend.lastOnline ?? 0;
  assert.ok(seen >= leftAt && seen <= now(), `${seen} is between ${leftAt} and ${now()}`);
  assert.ok((bobSees.lastOnline ?? 0) >= leftAt, "he remembers us as well");
  await stage.pass(100_000);
  assert.equal(friend.lastOnline, seen);

  alice.host.crash();
  const again = await stage.restart(alice.host, "Alice", { store });
  assert.equal(again.tox.friend(friend.publicKey)?.lastOnline, seen);
  assert.equal(again.tox.friend(nobody.publicKey)?.lastOnline, undefined);
}
