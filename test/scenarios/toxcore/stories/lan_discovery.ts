import assert from "node:assert/strict";
import { SimulatedLan } from "../../../../src/testing/index.ts";
import type { Person } from "../../../support/people.ts";
import type { Stage } from "../stage.ts";

export const tells = "People in one local network find each other without knowing any node, if they want to be found";

/** In virtual ms, from when the last one comes in. */
const FRIENDS_WITHIN = { fair: 3_000, rough: 120_000 } as const;

export async function play(stage: Stage): Promise<void> {
  const home = new SimulatedLan();
  const alice = await personIn(stage, home, "Alice", 1);
  const bob = await personIn(stage, home, "Bob", 2);
  const carol = await personIn(stage, home, "Carol", 3, false);
  const dave = await personIn(stage, home, "Dave", 4);
  const friends = [
    await alice.tox.addFriendWithoutRequest(bob.tox.publicKey),
    await bob.tox.addFriendWithoutRequest(alice.tox.publicKey),
  ];
  await stage.pass(60_000);
  assert.deepEqual(
    [alice, bob, carol, dave].map(({ tox }) => tox.connection),
    ["none", "none", "none", "none"],
    "nobody is in the network yet",
  );

  home.join(alice.host, bob.host, carol.host);
  await stage.everybodyOnline(friends, FRIENDS_WITHIN[stage.weather.name]);
  friends[0]?.send("we are neighbours");
  await stage.hears(bob, "message", ({ text }) => text === "we are neighbours");
  await stage.until("both to be in the network", () => [alice, bob].every(({ tox }) => tox.connection === "udp"));

  home.join(dave.host);
  const daveSees = await dave.tox.addFriend(bob.tox.id, "May I come in?");
  const bobSees = (await stage.hears(bob, "friendRequest")).accept();
  await stage.everybodyOnline([daveSees, bobSees]);

  await stage.pass(60_000);
  assert.deepEqual([carol.tox.connection, carol.tox.nodeCount], ["none", 0], "who does not want to be found");
}

/** Somebody who has not come in yet. */
async function personIn(stage: Stage, home: SimulatedLan, name: string, number: number, lan = true): Promise<Person> {
  const host = { ipv4: `192.168.1.${number}` };
  return stage.person(name, { host, alone: true, lan, env: (own) => ({ interfaces: home.interfacesOf(own) }) });
}
