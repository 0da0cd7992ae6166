import { describe, expect, it } from "vitest";
import type { NatKind, SimNat } from "../../src/testing/index.ts";
import { Conversation } from "../support/conversation.ts";
import { type Person, Story } from "../support/people.ts";

/** In virtual ms: how long a word may take when a way is lost and another is there, or the same is found again. */
const GOES_ON_WITHIN = 2_000;
/** When all connections to relays are dead and nobody says so: that is noticed after some seconds without an answer. */
const RELAYS_BACK_WITHIN = 10_000;

interface Homes {
  readonly story: Story;
  readonly people: readonly [Person, Person];
  readonly routers: readonly [SimNat, SimNat];
  readonly talk: Conversation;
  readonly states: () => string[];
}

/** Two people behind routers of that kind, who talk since a while. */
async function homes(kind: NatKind, expected: "tcp" | "udp", lifetime = 120_000): Promise<Homes> {
  const story = new Story();
  await story.relays(4);
  const router = (name: string) => story.universe.nat(name, { kind, mappingLifetime: lifetime });
  const routers = [router("Alice's router"), router("Bob's router")] as const;
  const alice = await story.person("Alice", { host: { behind: routers[0] } });
  const bob = await story.person("Bob", { host: { behind: routers[1] } });
  const friends = await story.befriend(alice, bob);
  const states = () => friends.map(({ connection }) => connection);
  await story.until("the way to be the best", () => states().every((state) => state === expected));
  await story.pass(30_000);
  expect(states()).toEqual([expected, expected]);
  const talk = new Conversation(story, [alice, friends[0]], [bob, friends[1]]);
  expect(await talk.over(5_000)).toBeLessThan(GOES_ON_WITHIN);
  return { story, people: [alice, bob], routers, talk, states };
}

describe("two people who talk directly, each behind a port-restricted router", () => {
  const direct = (lifetime?: number) => homes("port-restricted", "udp", lifetime);

  it("go on when one router starts anew, and when both do", async () => {
    const { story, routers, talk, states } = await direct();
    await using _ = story;
    for (const restarted of [routers.slice(0, 1), routers]) {
      for (const router of restarted) router.forget();
      expect(await talk.over(60_000)).toBeLessThan(GOES_ON_WITHIN);
      expect(states()).toEqual(["udp", "udp"]);
    }
    await talk.ends();
  });

  it("go on when a router gets another address", async () => {
    const { story, routers, talk, states } = await direct();
    await using _ = story;
    routers[0].changeAddress("203.0.113.7");
    expect(await talk.over(60_000)).toBeLessThan(RELAYS_BACK_WITHIN);
    expect(states()).toEqual(["udp", "udp"]);
    await talk.ends();
  });

  it("go on over a relay when UDP is blocked, and directly when it is free again", async () => {
    const { story, people, talk, states } = await direct();
    await using _ = story;
    for (const { host } of people) {
      host.blockUdp();
      expect(await talk.over(60_000)).toBeLessThanOrEqual(GOES_ON_WITHIN);
      expect(states()).toEqual(["tcp", "tcp"]);
      host.blockUdp(false);
      expect(await talk.over(60_000)).toBeLessThan(GOES_ON_WITHIN);
      expect(states()).toEqual(["udp", "udp"]);
    }
    await talk.ends();
  });

  it("stay connected in silence, though the routers forget after half a minute", async () => {
    const { story, people, talk, states } = await direct(30_000);
    await using _ = story;
    await story.pass(600_000);
    expect(await talk.over(5_000)).toBeLessThan(GOES_ON_WITHIN);
    expect(states()).toEqual(["udp", "udp"]);
    for (const { heard } of people) {
      expect(heard.all("friendConnection").filter(({ state }) => state === "none")).toEqual([]);
    }
    await talk.ends();
  });
});

describe("two people who talk over relays, each behind a symmetric router", () => {
  const overRelays = () => homes("symmetric", "tcp");

  it("go on in four minutes in which all tries to reach the other directly fail", async () => {
    const { story, people, talk } = await overRelays();
    await using _ = story;
    expect(await talk.over(240_000)).toBeLessThan(GOES_ON_WITHIN);
    for (const { heard } of people) {
      expect(heard.all("friendConnection").filter(({ state }) => state === "none")).toEqual([]);
    }
    await talk.ends();
  });

  it("go on when a router starts anew, or gets another address, and so no stream goes on", async () => {
    const { story, routers, talk, states } = await overRelays();
    await using _ = story;
    routers[0].forget();
    expect(await talk.over(60_000)).toBeLessThan(RELAYS_BACK_WITHIN);
    routers[1].changeAddress("203.0.113.7");
    expect(await talk.over(60_000)).toBeLessThan(RELAYS_BACK_WITHIN);
    expect(states()).toEqual(["tcp", "tcp"]);
    await talk.ends();
  });
});
