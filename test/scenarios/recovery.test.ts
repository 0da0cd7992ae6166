import { describe, expect, it } from "vitest";
import { type Person, Story } from "../support/people.ts";

const SECRET_KEY = new Uint8Array(32).fill(9);
const SEEDS = [1, 2, 3, 4, 5];

interface Pair {
  readonly story: Story;
  alice: Person;
  readonly bob: Person;
  /** Alice starts again, as the same person with another DHT key. */
  returns(): Promise<void>;
  /** How long it takes until a word of each has reached the other, in virtual ms. */
  talkTime(): Promise<number>;
}

async function friends(seed: number, nodes: number): Promise<Pair> {
  const story = new Story({ seed });
  await story.crowd(nodes);
  const bob = await story.person("Bob");
  const pair: Pair = {
    story,
    bob,
    alice: await story.person("Alice", { secretKey: SECRET_KEY }),
    async returns() {
      const { host } = pair.alice;
      pair.alice = await story.restart(host, "Alice", { secretKey: SECRET_KEY });
      await pair.alice.tox.addFriendWithoutRequest(bob.tox.publicKey);
    },
    async talkTime() {
      const start = story.universe.now;
      const said = [pair.alice, bob].map(({ tox }) => tox.friends[0]?.send(`at ${start}`));
      await story.until("both to be heard", () => said.every((message) => message?.state === "delivered"), 600_000);
      return story.universe.now - start;
    },
  };
  await story.befriend(pair.alice, bob);
  await story.pass(70_000);
  return pair;
}

/** The longest of the seeds. */
async function slowest(nodes: number, happens: (pair: Pair) => Promise<void>): Promise<number> {
  let longest = 0;
  for (const seed of SEEDS) {
    const pair = await friends(seed, nodes);
    await happens(pair);
    longest = Math.max(longest, await pair.talkTime());
    await pair.story[Symbol.asyncDispose]();
  }
  return longest;
}

describe("friends find each other again", () => {
  it("within 3 s when the cable was out for a minute", async () => {
    const outage = async ({ story, alice }: Pair) => {
      alice.host.goOffline();
      await story.pass(60_000);
      alice.host.goOnline();
    };
    expect(await slowest(6, outage)).toBeLessThan(3_000);
    expect(await slowest(0, outage)).toBeLessThan(3_000);
  });

  it("within 3 s when nothing passed between the two, one way or both", async () => {
    const parted = async ({ story, alice, bob }: Pair) => {
      story.universe.partition([alice.host], [bob.host]);
      await story.pass(60_000);
      story.universe.heal();
    };
    const oneWay = async ({ story, alice, bob }: Pair) => {
      story.universe.network.setLinkOneWay(alice.host, bob.host, { loss: 1 });
      await story.pass(60_000);
      story.universe.network.setLinkOneWay(alice.host, bob.host, { loss: 0 });
    };
    expect(await slowest(6, parted)).toBeLessThan(3_000);
    expect(await slowest(6, oneWay)).toBeLessThan(3_000);
  });

  it("within 5 s when one gets another address", async () => {
    const moves = async ({ alice }: Pair) => alice.host.moveTo("198.19.200.7");
    expect(await slowest(6, moves)).toBeLessThan(5_000);
    expect(await slowest(0, moves)).toBeLessThan(5_000);
  });

  it("within 2 s when one crashes and starts again", async () => {
    const crash = async (pair: Pair) => {
      pair.alice.host.crash();
      await pair.story.pass(500);
      await pair.returns();
    };
    expect(await slowest(6, crash)).toBeLessThan(2_000);
    expect(await slowest(1, crash)).toBeLessThan(2_000);
  });

  it("within 5 s when they are alone in the world, and one crashes and starts again", async () => {
    const crash = async (pair: Pair) => {
      pair.alice.host.crash();
      await pair.story.pass(500);
      await pair.returns();
    };
    expect(await slowest(0, crash)).toBeLessThan(5_000);
  });

  it("within 35 s when they are alone in the world, and one crashes and starts again elsewhere", async () => {
    const crash = async (pair: Pair) => {
      pair.alice.host.crash();
      await pair.story.pass(500);
      pair.alice.host.moveTo("198.19.200.7");
      await pair.returns();
    };
    expect(await slowest(0, crash)).toBeLessThan(35_000);
  });
});
