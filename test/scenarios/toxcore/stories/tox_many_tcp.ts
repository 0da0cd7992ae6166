import type { Friend } from "../../../../src/core.ts";
import type { Person } from "../../../support/people.ts";
import type { Stage } from "../stage.ts";

export const tells =
  "Forty who reach nothing but relays, fifty pairs of friends among them: all are online and are heard";
export const large = true;

const PEOPLE = 40;
const PAIRS = 50;
const RELAYS = 3;
/**
 * In virtual ms from when they ask each other, which is when they begin to look for relays. In rough weather many a
 * request is lost several times, and the pauses after which it is repeated grow.
 */
const BOUND = { fair: 5_000, rough: 600_000 } as const;

/** Who asks whom is drawn at random, one may have several friends; whoever is asked accepts. */
export async function play(stage: Stage): Promise<void> {
  await stage.relays(RELAYS);
  const people: Person[] = [];
  for (let i = 0; i < PEOPLE; i++) people.push(await stage.person(`person ${i}`, { udp: false }));
  const friends: Friend[] = [];
  for (const { tox } of people) tox.on("friendRequest", (request) => void friends.push(request.accept()));
  const pairs = new Set<string>();
  while (pairs.size < PAIRS) {
    const [one, other] = [pick(stage, people), pick(stage, people)];
    const pair = [one.tox.publicKey, other.tox.publicKey].sort().join();
    if (one === other || pairs.has(pair)) continue;
    pairs.add(pair);
    friends.push(await one.tox.addFriend(other.tox.id, "Gentoo"));
  }
  await stage.until("all requests", () => friends.length === 2 * PAIRS, BOUND[stage.weather.name]);
  await stage.everybodyOver("tcp", friends, BOUND[stage.weather.name]);
  const said = friends.map((friend) => friend.send("hello"));
  await stage.until("everybody to be heard", () => said.every(({ state }) => state === "delivered"));
}

function pick(stage: Stage, people: readonly Person[]): Person {
  return people[Math.floor(stage.universe.random.next() * people.length)] as Person;
}
