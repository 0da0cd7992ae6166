import { beforeEach, describe, expect, it } from "vitest";
import type { KeyPair, PublicKey } from "../../../../src/crypto/keys.ts";
import { buildOnionRequest } from "../../../../src/onion/path_packet.ts";
import type { OnionServer } from "../../../../src/onion/server/onion_server.ts";
import { Universe } from "../../../../src/testing/universe.ts";
import { encodeGroupAnnounce } from "../../../../src/wire/onion/group_announce.ts";
import { encodeOnionDataRequest } from "../../../../src/wire/onion/onion_data.ts";
import type { PackedNode } from "../../../../src/wire/packed_node.ts";
import { type Ask, announceRequest, join, Machine, openResponse, PORT } from "./world.ts";

const SENDBACK = new Uint8Array(177).fill(0xab);
const ZEROS = new Uint8Array(32);

let universe: Universe;
/** Plays the third hop: what it receives from the node begins with 0x8c and the sendback that it made up. */
let hop: Machine;
let node: Machine;
let server: OnionServer;
let alice: KeyPair;
let aliceData: PublicKey;

beforeEach(async () => {
  universe = new Universe({ seed: 11 });
  hop = await Machine.make(universe, "hop");
  node = await Machine.make(universe, "node");
  server = node.serve();
  alice = hop.crypto.keyPair();
  aliceData = hop.crypto.keyPair().publicKey;
});

/** Sends bytes to the node and answers what comes back, without 0x8c and sendback. */
async function exchange(bytes: Uint8Array, through = hop, sendback = SENDBACK): Promise<Uint8Array | undefined> {
  through.send(node, bytes);
  await universe.run(1000);
  const answers = through.take();
  expect(answers.length).toBeLessThanOrEqual(1);
  const [answer] = answers;
  if (answer === undefined) return undefined;
  expect(answer.bytes.slice(0, 178)).toEqual(join([0x8c], sendback));
  return answer.bytes.slice(178);
}

async function ask(asked: Ask, through = hop, sendback = SENDBACK) {
  const { packet, key } = announceRequest(hop.crypto, node.publicKey, asked);
  return openResponse(hop.crypto, await exchange(join(packet, sendback), through, sendback), key);
}

async function announce(keys = alice, data = aliceData, through = hop, sendback = SENDBACK) {
  const { pingIdOrDataKey: pingId } = await ask({ keys, dataPublicKey: data }, through, sendback);
  const answer = await ask({ keys, dataPublicKey: data, pingId }, through, sendback);
  return { pingId, answer };
}

const bob = () => hop.crypto.keyPair();
const search = (searchedKey: PublicKey) => ask({ keys: bob(), searchedKey });

describe("an announce request", () => {
  it("gets a ping_id, and with that is stored", async () => {
    const first = await ask({ keys: alice, dataPublicKey: aliceData });
    expect(first.isStored).toBe(0);
    expect(server.announcements).toBe(0);
    const { answer } = await announce();
    expect(answer.isStored).toBe(2);
    expect(server.announcements).toBe(1);
    expect(await search(alice.publicKey)).toMatchObject({ isStored: 1, pingIdOrDataKey: aliceData });
  });

  it("is answered with its sendback data and the nodes nearest to the searched key", async () => {
    const nodes: PackedNode[] = [1, 2, 3, 4, 5].map((i) => ({
      publicKey: new Uint8Array(32).fill(i) as Uint8Array as PublicKey,
      endpoint: { family: 4, address: Uint8Array.of(198, 51, 100, i), port: PORT },
      transport: "udp",
    }));
    node.dht.nodes = nodes;
    const searchedKey = bob().publicKey;
    const sendbackData = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const { packet, key } = announceRequest(hop.crypto, node.publicKey, { searchedKey, sendbackData });
    const bytes = await exchange(join(packet, SENDBACK));
    expect(bytes?.slice(0, 9)).toEqual(join([0x84], sendbackData));
    expect(openResponse(hop.crypto, bytes, key).nodes).toEqual(nodes.slice(0, 4));
    expect(node.dht.asked).toEqual([{ key: searchedKey, count: 4, lan: false }]);
  });

  it("is told LAN nodes only when it comes from the LAN", async () => {
    const near = await Machine.make(universe, "near", { ipv4: "192.168.1.77" });
    await ask({}, near);
    expect(node.dht.asked.map(({ lan }) => lan)).toEqual([true]);
  });

  it("is answered 0 when the same person is stored with another data key, and then has that key replaced", async () => {
    const { pingId } = await announce();
    const otherData = bob().publicKey;
    expect((await ask({ keys: alice, dataPublicKey: aliceData })).isStored).toBe(2);
    expect((await ask({ keys: alice, dataPublicKey: otherData })).isStored).toBe(0);
    expect((await search(alice.publicKey)).pingIdOrDataKey).toEqual(aliceData);
    expect((await ask({ keys: alice, dataPublicKey: otherData, pingId })).isStored).toBe(2);
    expect((await search(alice.publicKey)).pingIdOrDataKey).toEqual(otherData);
    expect(server.announcements).toBe(1);
  });

  it("with a valid ping_id stores the packet's key, whatever it searches", async () => {
    await announce();
    const eve = bob();
    const { pingIdOrDataKey: pingId } = await ask({ keys: eve });
    const answer = await ask({ keys: eve, pingId, searchedKey: alice.publicKey });
    expect(answer.isStored).toBe(2);
    expect(await search(eve.publicKey)).toMatchObject({ isStored: 1, pingIdOrDataKey: ZEROS });
    expect((await search(alice.publicKey)).pingIdOrDataKey).toEqual(aliceData);
  });

  it("expires after 300 s", async () => {
    await announce();
    await universe.run(298_000);
    expect((await search(alice.publicKey)).isStored).toBe(1);
    await universe.run(1000);
    expect((await search(alice.publicKey)).isStored).toBe(0);
  });
});

describe("a ping_id", () => {
  it("serves only the key and the address that it was given to", async () => {
    const { pingIdOrDataKey: pingId } = await ask({ keys: alice, dataPublicKey: aliceData });
    const otherHop = await Machine.make(universe, "otherHop");
    expect((await ask({ keys: alice, dataPublicKey: aliceData, pingId }, otherHop)).isStored).toBe(0);
    expect((await ask({ keys: bob(), dataPublicKey: aliceData, pingId })).isStored).toBe(0);
    const altered = pingId.slice();
    altered[31] = (altered[31] ?? 0) ^ 1;
    expect((await ask({ keys: alice, dataPublicKey: aliceData, pingId: altered })).isStored).toBe(0);
    expect((await ask({ keys: alice, dataPublicKey: aliceData, pingId: ZEROS })).isStored).toBe(0);
    expect(server.announcements).toBe(0);
    expect((await ask({ keys: alice, dataPublicKey: aliceData, pingId })).isStored).toBe(2);
  });

  it("serves in its window of 300 s and the next, and no longer", async () => {
    await universe.run(299_000 - universe.now);
    const { pingIdOrDataKey: old } = await ask({ keys: alice, dataPublicKey: aliceData });
    await universe.run(598_000 - universe.now);
    expect((await ask({ keys: alice, dataPublicKey: aliceData, pingId: old })).isStored).toBe(2);
    await universe.run(600_000 - universe.now);
    const eve = { keys: alice, dataPublicKey: bob().publicKey };
    expect((await ask({ ...eve, pingId: old })).isStored).toBe(0);
    expect((await search(alice.publicKey)).pingIdOrDataKey).toEqual(aliceData);
  });

  it("makes no use of a request replayed from elsewhere: the way back stays the announcer's", async () => {
    const { pingId } = await announce();
    const { packet } = announceRequest(hop.crypto, node.publicKey, { keys: alice, dataPublicKey: aliceData, pingId });
    const thief = await Machine.make(universe, "thief");
    const otherSendback = new Uint8Array(177).fill(1);
    expect(await exchange(join(packet, otherSendback), thief, otherSendback)).toBeDefined();
    hop.send(node, dataRequest(alice.publicKey));
    await universe.run(1000);
    expect(thief.take()).toEqual([]);
    expect(hop.take()).toHaveLength(1);
  });
});

/** As the third hop delivers it. */
function dataRequest(destination: PublicKey, box = new Uint8Array(100).fill(5)): Uint8Array {
  const into = new Uint8Array(2048);
  const nonce = new Uint8Array(24).fill(6);
  const temporaryKey = new Uint8Array(32).fill(7) as Uint8Array as PublicKey;
  const length = encodeOnionDataRequest(into, { destination, nonce, temporaryKey, box });
  return join(into.slice(0, length), new Uint8Array(177).fill(0xcd));
}

describe("an onion data request", () => {
  it("goes out over the path that the addressee left, as a data response", async () => {
    await announce();
    const sender = await Machine.make(universe, "sender");
    sender.send(node, dataRequest(alice.publicKey));
    await universe.run(1000);
    const tail = join(new Uint8Array(24).fill(6), new Uint8Array(32).fill(7), new Uint8Array(100).fill(5));
    expect(hop.take().map(({ bytes }) => bytes)).toEqual([join([0x8c], SENDBACK, [0x86], tail)]);
    expect(sender.take()).toEqual([]);
  });

  it("for somebody unknown, or too old, is dropped", async () => {
    await announce();
    hop.send(node, dataRequest(bob().publicKey));
    await universe.run(300_000);
    hop.send(node, dataRequest(alice.publicKey));
    await universe.run(1000);
    expect(hop.take()).toEqual([]);
    expect(node.metrics.get("drop.onionDataRequest.not-for-us")).toBe(2);
  });

  it("of a wrong length is dropped", async () => {
    await announce();
    hop.send(node, dataRequest(alice.publicKey, new Uint8Array(16)));
    hop.send(node, dataRequest(alice.publicKey, new Uint8Array(1135)));
    hop.send(node, dataRequest(alice.publicKey).slice(0, 177));
    await universe.run(1000);
    expect(hop.take()).toEqual([]);
    hop.send(node, dataRequest(alice.publicKey, new Uint8Array(17)));
    hop.send(node, dataRequest(alice.publicKey, new Uint8Array(1085)));
    await universe.run(1000);
    expect(hop.take()).toHaveLength(2);
  });
});

describe("the family of group chats", () => {
  const member = {
    publicKey: new Uint8Array(32).fill(2) as Uint8Array as PublicKey,
    endpoint: { family: 4 as const, address: Uint8Array.of(203, 0, 113, 5), port: PORT },
    relays: [],
  };
  const into = new Uint8Array(200);
  const chatId = new Uint8Array(32).fill(1) as Uint8Array as PublicKey;
  const groupAnnounce = into.slice(0, encodeGroupAnnounce(into, { chatId, member }));

  it.each([
    ["without", new Uint8Array(0)],
    ["with", groupAnnounce],
  ])("is answered with a node count and no announces, %s a group's announce", async (_, announced) => {
    const asked = { keys: alice, dataPublicKey: aliceData, group: true, groupAnnounce: announced };
    const { packet, key } = announceRequest(hop.crypto, node.publicKey, asked);
    const bytes = await exchange(join(packet, SENDBACK));
    expect(bytes?.[0]).toBe(0x88);
    expect(bytes?.length).toBe(83);
    const answer = openResponse(hop.crypto, bytes, key);
    expect(answer).toMatchObject({ isStored: 0, nodes: [], groupAnnounces: new Uint8Array(0) });
    expect((await ask({ ...asked, pingId: answer.pingIdOrDataKey })).isStored).toBe(2);
  });

  it("gets no answer to an announce that cannot be read, and stores nothing of it", async () => {
    const { pingIdOrDataKey: pingId } = await ask({ keys: alice, dataPublicKey: aliceData });
    const asked = { keys: alice, dataPublicKey: aliceData, pingId, group: true };
    for (const broken of [groupAnnounce.slice(0, -1), join(groupAnnounce, [0]), new Uint8Array(136)]) {
      const { packet } = announceRequest(hop.crypto, node.publicKey, { ...asked, groupAnnounce: broken });
      expect(await exchange(join(packet, SENDBACK))).toBeUndefined();
    }
    expect(server.announcements).toBe(0);
  });
});

describe("a hostile announce request", () => {
  it("with any bit of it flipped gets no answer", async () => {
    const { packet } = announceRequest(hop.crypto, node.publicKey, { keys: alice });
    for (let at = 0; at < packet.length; at++) {
      const flipped = join(packet, SENDBACK);
      flipped[at] = (flipped[at] ?? 0) ^ 2;
      hop.send(node, flipped);
    }
    await universe.run(1000);
    expect(hop.take()).toEqual([]);
  });

  it("of a wrong length gets no answer", async () => {
    const { packet } = announceRequest(hop.crypto, node.publicKey, { keys: alice });
    const whole = join(packet, SENDBACK);
    for (const bytes of [whole.slice(0, -1), join(whole, [0]), whole.slice(0, 177), whole.slice(0, 1)]) {
      expect(await exchange(bytes)).toBeUndefined();
    }
    const tooLong = announceRequest(hop.crypto, node.publicKey, { group: true, groupAnnounce: new Uint8Array(137) });
    expect(await exchange(join(tooLong.packet, SENDBACK))).toBeUndefined();
    const ungrouped = announceRequest(hop.crypto, node.publicKey, { groupAnnounce: new Uint8Array(1) });
    expect(await exchange(join(ungrouped.packet, SENDBACK))).toBeUndefined();
    expect(await exchange(whole)).toBeDefined();
  });

  it("with a key of small order gets no answer", async () => {
    const { packet } = announceRequest(hop.crypto, node.publicKey);
    packet.fill(0, 25, 57);
    expect(await exchange(join(packet, SENDBACK))).toBeUndefined();
    expect(node.metrics.get("drop.announceRequest.weak-key")).toBe(1);
  });

  it("gets an answer at most 1.32 times as long, with the longest nodes", async () => {
    node.dht.nodes = [1, 2, 3, 4].map((i) => ({
      publicKey: new Uint8Array(32).fill(i) as Uint8Array as PublicKey,
      endpoint: { family: 6, address: new Uint8Array(16).fill(0x20 + i), port: PORT },
    }));
    for (const group of [false, true]) {
      const { packet } = announceRequest(hop.crypto, node.publicKey, { group });
      const request = join(packet, SENDBACK);
      const answer = (await exchange(request)) ?? new Uint8Array(2048);
      expect((answer.length + 178) / request.length).toBeLessThan(1.32);
    }
  });
});

describe("the whole way", () => {
  it("announces, finds and passes data over three relays", async () => {
    const [one, two, three, client, friend] = (await Promise.all(
      ["one", "two", "three", "client", "friend"].map((name) => Machine.make(universe, name)),
    )) as [Machine, Machine, Machine, Machine, Machine];
    for (const relay of [one, two, three]) relay.serve();
    const over = async (who: Machine, payload: Uint8Array) => {
      const path = who === client ? client.path(one, two, three) : friend.path(three, one, two);
      who.send(who === client ? one : three, buildOnionRequest(who.crypto, path, node.endpoint, payload));
      await universe.run(1000);
      return who.take()[0]?.bytes;
    };
    const askOver = async (who: Machine, asked: Ask) => {
      const { packet, key } = announceRequest(who.crypto, node.publicKey, asked);
      return openResponse(who.crypto, await over(who, packet), key);
    };

    const mine = { keys: alice, dataPublicKey: aliceData };
    const { pingIdOrDataKey: pingId } = await askOver(client, mine);
    expect((await askOver(client, { ...mine, pingId })).isStored).toBe(2);
    const found = await askOver(friend, { searchedKey: alice.publicKey });
    expect(found).toMatchObject({ isStored: 1, pingIdOrDataKey: aliceData });

    expect(await over(friend, dataRequest(alice.publicKey).slice(0, -177))).toBeUndefined();
    const [data] = client.take();
    expect(data?.from).toEqual(one.endpoint);
    expect(data?.bytes[0]).toBe(0x86);
    expect(data?.bytes.slice(-100)).toEqual(new Uint8Array(100).fill(5));
  });
});

describe("close", () => {
  it("forgets everything and answers no more", async () => {
    await announce();
    server.close();
    expect(server.announcements).toBe(0);
    const { packet } = announceRequest(hop.crypto, node.publicKey);
    expect(await exchange(join(packet, SENDBACK))).toBeUndefined();
  });
});
