import { beforeEach, describe, expect, it } from "vitest";
import { Crypto } from "../../../src/crypto/crypto.ts";
import { COST_OF_PACKET } from "../../../src/relay/relay_limits.ts";
import type { RelayServer } from "../../../src/relay/relay_server.ts";
import { SeededRandom } from "../../../src/testing/seeded_random.ts";
import { dearKeys } from "../../support/dear_keys.ts";
import { type Client, Rogue, World } from "./world.ts";

let world: World;

beforeEach(() => {
  world = new World();
});

const ENEMY = [10, 0, 6, 6];

async function pair(w: World) {
  const alice = w.client([10, 0, 1, 1]);
  const bob = w.client([10, 0, 1, 2]);
  alice.relay.requestRoute(bob.key);
  bob.relay.requestRoute(alice.key);
  await w.run(30);
  return { alice, bob };
}

/** How many of 100 packets, one each ms, are served. */
async function served(w: World, { alice, bob }: Awaited<ReturnType<typeof pair>>): Promise<number> {
  const before = bob.packets.length;
  for (let i = 0; i < 100; i++) {
    alice.relay.sendTo(bob.key, new Uint8Array(1000));
    await w.run(1);
  }
  await w.run(10);
  return bob.packets.length - before;
}

describe("a relay among enemies", () => {
  it("cuts off who connects and says nothing, or says it slowly", async () => {
    const server = await world.relay();
    const ends: string[] = [];
    const silent = await world.connect();
    silent.onEnd = (reason) => ends.push(reason);
    const slow = await world.connect();
    slow.onEnd = (reason) => ends.push(reason);
    for (let second = 0; second < 9; second++) {
      slow.write(new Uint8Array(10));
      await world.run(1000);
    }
    expect(ends).toEqual([]);
    await world.run(2000);
    expect(ends).toEqual(["ended", "ended"]);
    expect(server.connectionCount).toBe(0);
    expect(world.metrics.get("relay.server.ended.timeout")).toBe(2);
    expect(world.clock.pending).toBe(0);
  });

  it("cuts off who shakes hands and then says nothing", async () => {
    const server = await world.relay();
    const rogue = await world.rogue();
    await world.run(9000);
    expect(rogue.fault).toBeUndefined();
    expect(server.connectionCount).toBe(0);
    await world.run(2000);
    expect(rogue.fault).toBe("ended");
  });

  it("cuts off garbage for a handshake, and a key of small order", async () => {
    await world.relay();
    for (const first of [world.crypto.keyPair().publicKey, new Uint8Array(32)]) {
      const socket = await world.connect();
      let end: string | undefined;
      socket.onEnd = (reason) => {
        end = reason;
      };
      const request = new Uint8Array(128);
      request.set(first);
      socket.write(request);
      await world.run(10);
      expect(end).toBe("ended");
    }
    expect(world.metrics.get("drop.relayHandshake.forged")).toBe(1);
    expect(world.metrics.get("drop.relayHandshake.weak-key")).toBe(1);
  });

  it.each([
    ["data on an id that is not allocated", [200, 1]],
    ["a notice for such an id", [3, 77]],
    ["a notice for an id below 16", [3, 2]],
    ["a pong of 0", [5, 0, 0, 0, 0, 0, 0, 0, 0]],
    ["an empty out-of-band packet", [6, ...new Uint8Array(32)]],
    ["an out-of-band packet too long", [6, ...new Uint8Array(32 + 1025)]],
    ["an onion request cut short", [8, ...new Uint8Array(158)]],
    ["a packet of a relay", [9, 1, 2]],
    ["an unknown id", [13]],
  ])("cuts off for %s, as toxcore does", async (_what, packet) => {
    const server = await world.relay();
    const rogue = await world.rogue();
    rogue.say(4, 0, 0, 0, 0, 0, 0, 0, 1);
    await world.run(5);
    expect(rogue.packets).toEqual([Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0, 1)]);
    rogue.say(...packet);
    await world.run(5);
    expect(rogue.fault).toBe("ended");
    expect(server.connectionCount).toBe(0);
  });

  it("cuts off for frames too long, empty, forged or never finished", async () => {
    const server = await world.relay();
    for (const [frame, fault] of [
      [[0x08, 0x01], "malformed"],
      [[0, 16], "malformed"],
      [[0, 20, ...new Uint8Array(20)], "forged"],
    ] as const) {
      const rogue = await world.rogue();
      rogue.say(4, 0, 0, 0, 0, 0, 0, 0, 1);
      rogue.stream.sendRaw(Uint8Array.from(frame));
      await world.run(5);
      expect(rogue.fault).toBe("ended");
      expect(world.metrics.get(`relay.server.ended.${fault}`)).toBeGreaterThan(0);
    }
    const rogue = await world.rogue();
    rogue.say(4, 0, 0, 0, 0, 0, 0, 0, 1);
    rogue.stream.sendRaw(Uint8Array.of(4, 0, 1, 2, 3));
    await world.run(39_000);
    expect(server.connectionCount).toBe(1);
    await world.run(2000);
    expect(server.connectionCount).toBe(0);
  });

  it("keeps places for others while one address opens connections without end", async () => {
    const server = await world.relay({ limits: { newBurst: 100, newPerSecond: 10 } });
    let ended = 0;
    for (let i = 0; i < 1000; i++) {
      const socket = await world.connect(ENEMY);
      socket.onEnd = () => ended++;
    }
    await world.run(5);
    expect(ended).toBe(900);
    const { alice } = await pair(world);
    expect(alice.heard).toEqual(["ready", "online"]);
    await world.run(15_000);
    expect(ended).toBe(1000);
    expect(server.connectionCount).toBe(2);
  });

  it("lets no address have more than its share of the connections", async () => {
    const server = await world.relay({ limits: { clientsPerAddress: 3, pendingPerAddress: 2 } });
    for (let i = 0; i < 5; i++) (await world.rogue(ENEMY)).say(4, 0, 0, 0, 0, 0, 0, 0, 1);
    await world.run(5);
    expect(server.connectionCount).toBe(3);
    const idle = [await world.connect(ENEMY), await world.connect(ENEMY), await world.connect(ENEMY)];
    const ended: number[] = [];
    for (const [i, socket] of idle.entries()) socket.onEnd = () => ended.push(i);
    await world.run(5);
    expect(ended).toEqual([0]);
    const friend = world.client([10, 0, 1, 1]);
    await world.run(10);
    expect(friend.relay.state).toBe("ready");
  });

  it("serves others as before while one address floods it", async () => {
    const workPerSecond = 1000 * (1000 + COST_OF_PACKET) * 2;
    await world.relay({ limits: { workPerSecond, workBurst: workPerSecond / 100 } });
    const both = await pair(world);
    expect(await served(world, both)).toBe(100);
    const rogue = await world.rogue(ENEMY);
    let sent = 0;
    let flooding = true;
    const flood = () => {
      while (rogue.say(6, world.relayKeys.publicKey, new Uint8Array(1000))) sent++;
      if (flooding) world.clock.at(world.clock.monotonic() + 1, flood);
    };
    flood();
    expect(await served(world, both)).toBe(100);
    flooding = false;
    // What was taken from the flooder is what waited within its own queue, and its share, not what it would send.
    expect(world.metrics.get("relay.server.paused")).toBeGreaterThan(0);
    expect(sent).toBeLessThan(2 * 256 + 250);
    expect(rogue.fault).toBeUndefined();
  });

  it("is not kept from others by who never reads and has it answer", async () => {
    const server: RelayServer = await world.relay();
    const both = await pair(world);
    const rogue = await world.rogue(ENEMY);
    rogue.stream.pause();
    for (let i = 0; i < 40; i++) {
      for (let n = 0; n < 1000; n++) rogue.say(4, 0, 0, 0, 0, 0, 0, 0, 1);
      await world.run(2);
    }
    expect(world.metrics.get("relay.server.ended.overflow")).toBe(1);
    expect(server.connectionCount).toBe(2);
    expect(await served(world, both)).toBe(100);
  });

  it("does not cut off who reads slowly for a peer's coming and going, and tells him in the end", async () => {
    await world.relay({ limits: { queueBytes: 8192 } });
    const victim = world.client([10, 0, 1, 1]);
    const rogue = await world.rogue(ENEMY);
    victim.relay.requestRoute(rogue.key);
    rogue.say(0, victim.key);
    await world.run(10);
    const slow = await world.rogue([10, 0, 1, 3]);
    slow.say(0, rogue.key);
    rogue.say(0, slow.key);
    await world.run(10);
    slow.stream.pause();
    for (let n = 0; n < 20; n++) rogue.say(17, new Uint8Array(1000));
    await world.run(5);
    for (let n = 0; n < 500; n++) {
      rogue.say(3, 17);
      rogue.say(0, slow.key);
      if (n % 50 === 0) await world.run(2);
    }
    rogue.say(3, 17);
    await world.run(2_000);
    expect(slow.fault).toBeUndefined();
    expect(victim.heard.at(-1)).toBe("online");
    slow.packets.length = 0;
    slow.stream.resume();
    await world.run(2_000);
    expect(slow.fault).toBeUndefined();
    expect(slow.packets.filter(([id]) => id === 2 || id === 3).map(([id]) => id)).toEqual([3]);
  });

  it("makes room for others when few addresses have all its places", async () => {
    const server = await world.relay({ limits: { clients: 8, clientsPerAddress: 4 } });
    for (let i = 0; i < 8; i++) {
      const one = await world.rogue([10, 0, 6, i % 2]);
      one.say(4, 0, 0, 0, 0, 0, 0, 0, 1);
      await world.run(2);
    }
    expect(server.connectionCount).toBe(8);
    const alice = world.client([10, 0, 1, 1]);
    await world.run(100);
    const bob = world.client([10, 0, 1, 2]);
    alice.relay.requestRoute(bob.key);
    bob.relay.requestRoute(alice.key);
    await world.run(1_000);
    expect([alice.heard.at(-1), bob.heard.at(-1)]).toEqual(["online", "online"]);
    expect(server.connectionCount).toBe(8);
  });

  it("keeps little for those who do not read, however many they are", async () => {
    const server = await world.relay({ limits: { slowReaders: 6, slowReadersPerAddress: 4 } });
    const rogues: Rogue[] = [];
    for (let i = 0; i < 12; i++) {
      const one = await world.rogue([10, 0, 6, i % 3]);
      one.stream.pause();
      rogues.push(one);
      for (let n = 0; n < 1000; n++) one.say(4, 0, 0, 0, 0, 0, 0, 0, 1);
      await world.run(5);
    }
    expect(server.connectionCount).toBe(6);
    expect(world.metrics.get("relay.server.ended.too-many-slow")).toBe(6);
    const both = await pair(world);
    expect(await served(world, both)).toBe(100);
  });

  it("links a client again whose full stream was cut off in the very moment of being linked", async () => {
    await world.relay({ limits: { queueBytes: 4096 } });
    const victim = world.client([10, 0, 1, 1]);
    const keyPair = world.crypto.keyPair();
    victim.relay.requestRoute(keyPair.publicKey);
    for (let pings = 60; pings < 160; pings++) {
      const rogue = await world.rogue(ENEMY, keyPair);
      rogue.stream.pause();
      for (let n = 0; n < pings; n++) rogue.say(4, 0, 0, 0, 0, 0, 0, 0, 1);
      rogue.say(0, victim.key);
      await world.run(5);
      rogue.stream.close();
      await world.run(5);
      expect(victim.heard.at(-1), `${pings} pings`).not.toBe("online");
    }
    expect(world.metrics.get("relay.server.ended.overflow")).toBeGreaterThan(0);
    const honest = world.client(ENEMY, keyPair);
    honest.relay.requestRoute(victim.key);
    await world.run(30);
    expect(victim.heard.at(-1)).toBe("online");
    expect(honest.heard.at(-1)).toBe("online");
  });

  it("serves others, and lets them in, while one address shakes hands under ever new keys", async () => {
    const { clock, provider } = dearKeys(world.clock);
    await world.relay({ clock, crypto: new Crypto(provider, new SeededRandom("dear")) });
    const friends = await pair(world);
    const before = await served(world, friends);
    let flooding = true;
    let handshakes = 0;
    const shakeHands = async () => {
      for (let i = 0; i < 10; i++) void new Rogue(world, await world.connect(ENEMY), world.crypto.keyPair());
      handshakes += 10;
      if (flooding) world.clock.at(world.timeline.now + 10, () => void shakeHands());
    };
    void shakeHands();
    await world.run(200);
    const during = await served(world, friends);
    const newcomers: Client[] = [];
    for (let i = 0; i < 10; i++) {
      newcomers.push(world.client([10, 0, 20 + i, 1]));
      await world.run(100);
    }
    flooding = false;
    expect(handshakes).toBeGreaterThan(1000);
    expect([before, during]).toEqual([100, 100]);
    expect(newcomers.map(({ heard }) => heard)).toEqual(newcomers.map(() => ["ready"]));
    expect(world.metrics.get("drop.relayHandshake.rate-limited")).toBeGreaterThan(500);
  });
});
