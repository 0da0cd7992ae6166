import { describe, expect, test } from "vitest";
import { PacketId } from "../../../../src/wire/packet_ids.ts";
import { knowsKey, type Person, type Watched, World, watch } from "./support.ts";

const FAST = { latency: [0.5, 1] } as const;

interface Pair {
  readonly world: World;
  readonly alice: Person;
  readonly bob: Person;
  /** What Alice learns of Bob, and Bob of Alice. */
  readonly ofBob: Watched;
  readonly ofAlice: Watched;
}

async function strangers(world: World, others: number): Promise<[Person, Person]> {
  await world.fill(others);
  return [await world.person("alice"), await world.person("bob")];
}

async function friends(world: World, others: number): Promise<Pair> {
  const [alice, bob] = await strangers(world, others);
  const ofBob = watch(alice, bob.self.publicKey);
  const ofAlice = watch(bob, alice.self.publicKey);
  return { world, alice, bob, ofBob, ofAlice };
}

async function untilBothKnow({ world, alice, bob, ofBob, ofAlice }: Pair, timeout: number): Promise<number> {
  const start = world.universe.now;
  const what = "both to know each other's DHT key";
  await world.universe.runUntil(() => knowsKey(ofBob, bob) && knowsKey(ofAlice, alice), { timeout, what });
  return world.universe.now - start;
}

/** Both have started together and found each other. */
async function acquainted(world: World, others: number): Promise<Pair> {
  const pair = await friends(world, others);
  pair.alice.dht.connect();
  pair.bob.dht.connect();
  await untilBothKnow(pair, 10_000);
  await world.universe.run(100);
  return pair;
}

describe("two people who start together find each other", () => {
  for (const others of [0, 6, 28]) {
    test(`in a network of ${others + 2} nodes, at once`, async () => {
      const pair = await friends(new World({ seed: `at once ${others}`, link: FAST }), others);
      pair.alice.dht.connect();
      pair.bob.dht.connect();
      expect(await untilBothKnow(pair, 5_000)).toBeLessThan(200);
    });

    test(`in a network of ${others + 2} nodes on the Internet, within five round trips of 240 ms`, async () => {
      const pair = await friends(new World({ seed: `internet ${others}` }), others);
      pair.alice.dht.connect();
      pair.bob.dht.connect();
      expect(await untilBothKnow(pair, 10_000)).toBeLessThan(1_200);
      expect(pair.alice.client.connection).toBe("udp");
    });

    test(`in a network of ${others + 2} nodes that loses every fifth datagram`, async () => {
      const world = new World({ seed: `lossy ${others}`, link: { loss: 0.2 } });
      world.dhtRequests = false;
      const pair = await friends(world, others);
      const { alice, bob, ofBob, ofAlice } = pair;
      alice.dht.connect();
      bob.dht.connect();
      const oneKnows = () => knowsKey(ofBob, bob) || knowsKey(ofAlice, alice);
      await world.universe.runUntil(oneKnows, { timeout: 20_000, what: "one to know the other's key" });
      await untilBothKnow(pair, 90_000);
    });
  }

  test("on a LAN", async () => {
    const world = new World({ seed: "lan", link: FAST });
    const alice = await world.person("alice", undefined, world.universe.host("alice", { ipv4: "192.168.1.2" }));
    const bob = await world.person("bob", undefined, world.universe.host("bob", { ipv4: "192.168.1.3" }));
    const pair = {
      world,
      alice,
      bob,
      ofBob: watch(alice, bob.self.publicKey),
      ofAlice: watch(bob, alice.self.publicKey),
    };
    alice.dht.connect();
    bob.dht.connect();
    expect(await untilBothKnow(pair, 5_000)).toBeLessThan(200);
  });

  test("while LAN nodes stand among those of the Internet, which cannot reach them", async () => {
    const world = new World({ seed: "mixed", link: FAST });
    const lanNodes = await Promise.all([1, 2, 3].map((i) => world.machine(`lan-${i}`, `192.168.7.${i}`)));
    world.universe.partition(
      lanNodes.map(({ host }) => host),
      world.universe.hosts.filter((host) => !lanNodes.some((machine) => machine.host === host)),
    );
    await acquainted(world, 6);
    for (const { host } of lanNodes) expect(host.edges.metrics.get("udp.received")).toBe(0);
  });

  test("and only they are announced, not who searches", async () => {
    const { world } = await acquainted(new World({ seed: "searchers", link: FAST }), 6);
    await world.universe.run(60_000);
    for (const { server } of world.machines) expect(server.announcements).toBe(2);
  });

  test("and the same seed gives the same datagrams", async () => {
    const hashes: string[] = [];
    for (let run = 0; run < 2; run++) {
      const world = new World({ seed: "twice", link: FAST });
      world.universe.trace.start();
      await acquainted(world, 6);
      hashes.push(world.universe.traceHash());
    }
    expect(hashes[0]).toBe(hashes[1]);
  });
});

test("two who know each other's key but get no session tell each other ever more seldom", async () => {
  const { world, alice, bob } = await acquainted(new World({ seed: "no session", link: FAST }), 6);
  const told = () => [alice, bob].map(({ host }) => host.edges.metrics.get("onion.dhtPublicKey.received"));
  const requested = () => alice.dht.requests + bob.dht.requests;
  await world.universe.run(60_000);
  const [packets, requests] = [told(), requested()];
  await world.universe.run(300_000);
  // each to 8 announce nodes every 30 s and by the DHT every 20 s, and as many answers
  for (const [i, count] of told().entries()) expect(count - (packets[i] as number)).toBeLessThan(2 * (8 * 10 + 15));
  expect(requested() - requests).toBeLessThan(2 * 2 * 15);
});

describe("announcing", () => {
  test("takes no more than a few round trips and then rests", async () => {
    const world = new World({ seed: "announce" });
    const [alice] = await strangers(world, 28);
    let at = 0;
    alice.client.onConnection(() => {
      at = world.universe.now;
    });
    alice.dht.connect();
    await world.universe.run(3_000);
    expect(at).toBeLessThan(3 * 240);
    expect(alice.client.announced).toEqual({ live: 12, announced: 12 });
    const { metrics, clock } = alice.host.edges;
    await world.universe.run(600_000);
    const [sent, fired] = [metrics.get("onion.announceRequest.sent"), clock.fired];
    await world.universe.run(600_000);
    expect(alice.client.announced).toEqual({ live: 12, announced: 12 });
    expect(metrics.get("onion.announceRequest.sent") - sent).toBeLessThan(12 * 10);
    expect(clock.fired - fired).toBeLessThan(200);
  });

  test("goes on when half of the nodes vanish", async () => {
    const pair = await acquainted(new World({ seed: "vanish", link: FAST }), 28);
    const { world, alice, bob } = pair;
    const victims = world.machines.filter(({ host }) => host !== alice.host && host !== bob.host).slice(0, 14);
    for (const machine of victims) world.crash(machine);
    await world.universe.run(240_000);
    const { live, announced } = alice.client.announced;
    expect(live).toBe(12);
    expect(announced).toBe(12);
    expect(alice.client.connection).toBe("udp");
  });

  test("the connection ends when answers stay out, and with the DHT's, and comes back", async () => {
    const { world, alice } = await acquainted(new World({ seed: "cable", link: FAST }), 6);
    const changes: string[] = [];
    alice.client.onConnection((connection) => changes.push(connection));
    alice.host.goOffline();
    await world.universe.run(60_000);
    expect(alice.client.connection).toBe("udp");
    await world.universe.run(35_000);
    expect(alice.client.connection).toBe("none");
    alice.host.goOnline();
    await world.universe.run(65_000);
    expect(alice.client.connection).toBe("udp");
    alice.dht.connect(false);
    expect(alice.client.connection).toBe("none");
    alice.dht.connect();
    await world.universe.run(1_000);
    expect(alice.client.connection).toBe("udp");
    expect(changes).toEqual(["none", "udp", "none", "udp"]);
  });

  test("while nobody answers, waits for answers instead of looking for them", async () => {
    const world = new World({ seed: "silent nodes" });
    const [alice] = await strangers(world, 20);
    alice.dht.connect();
    await world.universe.run(20_000);
    expect(alice.client.announced.announced).toBe(12);
    world.universe.partition(
      [alice.host],
      world.machines.filter((other) => other !== alice).map(({ host }) => host),
    );
    await world.universe.run(60_000);
    const { clock } = alice.host.edges;
    const fired = clock.fired;
    await world.universe.run(300_000);
    expect(clock.fired - fired).toBeLessThan(5_000);
  });
});

describe("friend requests", () => {
  test("the longest one arrives unharmed, as soon as the person is found", async () => {
    const world = new World({ seed: "request" });
    const [alice, bob] = await strangers(world, 6);
    bob.dht.connect();
    await world.universe.run(5_000);
    const data = new Uint8Array(4 + 921).map((_, i) => i);
    const received: Array<{ sender: Uint8Array; data: Uint8Array }> = [];
    bob.client.onFriendRequest((sender, bytes) => received.push({ sender, data: bytes.slice() }));
    let sentTo = 0;
    const ofBob = watch(alice, bob.self.publicKey, (friend) => {
      sentTo = friend.sendFriendRequest(data);
    });
    expect(ofBob.friend.sendFriendRequest(data)).toBe(0);
    const start = world.universe.now;
    alice.dht.connect();
    await world.universe.runUntil(() => received.length > 0, { timeout: 5_000 });
    expect(world.universe.now - start).toBeLessThan(750);
    await world.universe.run(1_000);
    expect(sentTo).toBeGreaterThan(1);
    expect(received[0]).toEqual({ sender: alice.self.publicKey, data });
    expect(ofBob.friend.sendFriendRequest(new Uint8Array(947))).toBeGreaterThan(0);
    expect(ofBob.friend.sendFriendRequest(new Uint8Array(948))).toBe(0);
  });

  test("one that is sent while few nodes were known to keep the person goes to those found later too", async () => {
    const world = new World({ seed: "latecomers" });
    const [alice, bob] = await strangers(world, 12);
    bob.dht.connect();
    await world.universe.run(5_000);
    let copies = 0;
    bob.client.onFriendRequest(() => void copies++);
    let sentTo = 0;
    watch(alice, bob.self.publicKey, (friend) => {
      sentTo = friend.sendFriendRequest(Uint8Array.of(0, 0, 0, 1, 72));
    });
    alice.dht.connect();
    await world.universe.run(5_000);
    expect(sentTo).toBeLessThan(8);
    expect(copies).toBe(7); // eight nodes of a friend are known, and one of them is his own
  });

  test("who could not send one, since what was known had grown old, is told when it can be sent", async () => {
    const world = new World({ seed: "too late" });
    const [alice, bob] = await strangers(world, 6);
    alice.dht.connect();
    bob.dht.connect();
    await world.universe.run(5_000);
    const request = Uint8Array.of(0, 0, 0, 1, 72);
    const ofBob = watch(alice, bob.self.publicKey);
    await world.universe.run(5_000);
    expect(ofBob.reachable).toBe(1);
    alice.host.goOffline();
    await world.universe.run(330_000);
    expect(ofBob.friend.sendFriendRequest(request)).toBe(0);
    alice.host.goOnline();
    await world.universe.runUntil(() => ofBob.reachable === 2, { timeout: 120_000, what: "another chance" });
    expect(ofBob.friend.sendFriendRequest(request)).toBeGreaterThan(0);
  });

  test("who accepts one is known to the other at once, and knows him", async () => {
    const world = new World({ seed: "accept" });
    const [alice, bob] = await strangers(world, 6);
    alice.dht.connect();
    bob.dht.connect();
    await world.universe.run(5_000);
    let ofAlice: Watched | undefined;
    bob.client.onFriendRequest((sender) => {
      ofAlice ??= watch(bob, sender);
    });
    const start = world.universe.now;
    const ofBob = watch(alice, bob.self.publicKey, (friend) => friend.sendFriendRequest(Uint8Array.of(0, 0, 0, 1, 72)));
    const done = () => ofAlice !== undefined && knowsKey(ofAlice, alice) && knowsKey(ofBob, bob);
    await world.universe.runUntil(done, { timeout: 10_000 });
    expect(world.universe.now - start).toBeLessThan(1_500);
  });
});

describe("coming and going", () => {
  test("somebody absent for hours is found within moments of coming", async () => {
    const world = new World({ seed: "absent" });
    const pair = await friends(world, 10);
    pair.alice.dht.connect();
    await world.universe.run(4 * 3_600_000);
    pair.bob.dht.connect();
    expect(await untilBothKnow(pair, 30_000)).toBeLessThan(3_000);
  });

  test("somebody who is asked for friendship and does not know us is found soon after he comes, hours later", async () => {
    for (const seed of [1, 2, 3]) {
      const world = new World({ seed: `asked for hours ${seed}` });
      const [alice, bob] = await strangers(world, 10);
      const request = Uint8Array.of(0, 0, 0, 1, 72);
      const ofBob = watch(alice, bob.self.publicKey, (friend) => friend.sendFriendRequest(request));
      expect(ofBob.friend.sendFriendRequest(request)).toBe(0);
      let asked = 0;
      bob.client.onFriendRequest(() => asked++);
      alice.dht.connect();
      await world.universe.run(4 * 3_600_000);
      bob.dht.connect();
      await world.universe.runUntil(() => asked > 0, { timeout: 35_000, what: "the friend request" });
    }
  });

  test("somebody who restarts is found under his new DHT key, though it is the same second", async () => {
    const pair = await acquainted(new World({ seed: "restart", link: FAST }), 6);
    const { world, alice, bob, ofBob } = pair;
    const old = bob.dht.keyPair.publicKey;
    world.crash(bob);
    const reborn = await world.person("bob", bob.self, bob.host);
    const ofAlice = watch(reborn, alice.self.publicKey);
    reborn.dht.connect();
    await untilBothKnow({ ...pair, bob: reborn, ofAlice }, 5_000);
    expect(reborn.dht.keyPair.publicKey).not.toEqual(old);
    expect(ofBob.keys.at(0)).toEqual(old);
  });

  test("nothing is sent for a friend who is online, nor for one who was removed", async () => {
    const { world, alice, bob, ofBob, ofAlice } = await acquainted(new World({ seed: "online", link: FAST }), 6);
    ofBob.friend.setOnline(true);
    ofAlice.friend.remove();
    const { metrics } = alice.host.edges;
    await world.universe.run(2_000);
    const data = metrics.get("onion.dataRequest.sent") + bob.host.edges.metrics.get("onion.dataRequest.sent");
    const requests = alice.dht.requests + bob.dht.requests;
    await world.universe.run(200_000);
    expect(metrics.get("onion.dataRequest.sent") + bob.host.edges.metrics.get("onion.dataRequest.sent")).toBe(data);
    expect(alice.dht.requests + bob.dht.requests).toBe(requests);
    expect(() => bob.client.addFriend(alice.self.publicKey, ofAlice)).not.toThrow();
    expect(() => alice.client.addFriend(bob.self.publicKey, ofBob)).toThrow(/already/);
  });

  test("a DHT key known from elsewhere is told ours by DHT request, whatever the onion does", async () => {
    const world = new World({ seed: "by dht", link: FAST });
    const { alice, bob, ofBob, ofAlice } = await friends(world, 6);
    world.universe.network.addFilter((bytes) => bytes[0] !== PacketId.OnionRequest0);
    alice.dht.connect();
    bob.dht.connect();
    ofBob.friend.setDhtPublicKey(bob.dht.keyPair.publicKey);
    await world.universe.runUntil(() => knowsKey(ofAlice, alice) && knowsKey(ofBob, bob), { timeout: 1_000 });
    expect(bob.dht.considered.length).toBeGreaterThan(0);
    const before = alice.dht.requests;
    await world.universe.run(60_000);
    expect(alice.dht.requests - before).toBeGreaterThanOrEqual(3);
    expect(alice.dht.requests - before).toBeLessThan(6);
  });

  test("closing leaves no timer and answers nothing", async () => {
    const { world, alice, ofBob } = await acquainted(new World({ seed: "close", link: FAST }), 6);
    alice.client.close();
    alice.client.close();
    alice.server.close();
    expect(alice.host.edges.clock.pending).toBe(0);
    const keys = ofBob.keys.length;
    await world.universe.run(60_000);
    expect(ofBob.keys.length).toBe(keys);
    expect(() => alice.client.addFriend(alice.self.publicKey, ofBob)).toThrow(/closed/);
  });
});

describe("what absent friends cost", () => {
  const spent = (person: Person) => {
    const { metrics } = person.host.edges;
    return metrics.get("udp.sent") + metrics.get("udp.received");
  };

  async function waiting(count: number): Promise<{ world: World; alice: Person }> {
    const world = new World({ seed: `absent ${count}`, link: FAST });
    await world.fill(11);
    const alice = await world.person("alice");
    for (let i = 0; i < count; i++) watch(alice, alice.crypto.keyPair().publicKey);
    alice.dht.connect();
    return { world, alice };
  }

  // toxcore 0.2.18 asks a node every five minutes for each absent friend: 40 requests a minute for 200, at its calmest
  test("200 of them: hardly anything after a while", async () => {
    const { world, alice } = await waiting(200);
    const { metrics } = alice.host.edges;
    await world.universe.run(60_000);
    expect(metrics.get("onion.announceRequest.sent")).toBeLessThan(12 * 200);
    await world.universe.run(3 * 3_600_000);
    const before = metrics.get("onion.announceRequest.sent");
    await world.universe.run(3_600_000);
    expect((metrics.get("onion.announceRequest.sent") - before) / 60).toBeLessThan(9 + 4); // 9 for ourselves
  });

  test("1000 of them: never more than 200 datagrams a second with their answers", async () => {
    const { world, alice } = await waiting(1_000);
    let most = 0;
    for (let second = 0; second < 90; second++) {
      const before = spent(alice);
      await world.universe.run(1_000);
      if (second > 2) most = Math.max(most, spent(alice) - before);
    }
    expect(most).toBeLessThan(200);
  });
});
