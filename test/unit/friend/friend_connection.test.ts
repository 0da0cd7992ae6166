import { describe, expect, it } from "vitest";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import type { Endpoint } from "../../../src/env/datagram.ts";
import { LegacyPeer } from "./legacy_peer.ts";
import { World } from "./world.ts";

async function two() {
  const world = new World();
  const [a, b] = [await world.person("a"), await world.person("b")];
  const [toB, toA] = await world.befriend(a, b);
  return { world, a, b, toB, toA };
}

describe("the connection to a friend", () => {
  it("is one session, whoever begins", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const world = new World(seed);
      const [a, b] = [await world.person("a"), await world.person("b")];
      const [toB, toA] = await world.befriend(a, b);
      await world.run(10_000);
      expect([toB.connection, toA.connection, world.pairs.size], `seed ${seed}`).toEqual(["udp", "udp", 1]);
    }
  });

  it("says every 8 seconds that it is alive", async () => {
    const { world, a } = await two();
    const times: number[] = [];
    world.link.onSent = (owner, packet) => {
      if (owner === a.publicKey && packet[0] === 16) times.push(world.timeline.now);
    };
    await world.run(80_000);
    expect(times.length).toBe(10);
    expect((times[9] ?? 0) - (times[0] ?? 0)).toBe(72_000);
  });

  it("is given up after 32 seconds of silence, and found again", async () => {
    const { world, a, b, toB } = await two();
    const states: string[] = [];
    a.friends.on("friendConnection", ({ state }) => states.push(`${state} ${world.timeline.now}`));
    await world.run(12_345);
    const heardAt = world.sessionOf(a).lastReceivedAt;
    await world.stop(b, "crash");
    await world.run(40_000);
    expect(states).toEqual([`none ${heardAt + 32_000}`]);
    expect(toB.connection).toBe("none");
    const again = await world.person("b");
    again.friends.addWithoutRequest(a.publicKey);
    await world.run(2000);
    expect(toB.connection).toBe("udp");
  });

  it("moves at once to a friend who came back with a new DHT key", async () => {
    const { world, a, b, toB } = await two();
    await world.stop(b, "crash");
    const again = await world.person("b");
    again.friends.addWithoutRequest(a.publicKey);
    await world.run(1000);
    expect(toB.connection).toBe("udp");
    expect(world.pairs.size).toBe(1);
    const texts: string[] = [];
    again.friends.on("message", ({ text }) => texts.push(text));
    toB.send("still there?");
    await world.run(500);
    expect(texts).toEqual(["still there?"]);
  });

  it("tells the session of new addresses", async () => {
    const { world, a, b } = await two();
    const session = world.sessionOf(a);
    const moved: Endpoint = { family: 4, address: Uint8Array.of(10, 9, 9, 9), port: 1 };
    world.find(b, moved);
    expect(session.endpoints.at(-1)).toBe(moved);
  });

  it("refuses sessions of strangers, and a second one of a friend who has one", async () => {
    const { world, a, b } = await two();
    expect(a.friends.incoming(world.keys("c").publicKey, b.dhtPublicKey)).toBeUndefined();
    expect(a.friends.incoming(b.publicKey, b.dhtPublicKey)).toBeUndefined();
    const other = new Uint8Array(32).fill(5) as Uint8Array as PublicKey;
    expect(a.friends.incoming(b.publicKey, other)).toBeDefined();
  });

  it("tries again as long as the address is known, but not faster than once a second", async () => {
    const world = new World();
    const a = await world.person("a");
    const peer = new LegacyPeer(world, "peer");
    let tries = 0;
    peer.incoming = () => {
      tries++;
      return undefined;
    };
    a.friends.addWithoutRequest(peer.publicKey);
    await world.run(60_000);
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(10);
    peer.alive = false;
    await world.run(300_000);
    const timers = a.clock.fired;
    await world.run(3_600_000);
    expect(a.clock.fired - timers).toBe(0); // asleep
  });

  it("is tried again when the friend tells his key, though nothing new is known of his address", async () => {
    const { world, a, b, toB } = await two();
    world.addressesKnown = false;
    world.breakAll();
    await world.run(5000);
    expect(toB.connection).toBe("none");
    world.addressesKnown = true; // without telling: he answers where he always did
    await world.run(60_000);
    expect(toB.connection).toBe("none");
    b.finder.announce();
    a.finder.announce();
    await world.run(500);
    expect(toB.connection).toBe("udp");
  });

  it("leaves it for a moment to a friend who ended the session to begin anew", async () => {
    const { world, b, toB } = await two();
    const { opened } = world;
    world.sessionOf(b).kill(); // b begins anew at once
    await world.run(500);
    expect(toB.connection).toBe("udp");
    expect(world.opened - opened).toBe(1);
  });

  it("sleeps between alive packets", async () => {
    const { world, a } = await two();
    await world.run(1000);
    const timers = a.clock.fired;
    await world.run(80_000);
    expect(a.clock.fired - timers).toBeLessThanOrEqual(11);
  });

  it("does not outlive the friend: a session that comes up after removal is refused", async () => {
    const world = new World();
    const [a, b] = [await world.person("a"), await world.person("b")];
    const toB = a.friends.addWithoutRequest(b.publicKey);
    b.friends.addWithoutRequest(a.publicKey);
    await world.run(12);
    toB.remove();
    await world.run(60_000);
    expect(b.friends.get(a.publicKey)?.connection).toBe("none");
  });
});
