import assert from "node:assert/strict";
import { memoryStore } from "../../../../src/core.ts";
import type { Stage } from "../stage.ts";

export const tells =
  "Several people in one process have nothing in common: each has his keys, friends, outbox and blocks";

export async function play(stage: Stage): Promise<void> {
  await stage.crowd(2);
  const bob = await stage.person("Bob");
  const names = ["work", "home", "club"] as const;
  const stores = names.map(() => memoryStore());
  const host = stage.universe.host("one machine");
  const start = async (at: number) => stage.restart(host, names[at] ?? "", { store: stores[at] ?? memoryStore() });
  const mine = [await start(0), await start(1), await start(2)] as const;
  const [work, home, club] = mine;
  assert.equal(new Set(mine.map(({ tox }) => tox.publicKey)).size, 3);
  assert.equal(new Set(mine.map(({ tox }) => tox.udpPort)).size, 3);

  // They know one another no better than anybody else, and may be friends.
  const [workSees] = await stage.befriend(work, bob);
  const [homeSees] = await stage.befriend(home, bob);
  const [clubSees] = await stage.befriend(club, home);
  assert.deepEqual(
    mine.map(({ tox }) => tox.friends),
    [[workSees], [homeSees, home.tox.friend(club.tox.publicKey)], [clubSees]],
  );
  homeSees.blocked = true;
  work.tox.status = "busy";
  await stage.until("Bob to see them", () => {
    const seen = bob.tox.friends.map(({ name, status, connection }) => `${name} ${status} ${connection}`);
    return seen.join() === "work busy udp,home none none";
  });
  workSees.send("from work");
  clubSees.send("from the club");
  await stage.hears(bob, "message", ({ friend, text }) => friend.name === "work" && text === "from work");
  await stage.hears(home, "message", ({ friend, text }) => friend.name === "club" && text === "from the club");

  await stage.universe.wait(work.tox.close());
  await stage.hears(bob, "friendConnection", ({ friend, state }) => friend.name === "work" && state === "none");
  clubSees.send("the others go on");
  await stage.hears(home, "message", ({ text }) => text === "the others go on");
  await stage.universe.wait(home.tox.close());
  const again = await start(1);
  assert.equal(again.tox.publicKey, home.tox.publicKey);
  assert.deepEqual(again.tox.blocked, [bob.tox.publicKey]);
  await stage.until("the club to see home again", () => clubSees.connection !== "none", 240_000);
}
