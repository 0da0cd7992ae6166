import type { Friend } from "../../../../src/core.ts";
import type { Person } from "../../../support/people.ts";
import type { Stage } from "../stage.ts";

export const tells = "Ninety nodes start at once, fifty pairs among them are friends: all are online and are heard";
export const large = true;

const PEOPLE = 90;
const PAIRS = 50;
/**
 * In virtual ms from when they add each other, which is when their nodes begin to know one another. In rough weather a pair
 * may look for one another in vain for the half minute in which they hurry, and look again after two.
 */
const BOUND = { fair: 3_000, rough: 300_000 } as const;

/** Who is friends with whom is drawn at random, one may have several. */
export async function play(stage: Stage): Promise<void> {
  const people = await stage.crowd(PEOPLE);
  const friends: Friend[] = [];
  while (friends.length < 2 * PAIRS) {
    const [one, other] = [pick(stage, people), pick(stage, people)];
    if (one === other || one.tox.friend(other.tox.publicKey) !== undefined) continue;
    friends.push(await one.tox.addFriendWithoutRequest(other.tox.publicKey));
    friends.push(await other.tox.addFriendWithoutRequest(one.tox.publicKey));
  }
  await stage.everybodyOnline(friends, BOUND[stage.weather.name]);
  const said = friends.map((friend) => friend.send("hello"));
  await stage.until("everybody to be heard", () => said.every(({ state }) => state === "delivered"));
}

function pick(stage: Stage, people: readonly Person[]): Person {
  return people[Math.floor(stage.universe.random.next() * people.length)] as Person;
}
