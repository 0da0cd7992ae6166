import { beforeEach, describe, expect, it } from "vitest";
import type { RelayServer } from "../../../src/relay/relay_server.ts";
import { World } from "./world.ts";

let world: World;
let server: RelayServer;

beforeEach(async () => {
  world = new World();
  server = await world.relay();
});

async function pair() {
  const alice = world.client([10, 0, 1, 1]);
  const bob = world.client([10, 0, 1, 2]);
  alice.relay.requestRoute(bob.key);
  await world.run(10);
  bob.relay.requestRoute(alice.key);
  await world.run(10);
  return { alice, bob };
}

describe("a relay", () => {
  it("links two clients once both have asked, and passes on what they send", async () => {
    const { alice, bob } = await pair();
    expect(alice.heard).toEqual(["ready", "online"]);
    expect(bob.heard).toEqual(["ready", "online"]);
    expect(alice.relay.isPeerOnline(bob.key)).toBe(true);
    expect(alice.relay.sendTo(bob.key, Uint8Array.of(27, 1, 2))).toBe(true);
    expect(bob.relay.sendTo(alice.key, new Uint8Array(2029).fill(9))).toBe(true);
    expect(bob.relay.sendTo(alice.key, new Uint8Array(2030))).toBe(false);
    await world.run(10);
    expect(bob.packets).toEqual([Uint8Array.of(27, 1, 2)]);
    expect(alice.packets).toEqual([new Uint8Array(2029).fill(9)]);
    expect(alice.relay.connectMs).toBeGreaterThan(0);
    expect(alice.relay.roundTripMs).toBeGreaterThan(0);
  });

  it("tells a client when its peer goes, drops the route, and comes back", async () => {
    const { alice, bob } = await pair();
    bob.relay.dropRoute(alice.key);
    await world.run(10);
    expect(alice.relay.isPeerOnline(bob.key)).toBe(false);
    expect(alice.relay.sendTo(bob.key, Uint8Array.of(1))).toBe(false);
    bob.relay.requestRoute(alice.key);
    await world.run(10);
    bob.relay.close();
    await world.run(10);
    expect(alice.heard).toEqual(["ready", "online", "offline", "online", "offline"]);
    expect(server.connectionCount).toBe(1);
  });

  it("gives an id back that was dropped before its answer came", async () => {
    const alice = world.client();
    const bob = world.client([10, 0, 1, 2]);
    await world.run(10);
    bob.relay.requestRoute(alice.key);
    alice.relay.requestRoute(bob.key);
    alice.relay.dropRoute(bob.key);
    await world.run(10);
    expect(alice.relay.routeCount).toBe(0);
    expect(alice.heard).toEqual(["ready"]);
    expect(bob.relay.isPeerOnline(alice.key)).toBe(false);
  });

  it("has 240 routes a client and no more", async () => {
    const alice = world.client();
    for (let i = 0; i < 240; i++) expect(alice.relay.requestRoute(world.crypto.keyPair().publicKey)).toBe(true);
    expect(alice.relay.requestRoute(world.crypto.keyPair().publicKey)).toBe(false);
    await world.run(50);
    expect(alice.relay.routeCount).toBe(240);
    expect(alice.relay.state).toBe("ready");
    expect(world.metrics.get("relay.client.routesRefused")).toBe(0);
  });

  it("passes on what is sent out of band", async () => {
    const { alice, bob } = await pair();
    expect(alice.relay.sendOob(bob.key, Uint8Array.of(4, 5))).toBe(true);
    expect(alice.relay.sendOob(bob.key, new Uint8Array(0))).toBe(false);
    expect(alice.relay.sendOob(bob.key, new Uint8Array(1025))).toBe(false);
    expect(alice.relay.sendOob(world.crypto.keyPair().publicKey, Uint8Array.of(4))).toBe(true);
    await world.run(10);
    expect(bob.heard.at(-1)).toBe(`oob ${alice.key[0]} 4,5`);
    expect(alice.relay.state).toBe("ready");
  });

  it("keeps idle clients with a ping each 30 s, and one timer for all", async () => {
    const clients = Array.from({ length: 20 }, (_, i) => world.client([10, 0, 2, i]));
    await world.run(100);
    const before = world.clock.fired;
    await world.run(300_000);
    expect(clients.every((client) => client.relay.state === "ready")).toBe(true);
    expect(server.connectionCount).toBe(20);
    // Two pings and two answers a client and interval, of one piece each way, and the timers that send them.
    expect(world.clock.fired - before).toBeLessThan(20 * 10 * 10);
  });

  it("is not given up by who sends to nobody, and so hears nothing but answers to pings", async () => {
    const alice = world.client();
    const nobody = world.crypto.keyPair().publicKey;
    for (let i = 0; i < 60; i++) {
      expect(alice.relay.sendOob(nobody, Uint8Array.of(1))).toBe(i > 0);
      await world.run(1_000);
    }
    expect(alice.heard).toEqual(["ready"]);
  });

  it("lets a new connection with the same key take the old one's place", async () => {
    const keys = world.crypto.keyPair();
    const old = world.client([10, 0, 1, 1], keys);
    await world.run(20);
    const young = world.client([10, 0, 1, 9], keys);
    await world.run(20);
    expect(old.heard).toEqual(["ready", "closed ended"]);
    expect(young.relay.state).toBe("ready");
    expect(server.connectionCount).toBe(1);
  });

  it("drops data for a client that does not read, and goes on with the others", async () => {
    const { alice, bob } = await pair();
    await world.trust(alice, bob);
    const rogue = await world.rogue([10, 0, 6, 6]);
    rogue.say(0, alice.key);
    alice.relay.requestRoute(rogue.key);
    await world.run(10);
    rogue.stream.pause();
    const piece = new Uint8Array(1400);
    for (let i = 0; i < 1000; i++) {
      expect(alice.relay.sendTo(rogue.key, piece)).toBe(true);
      if (i % 20 === 0) expect(alice.relay.sendTo(bob.key, Uint8Array.of(i))).toBe(true);
      if (i % 20 === 19) await world.run(2);
    }
    await world.run(20);
    expect(bob.packets.length).toBe(50);
    expect(world.metrics.get("relay.server.packetsDropped")).toBeGreaterThan(500);
    await world.run(45_000);
    expect(alice.heard.at(-1)).toBe("offline"); // no pong either: cut off
    expect(alice.relay.state).toBe("ready");
  });

  it("tells a client whose own stream is full when there is room", async () => {
    const { alice, bob } = await pair();
    await world.trust(alice, bob);
    let sent = 0;
    while (alice.relay.sendTo(bob.key, new Uint8Array(1400))) sent++;
    expect(sent).toBeGreaterThan(100);
    bob.relay.requestRoute(world.crypto.keyPair().publicKey);
    alice.relay.requestRoute(world.crypto.keyPair().publicKey); // waits, and is not lost
    await world.run(50);
    expect(alice.heard.at(-1)).toBe("writable");
    expect(alice.relay.state).toBe("ready");
    expect(alice.relay.sendTo(bob.key, Uint8Array.of(1))).toBe(true);
  });

  it("closes without leaving a timer", async () => {
    const { alice } = await pair();
    server.close();
    await world.run(10);
    expect(alice.heard.at(-1)).toBe("closed ended");
    expect(world.clock.pending).toBe(0);
  });
});
