import { describe, expect, it } from "vitest";
import { nodeOf, type Person, Story } from "../support/people.ts";

type Kind = "port-restricted" | "address-restricted" | "full-cone" | "symmetric";

/** Two people behind routers of their own, in a network whose nodes are relays, become friends; answers both and the time. */
async function meet(story: Story, left: Kind, right: Kind, options: { readonly holePunching?: boolean } = {}) {
  const nodes: Person[] = [];
  for (let i = 0; i < 4; i++) nodes.push(await story.person(`node ${i}`, { relayPort: 33445 }));
  const relays = nodes.map(nodeOf);
  const router = (name: string, kind: Kind) => ({
    host: { behind: story.universe.nat(name, { kind, randomPorts: kind === "symmetric" }) },
    relays,
    ...options,
  });
  const alice = await story.person("Alice", router("left", left));
  const bob = await story.person("Bob", router("right", right));
  const friends = await story.befriend(alice, bob, 30_000);
  return { alice, bob, friends };
}

describe("where one router gives out random ports", () => {
  it.each([1, 2, 3, 4, 5, 6])(
    "and the other keeps one, both of ours are direct within ten seconds (seed %i)",
    async (seed) => {
      await using story = new Story({ seed });
      const { alice, bob, friends } = await meet(story, "symmetric", "port-restricted");
      expect(friends.map(({ connection }) => connection)).toEqual(["tcp", "tcp"]);
      const direct = () => friends.every(({ connection }) => connection === "udp");
      await story.universe.runUntil(direct, { timeout: 10_000, what: "a direct way" });
      const texts = Array.from({ length: 50 }, (_, i) => `message ${i}`);
      for (const text of texts) friends[0].send(text);
      await story.hears(bob, "message", ({ text }) => text === "message 49");
      await story.universe.run(60_000);
      expect(friends.map(({ connection }) => connection)).toEqual(["udp", "udp"]);
      expect(alice.host.sockets.length + bob.host.sockets.length).toBeLessThan(6);
    },
  );
});

it("two routers that give out random ports leave the friends on their relay, with a bounded number of packets", async () => {
  await using story = new Story({ seed: 7 });
  const { alice, bob, friends } = await meet(story, "symmetric", "symmetric");
  await story.universe.run(600_000);
  expect(friends.map(({ connection }) => connection)).toEqual(["tcp", "tcp"]);
  for (const { host } of [alice, bob]) {
    expect(host.edges.metrics.get("friend.punch.probes")).toBe(0);
    expect(host.sockets.length).toBeLessThan(4);
  }
});

it("who does not want holes punched does not take part", async () => {
  await using story = new Story({ seed: 8 });
  const { alice, friends } = await meet(story, "symmetric", "port-restricted", { holePunching: false });
  await story.universe.run(60_000);
  expect(friends.map(({ connection }) => connection)).toEqual(["tcp", "tcp"]);
  expect(alice.host.edges.metrics.get("friend.punch.campaigns")).toBe(0);
});
