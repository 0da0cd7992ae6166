import { describe, expect, test } from "vitest";
import type { Endpoint } from "../../../../src/env/datagram.ts";
import { randomBytes } from "../../../../src/util/random_numbers.ts";
import { encodeDhtPublicKeyPacket, encodeSealedDhtPublicKey } from "../../../../src/wire/onion/dht_public_key.ts";
import { OnionDataId } from "../../../../src/wire/onion/onion_data.ts";
import { PacketId } from "../../../../src/wire/packet_ids.ts";
import { corrupt } from "./hostile_nodes.ts";
import { knowsKey, type Person, type Watched, World, watch } from "./support.ts";

const FAST = { latency: [0.5, 1] } as const;

interface Captured {
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
}

/** Copies what arrives at a person under a packet id. */
function capture(world: World, person: Person, id: number): Captured[] {
  const captured: Captured[] = [];
  world.universe.network.addFilter((bytes, from, to) => {
    const { endpoint } = person.node;
    if (bytes[0] === id && to.address.join() === endpoint.address.join()) captured.push({ bytes: bytes.slice(), from });
    return true;
  });
  return captured;
}

async function people(seed: string, others: number): Promise<{ world: World; alice: Person; bob: Person }> {
  const world = new World({ seed, link: FAST });
  await world.fill(others);
  return { world, alice: await world.person("alice"), bob: await world.person("bob") };
}

const dropped = (person: Person, name: string) => person.host.edges.metrics.get(`drop.${name}`);

describe("replays", () => {
  test("a DHT key told before is not taken again, until the friend has gone offline", async () => {
    const { world, alice, bob } = await people("replay", 6);
    world.dhtRequests = false;
    const captured = capture(world, alice, PacketId.OnionDataResponse);
    const ofBob = watch(alice, bob.self.publicKey);
    watch(bob, alice.self.publicKey);
    alice.dht.connect();
    bob.dht.connect();
    await world.universe.runUntil(() => knowsKey(ofBob, bob), { timeout: 5_000 });
    bob.client.close();
    await world.universe.run(5_000);
    const old = captured.at(-1);
    expect(old).toBeDefined();
    if (old === undefined) return;
    const [told, replays] = [ofBob.keys.length, dropped(alice, "dhtPublicKey.replayed")];
    world.universe.network.inject(old.bytes, old.from, alice.node.endpoint);
    await world.universe.run(10);
    expect(ofBob.keys.length).toBe(told);
    expect(dropped(alice, "dhtPublicKey.replayed")).toBe(replays + 1);

    ofBob.friend.setOnline(true);
    ofBob.friend.setOnline(false);
    world.universe.network.inject(old.bytes, old.from, alice.node.endpoint);
    await world.universe.run(10);
    expect(ofBob.keys.length).toBe(told + 1);
  });

  test("a DHT key told before never makes a friend who is there look gone", async () => {
    const { world, alice, bob } = await people("ghost", 6);
    world.dhtRequests = false;
    const captured = capture(world, alice, PacketId.OnionDataResponse);
    const ofBob = watch(alice, bob.self.publicKey);
    watch(bob, alice.self.publicKey);
    alice.dht.connect();
    bob.dht.connect();
    await world.universe.runUntil(() => knowsKey(ofBob, bob), { timeout: 5_000 });
    bob.client.close();
    await world.universe.run(5_000);
    ofBob.friend.setOnline(true);
    ofBob.friend.setOnline(false);
    // He comes back with another DHT key, and his handshake is quicker than his announcement of it.
    ofBob.friend.setDhtPublicKey(bob.crypto.keyPair().publicKey);
    ofBob.friend.setOnline(true);
    const told = ofBob.keys.length;
    for (const old of captured) world.universe.network.inject(old.bytes, old.from, alice.node.endpoint);
    await world.universe.run(10);
    expect(captured.length).toBeGreaterThan(0);
    expect(ofBob.keys.length).toBe(told);
  });

  test("onion data is taken from the way that we announced, and from nowhere else", async () => {
    const { world, alice, bob } = await people("way", 6);
    const captured = capture(world, alice, PacketId.OnionDataResponse);
    watch(alice, bob.self.publicKey);
    watch(bob, alice.self.publicKey);
    alice.dht.connect();
    bob.dht.connect();
    await world.universe.run(2_000);
    const [first] = captured;
    expect(first).toBeDefined();
    if (first === undefined) return;
    const stranger = world.universe.host("stranger").endpoint(33445);
    world.universe.network.inject(first.bytes, stranger, alice.node.endpoint);
    await world.universe.run(10);
    expect(dropped(alice, "onionDataResponse.wrong-address")).toBe(1);
  });

  test("an announce response serves once, and only on the path that it was asked over", async () => {
    const { world, alice } = await people("response", 6);
    const captured = capture(world, alice, PacketId.AnnounceResponse);
    let elsewhere: Captured | undefined;
    const stop = world.universe.network.addFilter((bytes, from, to) => {
      if (
        bytes[0] !== PacketId.AnnounceResponse ||
        elsewhere ||
        to.address.join() !== alice.node.endpoint.address.join()
      )
        return true;
      elsewhere = { bytes: bytes.slice(), from };
      return false;
    });
    alice.dht.connect();
    await world.universe.runUntil(() => captured.length > 4, { timeout: 2_000 });
    stop();
    const stranger = world.universe.host("stranger").endpoint(33445);
    expect(elsewhere).toBeDefined();
    if (elsewhere) world.universe.network.inject(elsewhere.bytes, stranger, alice.node.endpoint);
    const again = captured[1];
    if (again) world.universe.network.inject(again.bytes, again.from, alice.node.endpoint);
    await world.universe.run(5);
    expect(dropped(alice, "announceResponse.wrong-address")).toBe(1);
    expect(dropped(alice, "announceResponse.unsolicited")).toBe(1);
  });
});

describe("lies", () => {
  test("an announce node that names its own data key neither hides a friend nor learns who writes to him", async () => {
    const { world, alice, bob } = await people("liar", 7);
    const liar = world.machines[2];
    if (liar === undefined) throw new Error("no liar");
    const lie = liar.crypto.keyPair().publicKey;
    const seen = corrupt(liar, () => ({
      ...{ isStored: 1, pingIdOrDataKey: lie, groupAnnounces: new Uint8Array(0) },
      nodes: liar.dht.closestNodes(lie, 4, false),
    }));
    const ofBob = watch(alice, bob.self.publicKey);
    alice.dht.connect();
    await world.universe.run(40_000);
    expect(seen.asked).toBeGreaterThan(0);
    expect(seen.data).toBe(0);
    expect(ofBob.reachable).toBe(0);

    const ofAlice = watch(bob, alice.self.publicKey);
    bob.dht.connect();
    const start = world.universe.now;
    await world.universe.runUntil(() => knowsKey(ofBob, bob) && knowsKey(ofAlice, alice), { timeout: 5_000 });
    expect(world.universe.now - start).toBeLessThan(500);
    expect(seen.data).toBe(0);
    expect(alice.client.connection).toBe("udp");
  });

  test("liars in concert cannot keep the honest nodes from us for ever", async () => {
    const { world, alice, bob } = await people("concert", 6);
    const lie = alice.crypto.keyPair().publicKey;
    const nodes = world.machines.slice(0, 4);
    const seen = nodes.map((liar) =>
      corrupt(liar, () => ({
        ...{ isStored: 1, pingIdOrDataKey: lie, groupAnnounces: new Uint8Array(0) },
        nodes: liar.dht.closestNodes(lie, 4, false),
      })),
    );
    world.dhtRequests = false;
    const ofAlice = watch(bob, alice.self.publicKey);
    alice.dht.connect();
    bob.dht.connect();
    watch(alice, bob.self.publicKey);
    await world.universe.runUntil(() => knowsKey(ofAlice, alice), { timeout: 20_000 });
    expect(seen.some(({ data }) => data > 0)).toBe(true);
  });

  test("nodes that name thousands of others are followed only so far", async () => {
    const { world, alice } = await people("flood", 6);
    for (const liar of world.machines.slice(0, 6)) {
      corrupt(liar, ({ searchedKey }) => ({
        isStored: 0,
        pingIdOrDataKey: new Uint8Array(32),
        groupAnnounces: new Uint8Array(0),
        nodes: [1, 2, 3, 4].map((i) => {
          const publicKey = searchedKey.slice();
          publicKey.set(randomBytes(liar.crypto.random, 4), 28);
          return {
            publicKey: publicKey as typeof liar.node.publicKey,
            endpoint: world.universe.network.intern(Uint8Array.of(198, 18, 200, i), 1),
          };
        }),
      }));
    }
    watch(alice, alice.crypto.keyPair().publicKey);
    alice.dht.connect();
    await world.universe.run(60_000);
    expect(alice.host.edges.metrics.get("onion.announceRequest.sent")).toBeLessThan(60 * 60);
  });
});

describe("DHT keys by DHT request", () => {
  async function tell(inner: "own" | "other" | "forged", sender: "friend" | "stranger") {
    const { world, alice, bob } = await people(`dht ${inner} ${sender}`, 0);
    const ofBob: Watched = watch(alice, bob.self.publicKey);
    const keys = sender === "friend" ? bob.self : bob.crypto.keyPair();
    const shared = bob.crypto.sharedKey(alice.self.publicKey, keys.secretKey);
    if (shared === undefined) throw new Error("no key");
    const dhtPublicKey = inner === "other" ? bob.crypto.keyPair().publicKey : bob.dht.keyPair.publicKey;
    const plain = new Uint8Array(41);
    encodeDhtPublicKeyPacket(plain, { noReplay: 1n, dhtPublicKey, nodes: [] });
    const nonce = bob.crypto.nonce();
    const box = bob.crypto.seal(plain, nonce, shared);
    if (inner === "forged") box[20] = (box[20] ?? 0) ^ 1;
    const packet = new Uint8Array(32 + 24 + box.length);
    encodeSealedDhtPublicKey(packet, { sender: keys.publicKey, nonce, box });
    alice.dht.handlers.get(OnionDataId.DhtPublicKey)?.(bob.dht.keyPair.publicKey, packet);
    await world.universe.run(10);
    return { alice, ofBob };
  }

  test("a friend's own one is taken", async () => {
    expect((await tell("own", "friend")).ofBob.keys.length).toBe(1);
  });

  test.each([
    ["other", "friend", "wrong-key"],
    ["forged", "friend", "forged"],
    ["own", "stranger", "not-for-us"],
  ] as const)("%s of a %s: %s", async (inner, sender, reason) => {
    const { alice, ofBob } = await tell(inner, sender);
    expect(ofBob.keys.length).toBe(0);
    expect(dropped(alice, `dhtPublicKey.${reason}`)).toBe(1);
  });
});

test("noise of every length and changed packets are dropped and counted, never thrown", async () => {
  const { world, alice, bob } = await people("noise", 3);
  const captured = [PacketId.AnnounceResponse, PacketId.OnionDataResponse].map((id) => capture(world, alice, id));
  const ofBob = watch(alice, bob.self.publicKey);
  watch(bob, alice.self.publicKey);
  alice.dht.connect();
  bob.dht.connect();
  await world.universe.runUntil(() => knowsKey(ofBob, bob), { timeout: 5_000 });
  await world.universe.run(20_000);
  const { random } = world.universe;
  const froms = captured.flat().map(({ from }) => from);
  let injected = 0;
  const inject = (bytes: Uint8Array, from: Endpoint | undefined) => {
    if (from === undefined) return;
    injected++;
    world.universe.network.inject(bytes, from, alice.node.endpoint);
  };
  const before = drops(alice);
  for (let length = 1; length < 1400; length += 7) {
    for (const id of [PacketId.AnnounceResponse, PacketId.OnionDataResponse]) {
      const bytes = randomBytes(random, length);
      bytes[0] = id;
      inject(bytes, froms[length % froms.length]);
    }
  }
  for (const { bytes, from } of captured.flat().slice(-20)) {
    const changed = bytes.slice();
    const at = 1 + ((randomBytes(random, 1)[0] ?? 0) % (changed.length - 1));
    changed[at] = (changed[at] ?? 0) ^ 0x40;
    inject(changed, from);
    inject(bytes.subarray(0, bytes.length - 1), from);
  }
  alice.client.onFriendRequest(() => expect.unreachable("no friend request was sent"));
  await world.universe.run(1);
  expect(drops(alice) - before).toBe(injected);
});

function drops(person: Person): number {
  const names = ["announceResponse", "onionDataResponse", "dhtPublicKey"].map((name) => `drop.${name}.`);
  return Object.entries(person.host.edges.metrics.snapshot())
    .filter(([name]) => names.some((prefix) => name.startsWith(prefix)))
    .reduce((sum, [, value]) => sum + value, 0);
}
