import { expect, it } from "vitest";
import type { Friend } from "../../src/core.ts";
import { type Person, Story } from "../support/people.ts";

const PEOPLE = 90;
const PAIRS = 50;
/** In virtual ms from when they add each other, which is when their nodes begin to know one another. Measured: 0.9 s. */
const BOUND = 3_000;

/** As toxcore's own tox_many: who is friends with whom is drawn at random, one may have several. */
it(`${PAIRS} pairs of friends among ${PEOPLE} nodes that start at once are all online within ${BOUND / 1000} s`, async () => {
  await using story = new Story({ seed: 90 });
  const people: Person[] = [];
  for (let i = 0; i < PEOPLE; i++) people.push(await story.person(`node ${i}`));
  const friends: Friend[] = [];
  while (friends.length < 2 * PAIRS) {
    const [one, other] = [pick(story, people), pick(story, people)];
    if (one === other || one.tox.friend(other.tox.publicKey) !== undefined) continue;
    friends.push(await one.tox.addFriendWithoutRequest(other.tox.publicKey));
    friends.push(await other.tox.addFriendWithoutRequest(one.tox.publicKey));
  }
  const online = () => friends.every(({ connection }) => connection === "udp");
  await story.until("everybody to be online", online, BOUND);
  const said = friends.map((friend) => friend.send("hello"));
  await story.until("everybody to be heard", () => said.every(({ state }) => state === "delivered"), 5_000);
  expect(friends).toHaveLength(2 * PAIRS);
}, 60_000);

function pick(story: Story, people: readonly Person[]): Person {
  return people[Math.floor(story.universe.random.next() * people.length)] as Person;
}
