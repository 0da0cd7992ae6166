import { describe, expect, it } from "vitest";
import type { Friend } from "../../src/core.ts";
import type { NatKind } from "../../src/testing/index.ts";
import { Conversation } from "../support/conversation.ts";
import { type Person, Story } from "../support/people.ts";

type Place = NatKind | "open" | "udp-blocked";

const PLACES: readonly Place[] = [
  "open",
  "full-cone",
  "address-restricted",
  "port-restricted",
  "symmetric",
  "udp-blocked",
];
const PAIRS = PLACES.flatMap((one, i) => PLACES.slice(i).map((other) => [one, other] as const));
/** In virtual ms: from a request to being online, over whatever. */
const ONLINE_WITHIN = 5_000;
const DIRECT_WITHIN = 60_000;
/** How long a word may take, whatever is tried beside the path in use. */
const WORD_WITHIN = 2_000;

/** Pairs that nobody can bring together are those with a port that is another for each peer, and one who minds the port. */
function canBeDirect(one: Place, other: Place): boolean {
  const pair = [one, other];
  if (pair.includes("udp-blocked")) return false;
  if (!pair.includes("symmetric")) return true;
  return !(one === "symmetric" && other === "symmetric") && !pair.includes("port-restricted");
}

/** Somebody who knows nothing but nodes to start from. */
function personAt(story: Story, name: string, place: Place): Promise<Person> {
  if (place === "open") return story.person(name);
  if (place === "udp-blocked") return story.person(name, { host: { udp: false } });
  return story.person(name, { host: { behind: story.universe.nat(`${name}'s router`, { kind: place }) } });
}

async function meet(story: Story, one: Person, other: Person): Promise<[Friend, Friend]> {
  await story.until("both to be in the network", () => [one, other].every(({ tox }) => tox.connection !== "none"));
  const asked = story.universe.now;
  const friend = await one.tox.addFriend(other.tox.id, "Can you hear me?");
  const back = (await story.hears(other, "friendRequest")).accept();
  await story.until("both to be online", () => [friend, back].every(({ connection }) => connection !== "none"));
  expect(story.universe.now - asked).toBeLessThan(ONLINE_WITHIN);
  return [friend, back];
}

describe("two people who start from nodes that are relays too", () => {
  for (const [one, other] of PAIRS) {
    const direct = canBeDirect(one, other);
    it(`${one} and ${other}: are online${direct ? ", directly," : ""} and stay so`, async () => {
      await using story = new Story();
      await story.relays(4);
      const alice = await personAt(story, "Alice", one);
      const bob = await personAt(story, "Bob", other);
      const friends = await meet(story, alice, bob);
      const talk = new Conversation(story, [alice, friends[0]], [bob, friends[1]]);
      expect(await talk.over(DIRECT_WITHIN)).toBeLessThan(WORD_WITHIN);
      if (direct) expect(friends.map(({ connection }) => connection)).toEqual(["udp", "udp"]);
      expect(await talk.over(DIRECT_WITHIN)).toBeLessThan(WORD_WITHIN);
      await talk.ends();
      for (const { heard } of [alice, bob]) {
        expect(heard.all("friendConnection").filter(({ state }) => state === "none")).toEqual([]);
      }
    });
  }
});
