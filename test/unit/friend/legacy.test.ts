import { describe, expect, it } from "vitest";
import { LegacyPeer, withSilentPeer } from "./legacy_peer.ts";
import { World } from "./world.ts";

async function withLegacy() {
  const world = new World();
  const a = await world.person("a");
  const peer = new LegacyPeer(world, "peer");
  const friend = a.friends.addWithoutRequest(peer.publicKey);
  return { world, a, peer, friend };
}

describe("with a toxcore peer", () => {
  it("messages are plain, and delivered when acknowledged", async () => {
    const { world, a, peer, friend } = await withLegacy();
    const texts: string[] = [];
    a.friends.on("message", ({ text, action }) => texts.push(`${action} ${text}`));
    const early = friend.send("early");
    await world.run(1000);
    expect(friend.name).toBe("legacy");
    expect(early.state).toBe("delivered");
    const longest = friend.send("x".repeat(1372), { action: true });
    peer.say("hi");
    peer.send(65, 66);
    await world.run(200);
    expect(peer.texts).toEqual(["early", "x".repeat(1372)]);
    expect(longest.state).toBe("delivered");
    expect(texts).toEqual(["false hi", "true B"]);
  });

  it("packet 150 does no harm and messages never use it", async () => {
    const { world, peer, friend } = await withLegacy();
    await world.run(1000);
    friend.send("x");
    await world.run(1000);
    expect(peer.ignored.every((id) => id === 150)).toBe(true);
    expect(peer.ids.filter((id) => id === 150).length).toBe(2); // one behind each ONLINE
    expect(peer.ids.filter((id) => id === 64).length).toBe(1);
  });

  it("nothing is lost when sessions break, though some may come twice", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const world = new World(seed);
      const a = await world.person("a");
      const peer = new LegacyPeer(world, "peer");
      const friend = a.friends.addWithoutRequest(peer.publicKey);
      const sent: string[] = [];
      for (let round = 0; round < 8; round++) {
        for (let i = 0; i < 10; i++) {
          sent.push(`${sent.length}`);
          friend.send(`${sent.length - 1}`);
        }
        await world.run(world.random.between(0, 300));
        world.breakAll(() => world.random.between(0, 50));
      }
      await world.run(120_000);
      expect([...new Set(peer.texts)], `seed ${seed}`).toEqual(sent);
      expect(friend.queued, `seed ${seed}`).toBe(0);
    }
  });

  it("messages wait for the packet behind ONLINE", async () => {
    const { world, peer, friend } = await withSilentPeer();
    friend.send("x");
    peer.send(24);
    await world.run(5000);
    expect(peer.ids).not.toContain(64);
    peer.send(16);
    await world.run(100);
    expect(peer.ids).toContain(64);
  });

  it("messages that he leaves unacknowledged by going offline are sent again", async () => {
    const { world, peer, friend } = await withSilentPeer();
    peer.send(24);
    peer.send(48);
    await world.run(100);
    peer.send(25);
    world.link.minDelay = world.link.maxDelay = 100;
    const message = friend.send("x");
    await world.run(50);
    expect(message.state).toBe("queued"); // he has left
    await world.run(1000);
    expect(message.state).toBe("queued"); // an acknowledgement from before means nothing
    peer.send(24);
    peer.send(48);
    await world.run(1000);
    expect(message.state).toBe("delivered");
    expect(peer.ids.filter((id) => id === 64).length).toBe(2);
  });
});
