import { beforeEach, describe, expect, it } from "vitest";
import { Person, PoolWorld, place, type Reached, type Somewhere } from "./pool_world.ts";

let world: PoolWorld;
let alice: Person;

beforeEach(() => {
  world = new PoolWorld();
  alice = new Person(world);
});

const MINUTE = 60_000;

async function relaysAt(...addresses: string[]): Promise<Somewhere[]> {
  return Promise.all(addresses.map((address) => world.relayAt(address)));
}

const teller = (from?: string) => ({
  from: from === undefined ? undefined : place(from, 33445),
  mayTakeNew: () => true,
});

describe("the relays that we keep for ourselves", () => {
  it("are three, in three networks, of many", async () => {
    const relays = await relaysAt(...[1, 2, 3, 4].flatMap((i) => [`203.0.${i}.1`, `203.0.${i}.2`, `203.0.${i}.3`]));
    for (const { target } of relays) alice.pool.addRelay(target);
    await world.run(1000);
    expect(new Set(alice.connected.map((address) => address.split(".")[2])).size).toBe(3);
    expect(alice.connected.length).toBe(3);
    expect(alice.attempts.length).toBeLessThan(8);
    await world.run(10 * MINUTE);
    expect(alice.connected.length).toBe(3);
    expect(alice.attempts.length).toBeLessThan(8);
  });

  it("are those that answer first", async () => {
    const relays = await relaysAt("203.0.1.1", "203.0.2.1", "203.0.3.1", "203.0.4.1", "203.0.5.1");
    for (const [i, relay] of relays.entries()) alice.slow(relay, 100 * i);
    for (const { target } of [...relays].reverse()) alice.pool.addRelay(target);
    await world.run(5000);
    expect(alice.connected.sort()).toEqual(["203.0.1.1", "203.0.2.1", "203.0.3.1"]);
  });

  it("are connected to again after a loss, at once if the connection has lasted", async () => {
    const [relay] = (await relaysAt("203.0.1.1")) as [Somewhere];
    alice.pool.addRelay(relay.target);
    await world.run(2 * MINUTE);
    relay.stop();
    await world.run(100);
    expect(alice.connected).toEqual([]);
    await relay.start();
    await world.run(2100);
    expect(alice.connected).toEqual(["203.0.1.1"]);
  });

  it("are tried more and more rarely while they are gone, but often enough to be there soon after they are back", async () => {
    const relay = world.deadRelayAt("203.0.1.1");
    alice.pool.addRelay(relay.target);
    await world.run(60 * MINUTE);
    expect(alice.attempts.length).toBeGreaterThan(60);
    expect(alice.attempts.length).toBeLessThan(260);
    await relay.start();
    await world.run(31_000);
    expect(alice.connected).toEqual(["203.0.1.1"]);
  });

  it.each([
    ["at once", 0],
    ["after the handshake", 1],
    ["half a minute later", 30_000],
  ])("are left in peace when they hang up %s", async (_when, after) => {
    const [good] = (await relaysAt("203.0.9.1")) as [Somewhere];
    const rogue = world.deadRelayAt("203.0.1.1");
    if (after === 0) await rogue.take((socket) => socket.close());
    else await rogue.rogue((stream) => world.clock.at(world.timeline.now + after, () => stream.close()), answerPings);
    alice.pool.addRelay(good.target);
    alice.pool.addRelay(rogue.target);
    await world.run(60 * MINUTE);
    const tried = alice.attempts.filter((address) => address.startsWith("203.0.1.1")).length;
    expect(tried).toBeGreaterThan(8);
    expect(tried).toBeLessThan(40);
  });

  it("are tried on all the ports that the app has named", async () => {
    const relay = world.deadRelayAt("203.0.1.1");
    await relay.start();
    const { publicKey } = relay.keys;
    for (const port of [1, 2]) alice.pool.addRelay({ publicKey, address: place("203.0.1.1", port) });
    alice.pool.addRelay({ publicKey, address: relay.endpoint });
    await world.run(10_000);
    expect(alice.connected).toEqual(["203.0.1.1"]);
    expect(alice.attempts).toEqual(["203.0.1.1:1", "203.0.1.1:2", `203.0.1.1:${relay.endpoint.port}`]);
  });

  it("are tried at once where the app says that they are, when that is news", async () => {
    const relay = world.deadRelayAt("203.0.1.1");
    await relay.start();
    const dead = { publicKey: relay.keys.publicKey, address: place("203.0.1.1", 7) };
    alice.slow({ endpoint: dead.address }, 5_000);
    alice.pool.addRelay(dead);
    await world.run(1_000);
    alice.pool.addRelay(relay.target);
    await world.run(1_000);
    expect(alice.attempts).toEqual(["203.0.1.1:7", `203.0.1.1:${relay.endpoint.port}`]);
    expect(alice.connected).toEqual(["203.0.1.1"]);
  });

  it("are not begun anew by being named again", async () => {
    const dead = { publicKey: world.crypto.keyPair().publicKey, address: place("203.0.1.1", 7) };
    alice.slow({ endpoint: dead.address }, 5_000);
    for (let i = 0; i < 4; i++) {
      alice.pool.addRelay(dead);
      await world.run(1_000);
    }
    expect(alice.attempts).toEqual(["203.0.1.1:7"]);
  });

  it("are not a friend's as long as there are others", async () => {
    const given = await relaysAt("203.0.1.1", "203.0.2.1", "203.0.3.1");
    const his = await relaysAt("203.1.1.1", "203.1.2.1", "203.1.3.1");
    const { route } = alice.route(world.crypto.keyPair().publicKey);
    route.suggest(his.map(({ node }) => node));
    await world.run(1000);
    expect(alice.connected.length).toBe(3);
    for (const relay of given) alice.slow(relay, 500);
    for (const { target } of given) alice.pool.addRelay(target);
    await world.run(5000);
    route.stop();
    expect(alice.connected.sort()).toEqual(["203.0.1.1", "203.0.2.1", "203.0.3.1"]);
  });

  it("leave nothing behind", async () => {
    const relays = await relaysAt("203.0.1.1", "203.0.2.1");
    for (const { target } of [...relays, world.deadRelayAt("203.0.3.1")]) alice.pool.addRelay(target);
    const friend = alice.route(world.crypto.keyPair().publicKey);
    friend.route.suggest(relays.map(({ node }) => node));
    friend.route.direct = true;
    await world.run(500);
    alice.pool.close();
    alice.pool.close();
    for (const relay of relays) relay.stop();
    await world.run(100);
    expect(world.clock.pending).toBe(0);
    alice.pool.addRelay(world.deadRelayAt("203.0.4.1").target);
    alice.route(world.crypto.keyPair().publicKey).route.suggest(relays.map(({ node }) => node));
    expect(world.clock.pending).toBe(0);
  });
});

describe("a friend's relays", () => {
  it("are connected to for his sake, until he has been reached directly for a while", async () => {
    const given = await relaysAt("203.0.1.1", "203.0.2.1", "203.0.3.1");
    for (const { target } of given) alice.pool.addRelay(target);
    await world.run(1000);
    const [his] = (await relaysAt("203.1.1.1")) as [Somewhere];
    const bob = new Person(world);
    bob.pool.addRelay(his.target);
    const toAlice = bob.route(alice.keys.publicKey);
    const { route, heard, paths } = alice.route(bob.keys.publicKey);
    route.suggest([his.node]);
    await world.run(1000);
    expect(alice.connected).toContain("203.1.1.1");
    expect([paths.size, toAlice.paths.size]).toEqual([1, 1]);
    const [path] = paths;
    expect(path?.send(Uint8Array.of(0x1b, 1))).toBe(true);
    await world.run(10);
    expect(bob.packets.map(({ packet, path: back }) => [packet[0], toAlice.paths.has(back)])).toEqual([[0x1b, true]]);
    route.direct = true;
    await world.run(20_000);
    route.direct = false;
    route.direct = true;
    await world.run(29_000);
    expect(alice.connected).toContain("203.1.1.1");
    await world.run(2000);
    expect(alice.connected).not.toContain("203.1.1.1");
    expect(heard.at(-1)).toBe("lost");
    route.direct = false;
    await world.run(1000);
    expect(alice.connected).toContain("203.1.1.1");
    route.stop();
    await world.run(10);
    expect(alice.connected).not.toContain("203.1.1.1");
  });

  it("serve him however many others claim his key", async () => {
    const [relay] = (await relaysAt("203.0.1.1")) as [Somewhere];
    const bob = new Person(world);
    for (const { pool } of [alice, bob]) pool.addRelay(relay.target);
    bob.route(alice.keys.publicKey);
    const honest = alice.route(bob.keys.publicKey);
    await world.run(100);
    const liar = alice.route(bob.keys.publicKey);
    const [path] = honest.paths;
    expect([...liar.paths]).toEqual([path]);
    liar.route.stop();
    await world.run(100);
    expect(honest.heard).toEqual(["path"]);
    expect(path?.send(Uint8Array.of(0x1b))).toBe(true);
    await world.run(10);
    expect(bob.packets.length).toBe(1);
    honest.route.stop();
    expect(path?.send(Uint8Array.of(0x1b))).toBe(false);
  });

  it("lead to him by the way that he came by, when he begins", async () => {
    const [relay] = (await relaysAt("203.0.1.1")) as [Somewhere];
    const bob = new Person(world);
    for (const { pool } of [alice, bob]) pool.addRelay(relay.target);
    bob.route(alice.keys.publicKey).route.suggest([relay.node]);
    await world.run(100);
    const paths: unknown[] = [];
    let reached: Reached | undefined;
    alice.pool.onPacket = (_packet, path, peer) => {
      paths.push(path);
      reached ??= alice.route(peer);
    };
    const [toAlice] = bob.route(alice.keys.publicKey).paths;
    const oob = bob.pool.routeTo(alice.keys.publicKey, {
      onPath: (path) => void path.send(Uint8Array.of(0x1a)),
      onLost: () => undefined,
    });
    oob.suggest([relay.node]);
    expect(toAlice).toBeUndefined();
    await world.run(100);
    expect(paths.length).toBeGreaterThan(0);
    expect(new Set([...paths, ...(reached?.paths ?? [])]).size).toBe(1);
    relay.stop();
    await world.run(100);
    expect(reached?.heard.at(-1)).toBe("lost");
  });

  it("are so many as there is room for, but each friend gets one, and ours keep theirs", async () => {
    const hostile = Array.from({ length: 20 }, () => alice.route(world.crypto.keyPair().publicKey));
    for (const [i, { route }] of hostile.entries()) {
      const named = [1, 2, 3, 4, 5, 6].map((j) => world.deadRelayAt(`203.${i}.${j}.1`).start());
      route.suggest((await Promise.all(named)).map(({ node }) => node));
    }
    await world.run(1000);
    expect(alice.attempts.length).toBeLessThanOrEqual(24);
    for (const { target } of await relaysAt("192.0.1.1", "192.0.2.1", "192.0.3.1")) alice.pool.addRelay(target);
    await world.run(1000);
    expect(alice.connected.filter((address) => address.startsWith("192.")).length).toBe(3);
  });

  it("are told to nobody else, nor are ours in a LAN to who is not in it", async () => {
    const [ours, inLan, his] = (await relaysAt("203.0.1.1", "10.0.0.7", "203.1.1.1")) as Somewhere[];
    const { route } = alice.route(world.crypto.keyPair().publicKey);
    for (const relay of [ours, inLan, world.deadRelayAt("203.0.4.1")]) if (relay) alice.pool.addRelay(relay.target);
    for (const { target } of await relaysAt("203.0.2.1")) alice.pool.addRelay(target);
    await world.run(1000);
    if (his) route.suggest([his.node]);
    await world.run(1000);
    const told = (at?: string) =>
      alice.pool
        .toShare(8, at === undefined ? undefined : place(at, 1))
        .map(({ endpoint }) => endpoint.address.join("."));
    expect(told().sort()).toEqual(["203.0.1.1", "203.0.2.1"]);
    expect(told("192.0.2.9").sort()).toEqual(["203.0.1.1", "203.0.2.1"]);
    expect(told("10.0.0.9").sort()).toEqual(["10.0.0.7", "203.0.1.1", "203.0.2.1"]);
    expect(alice.pool.toShare(1).length).toBe(1);
  });

  it("are told to nobody else even where we are found over them for lack of others, and left when he goes", async () => {
    const his = await relaysAt("203.1.1.1");
    const { route } = alice.route(world.crypto.keyPair().publicKey);
    alice.route(world.crypto.keyPair().publicKey);
    route.suggest(his.map(({ node }) => node));
    await world.run(1000);
    expect(alice.connected).toEqual(["203.1.1.1"]);
    expect(alice.pool.toShare(8)).toEqual([]);
    route.stop();
    await world.run(1000);
    expect(alice.connected).toEqual([]);
  });

  it("are found where an honest friend says although another has said eight other places", async () => {
    const [relay] = (await relaysAt("203.0.1.1")) as [Somewhere];
    const liar = alice.route(world.crypto.keyPair().publicKey);
    const honest = alice.route(world.crypto.keyPair().publicKey);
    for (let i = 1; i <= 8; i++) {
      liar.route.suggest([{ ...relay.node, endpoint: place(`203.9.${i}.1`, 443) }], teller("203.9.9.9"));
      await world.run(20_000);
    }
    honest.route.suggest([relay.node], teller("203.0.9.9"));
    await world.run(1_000);
    expect(alice.connected).toEqual(["203.0.1.1"]);
  });

  it("have one address for each new one that he may name, however few relays they are", async () => {
    const { route } = alice.route(world.crypto.keyPair().publicKey);
    const { publicKey } = world.crypto.keyPair();
    let left = 2;
    for (let i = 1; i <= 8; i++) {
      const endpoint = place(`203.9.${i}.1`, 443);
      route.suggest([{ publicKey, endpoint, transport: "tcp" }], { from: undefined, mayTakeNew: () => left-- > 0 });
      await world.run(1_000);
    }
    await world.run(MINUTE);
    expect(new Set(alice.attempts).size).toBe(2);
  });

  it("give the place of a friend who goes to one who waits for it", async () => {
    const [relay] = (await relaysAt("203.0.1.1")) as [Somewhere];
    alice.pool.addRelay(relay.target);
    await world.run(1000);
    const keys = Array.from({ length: 241 }, () => world.crypto.keyPair());
    const friends = keys.map(({ publicKey }) => alice.route(publicKey));
    const last = new Person(world, keys[240]);
    last.pool.addRelay(relay.target);
    last.route(alice.keys.publicKey);
    await world.run(2000);
    expect(friends[240]?.paths.size).toBe(0);
    friends[0]?.route.stop();
    await world.run(2000);
    expect(friends[240]?.paths.size).toBe(1);
  });

  it.each([
    ["the LAN", "10.0.0.7", 3389],
    ["our machine", "127.0.0.1", 3389],
    ["our machine, mapped", "::ffff:127.0.0.1", 3389],
    ["the link", "fe80::1", 3389],
    ["the link, IPv4", "169.254.169.254", 80],
    ["a multicast group", "224.0.0.1", 3389],
    ["nowhere", "0.0.0.0", 3389],
    ["port 0", "203.0.113.9", 0],
    ["a mail server", "203.0.113.9", 25],
  ])("are not in %s on the word of somebody on the Internet", async (_where, address, port) => {
    const { route } = alice.route(world.crypto.keyPair().publicKey);
    const named = world.deadRelayAt(address, port);
    for (const from of [undefined, "203.0.113.9"]) route.suggest([named.node], teller(from));
    await world.run(100);
    expect(alice.attempts).toEqual([]);
  });

  it("are in our LAN when he is, or when all of ours are; and on our machine only when he is there too", async () => {
    const { route } = alice.route(world.crypto.keyPair().publicKey);
    const local = world.deadRelayAt("127.0.0.1");
    route.suggest([world.deadRelayAt("10.0.0.7").node, local.node], teller("10.0.0.9"));
    await world.run(100);
    expect(alice.attempts).toEqual([expect.stringMatching(/^10\.0\.0\.7/)]);
    alice.pool.addRelay((await world.relayAt("127.0.0.1")).target);
    route.suggest([local.node], teller());
    await world.run(100);
    expect(alice.attempts.filter((address) => address.startsWith("127")).length).toBe(2);
  });
});

describe("a relay of our own", () => {
  it("makes us its client, and is told to friends as toxcore does", async () => {
    const server = world.deadRelayAt("127.0.0.1", 3390);
    const own = new Person(world, server.keys);
    await server.start();
    own.pool.addOurServer(server.endpoint, server.endpoint);
    own.pool.addRelay(server.target);
    const guest = new Person(world);
    guest.pool.addRelay({ publicKey: server.keys.publicKey, address: place("203.0.113.4", 3390) });
    const [toGuest, toOwn] = [own.route(guest.keys.publicKey), guest.route(own.keys.publicKey)];
    await world.run(100);
    expect([toGuest.paths.size, toOwn.paths.size]).toEqual([1, 1]);
    expect(own.pool.toShare(3, place("203.0.113.9", 1))).toEqual([server.node]);
    expect(own.pool.hops()).toEqual([]);
    for (const { target } of await relaysAt("203.0.1.1", "203.0.2.1", "203.0.3.1")) own.pool.addRelay(target);
    await world.run(1000);
    expect(own.connected.length).toBe(3);
    expect(own.pool.toShare(3).length).toBe(3);
  });
});

describe("a relay that means ill", () => {
  /** A relay that says of every peer that he is there, `flips` times a second that he is gone and back. */
  async function flipping(flips: number) {
    const rogue = world.deadRelayAt("203.0.1.1");
    let ids = 15;
    await rogue.rogue(
      () => {},
      (packet, stream) => {
        answerPings(packet, stream);
        if (packet[0] !== 0) return;
        const id = ++ids;
        stream.send(Uint8Array.of(1, id, ...packet.subarray(1, 33)));
        let sent = 0;
        const flip = () => {
          for (let i = 0; i < flips / 100; i++) stream.send(Uint8Array.of(sent++ % 2 === 0 ? 2 : 3, id));
          if (sent < 20 * flips) world.clock.at(world.timeline.now + 10, flip);
        };
        flip();
      },
    );
    alice.pool.addRelay(rogue.target);
    return alice.route(world.crypto.keyPair().publicKey);
  }

  it("has us try a friend by it now and then, however often it says that he came", async () => {
    const { heard } = await flipping(4000);
    await world.run(20_000);
    expect(heard.filter((what) => what === "path").length).toBeLessThan(8 + 11);
    expect(heard.filter((what) => what === "path").length).toBeGreaterThan(8);
  });

  it("is believed in the end", async () => {
    const { heard, paths } = await flipping(100);
    await world.run(60_000);
    expect(heard.length).toBeGreaterThan(8);
    const before = heard.length;
    expect(paths.size).toBe(0);
    await world.run(60_000);
    expect(heard.length).toBe(before);
  });

  it("is left for a while when it floods us with pings or notices about nothing", async () => {
    for (const [i, bytes] of [
      [2, 99],
      [1, 20, ...new Uint8Array(32)],
      [4, 0, 0, 0, 0, 0, 0, 0, 1],
    ].entries()) {
      const rogue = world.deadRelayAt(`203.0.${i}.1`);
      const person = new Person(world);
      let sent = 0;
      await rogue.rogue((stream) => {
        const flood = () => {
          for (let j = 0; j < 50 && stream.send(Uint8Array.from(bytes)); j++) sent++;
          if (sent < 20_000) world.clock.at(world.timeline.now + 10, flood);
        };
        flood();
      }, answerPings);
      person.pool.addRelay(rogue.target);
      await world.run(5000);
      expect(world.metrics.get("relay.client.closed.flooding")).toBeGreaterThan(0);
      expect(person.attempts.length).toBeLessThan(4);
      person.pool.close();
    }
  });

  it("does not get data packets taken as though somebody had sent them out of band", async () => {
    const rogue = world.deadRelayAt("203.0.1.1");
    const peer = world.crypto.keyPair().publicKey;
    await rogue.rogue((stream) => {
      for (const id of [0x1b, 0x18, 0x19, 0x1a, 0x20]) stream.send(Uint8Array.of(7, ...peer, id, 1, 2));
    }, answerPings);
    alice.pool.addRelay(rogue.target);
    await world.run(100);
    expect(alice.packets.map(({ packet }) => packet[0])).toEqual([0x18, 0x19, 0x1a]);
  });
});

function answerPings(packet: Uint8Array, stream: { send(packet: Uint8Array): boolean }): void {
  if (packet[0] === 4) stream.send(Uint8Array.of(5, ...packet.subarray(1)));
}
