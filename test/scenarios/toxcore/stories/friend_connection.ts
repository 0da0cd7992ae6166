import assert from "node:assert/strict";
import type { Person } from "../../../support/people.ts";
import type { Stage } from "../stage.ts";

export const tells = "Three who add one another all see the others come, stay and go";

export async function play(stage: Stage): Promise<void> {
  await stage.crowd(1);
  const people = [await stage.person("Alice"), await stage.person("Bob"), await stage.person("Carol")] as const;
  const [alice, bob, carol] = people;
  await stage.befriend(alice, bob);
  await stage.befriend(bob, carol);
  await stage.befriend(carol, alice);
  await stage.pass(120_000);
  for (const one of people) assert.deepEqual(connectionsHeard(one), ["udp", "udp"], one.host.name);

  await stage.universe.wait(carol.tox.close());
  for (const one of [alice, bob]) {
    await stage.hears(one, "friendConnection", ({ friend, state }) => isPerson(carol, friend) && state === "none");
    assert.equal(one.tox.friend(carol.tox.publicKey)?.connection, "none");
  }
  assert.equal(alice.tox.friend(bob.tox.publicKey)?.connection, "udp");
  assert.equal(bob.tox.friend(alice.tox.publicKey)?.connection, "udp");
}

function isPerson(person: Person, friend: { readonly publicKey: string }): boolean {
  return friend.publicKey === person.tox.publicKey;
}

function connectionsHeard(person: Person): string[] {
  return person.heard.all("friendConnection").map(({ state }) => state);
}
