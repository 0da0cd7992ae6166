import { beforeEach, describe, expect, it } from "vitest";
import { SharedKeyCache } from "../../../src/crypto/shared_key_cache.ts";
import { DhtChannel } from "../../../src/dht/dht_channel.ts";
import type { Endpoint } from "../../../src/env/datagram.ts";
import { readU64 } from "../../../src/util/bytes.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { decodeNodesRequestPayload } from "../../../src/wire/dht/nodes_request.ts";
import { encodePingPayload } from "../../../src/wire/dht/ping.ts";
import type { PackedNode } from "../../../src/wire/packed_node.ts";
import { PacketId } from "../../../src/wire/packet_ids.ts";
import { Forge } from "../../support/forge.ts";
import { DhtWorld, type WorldNode } from "./dht_world.ts";
import { Stranger } from "./stranger.ts";

let world: DhtWorld;
let victim: WorldNode;
let mallory: Stranger;

beforeEach(async () => {
  world = new DhtWorld({ link: { latency: [10, 10] } });
  victim = await world.node("victim");
  mallory = await Stranger.create(world, "mallory");
});

const run = (ms = 100) => world.universe.run(ms);
const state = () => ({ nodes: victim.dht.nodeCount, connected: victim.dht.connected });
const sendbackOfPing = (from: Stranger) => {
  const last = from.got(PacketId.PingRequest).at(-1);
  return last === undefined ? 0n : readU64(from.open(last), 1);
};
const lastNodesRequest = (from: Stranger) => {
  const last = from.got(PacketId.NodesRequest).at(-1);
  return last === undefined ? undefined : decodeNodesRequestPayload(from.open(last), () => undefined);
};

/** Makes the victim ask, and answers: mallory is in its lists then. */
async function befriend(): Promise<void> {
  mallory.send(victim.endpoint, mallory.pingRequest(victim.publicKey));
  await run(30);
  mallory.send(victim.endpoint, mallory.pingResponse(victim.publicKey, sendbackOfPing(mallory)));
  await run(30);
}

describe("a ping request", () => {
  it("is answered with its sendback, and its sender is pinged once before he is taken", async () => {
    mallory.send(victim.endpoint, mallory.pingRequest(victim.publicKey, 0x0102030405060708n));
    await run();
    const [response] = mallory.got(PacketId.PingResponse);
    expect(response && Array.from(mallory.open(response))).toEqual([1, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(mallory.got(PacketId.PingRequest).length).toBe(1);
    expect(state()).toEqual({ nodes: 0, connected: false });
    await befriend();
    expect(state()).toEqual({ nodes: 1, connected: true });
  });

  it("brings one ping at most, however often it comes", async () => {
    const request = mallory.pingRequest(victim.publicKey);
    for (let i = 0; i < 100; i++) mallory.send(victim.endpoint, request);
    await run(1000);
    expect(mallory.got(PacketId.PingResponse).length).toBe(100);
    expect(mallory.got(PacketId.PingRequest).length).toBe(1);
  });

  it("is dropped when any bit is flipped, cut off or added", async () => {
    const request = mallory.pingRequest(victim.publicKey);
    const packets: Uint8Array[] = [];
    for (let bit = 8; bit < 8 * request.length; bit++) {
      const flipped = request.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      packets.push(flipped);
    }
    packets.push(request.slice(0, -1), Uint8Array.of(...request, 0));
    for (const packet of packets) mallory.send(victim.endpoint, packet);
    await run(1000);
    // The topmost bit of an X25519 key counts for nothing: that one flip gives another name for the same key.
    expect(victim.count("drop.pingRequest.forged")).toBe(8 * 81 - 1);
    expect(victim.count("drop.pingRequest.truncated")).toBe(1);
    expect(victim.count("drop.pingRequest.oversized")).toBe(1);
    expect(victim.count("dht.pingRequest.received")).toBe(1);
    expect(state()).toEqual({ nodes: 0, connected: false });
  });

  it("with our own key, or under a key of small order, is dropped", async () => {
    const request = mallory.pingRequest(victim.publicKey);
    request.set(victim.publicKey, 1);
    mallory.send(victim.endpoint, request);
    const weak = mallory.pingRequest(victim.publicKey);
    weak.fill(0, 1, 33);
    mallory.send(victim.endpoint, weak);
    await run();
    expect(victim.count("drop.pingRequest.wrong-key")).toBe(1);
    expect(victim.count("drop.pingRequest.weak-key")).toBe(1);
    expect(mallory.received.length).toBe(0);
  });

  it("reflected as a response is none", async () => {
    mallory.send(victim.endpoint, mallory.pingRequest(victim.publicKey));
    await run();
    const [ours] = mallory.got(PacketId.PingRequest);
    const reflected = (ours as { bytes: Uint8Array }).bytes.slice();
    reflected[0] = PacketId.PingResponse;
    mallory.send(victim.endpoint, reflected);
    // The same bytes under mallory's name: both have the same shared key.
    const renamed = reflected.slice();
    renamed.set(mallory.keyPair.publicKey, 1);
    mallory.send(victim.endpoint, renamed);
    await run();
    expect(victim.count("drop.pingResponse.unsolicited")).toBe(1);
    expect(victim.count("drop.pingResponse.malformed")).toBe(1);
    expect(state()).toEqual({ nodes: 0, connected: false });
  });

  it("from many keys makes us send a bounded number of pings", async () => {
    for (let i = 0; i < 300; i++) {
      const keyPair = mallory.crypto.keyPair();
      const cache = new SharedKeyCache(mallory.crypto, keyPair.secretKey);
      const channel = new DhtChannel(mallory.network, mallory.crypto, keyPair, cache);
      channel.send(victim.endpoint, 0, victim.publicKey, (into) => encodePingPayload(into, { id: 0, sendback: 1n }));
    }
    await run(50);
    const atOnce = mallory.got(PacketId.PingRequest).length;
    expect(atOnce).toBeLessThanOrEqual(17);
    await run(60_000);
    expect(mallory.got(PacketId.PingRequest).length).toBeLessThanOrEqual(atOnce + 32);
    expect(state()).toEqual({ nodes: 0, connected: false });
  });
});

describe("a flood of ping requests", () => {
  it("does not keep a friend's node from being pinged", async () => {
    const friend = await Stranger.create(world, "friend");
    const forge = new Forge(mallory.crypto, { dht: victim.publicKey, self: victim.publicKey });
    victim.dht.lookUp(friend.keyPair.publicKey, () => {});
    for (let i = 0; i < 3000; i++) {
      world.universe.at(world.universe.now + i, () => {
        const source = makeEndpoint(Uint8Array.of(203, i >> 8, i & 0xff, 1), 33445);
        world.universe.network.inject(forge.pingRequest(), source, victim.endpoint);
      });
    }
    await run(2500);
    friend.send(victim.endpoint, friend.pingRequest(victim.publicKey));
    await run(200);
    expect(friend.got(PacketId.PingRequest).length).toBe(1);
  });
});

describe("a node that has moved", () => {
  it("is pinged at its new address, and believed when it answers from there", async () => {
    await befriend();
    const elsewhere = await Stranger.create(world, "elsewhere", {}, mallory.keyPair);
    elsewhere.send(victim.endpoint, elsewhere.pingRequest(victim.publicKey));
    await run(30);
    expect(victim.dht.closestNodes(victim.publicKey, 1, true)[0]?.endpoint).toEqual(mallory.endpoint);
    elsewhere.send(victim.endpoint, elsewhere.pingResponse(victim.publicKey, sendbackOfPing(elsewhere)));
    await run(30);
    expect(victim.dht.closestNodes(victim.publicKey, 1, true)[0]?.endpoint).toEqual(elsewhere.endpoint);
    expect(victim.dht.nodeCount).toBe(1);
  });
});

describe("a ping response", () => {
  it("is dropped unless we have asked, from another key or address, and when it comes again", async () => {
    mallory.send(victim.endpoint, mallory.pingResponse(victim.publicKey, 7n));
    await run();
    expect(victim.count("drop.pingResponse.unsolicited")).toBe(1);

    mallory.send(victim.endpoint, mallory.pingRequest(victim.publicKey));
    await run();
    const sendback = sendbackOfPing(mallory);
    const otherKey = await Stranger.create(world, "other key");
    otherKey.send(victim.endpoint, otherKey.pingResponse(victim.publicKey, sendback));
    const otherAddress = await Stranger.create(world, "other address", {}, mallory.keyPair);
    otherAddress.send(victim.endpoint, otherAddress.pingResponse(victim.publicKey, sendback));
    await run();
    expect(victim.count("drop.pingResponse.unsolicited")).toBe(3);
    expect(state()).toEqual({ nodes: 0, connected: false });

    const response = mallory.pingResponse(victim.publicKey, sendback);
    mallory.send(victim.endpoint, response);
    mallory.send(victim.endpoint, response);
    await run();
    expect(victim.count("dht.pingResponse.received")).toBe(1);
    expect(victim.count("drop.pingResponse.unsolicited")).toBe(4);
    expect(state()).toEqual({ nodes: 1, connected: true });
  });

  it("is dropped when it comes too late", async () => {
    mallory.send(victim.endpoint, mallory.pingRequest(victim.publicKey));
    await run(30);
    const sendback = sendbackOfPing(mallory);
    await run(5000);
    mallory.send(victim.endpoint, mallory.pingResponse(victim.publicKey, sendback));
    await run();
    expect(victim.count("drop.pingResponse.unsolicited")).toBe(1);
    expect(state()).toEqual({ nodes: 0, connected: false });
  });
});

describe("a nodes request", () => {
  it("is answered with its sendback, even when we know nobody", async () => {
    mallory.send(victim.endpoint, mallory.nodesRequest(victim.publicKey, mallory.keyPair.publicKey, 9n));
    await run();
    const [response] = mallory.got(PacketId.NodesResponse);
    expect(response && Array.from(mallory.open(response))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 9]);
  });

  it("names the asker to himself once we know him", async () => {
    await befriend();
    mallory.send(victim.endpoint, mallory.nodesRequest(victim.publicKey, mallory.keyPair.publicKey, 9n));
    await run();
    const response = mallory.got(PacketId.NodesResponse).at(-1);
    const payload = response && mallory.open(response);
    expect(payload?.[0]).toBe(1);
    expect(payload?.subarray(8, 40)).toEqual(mallory.keyPair.publicKey);
  });

  it("is dropped when it is too long or too short", async () => {
    const request = mallory.nodesRequest(victim.publicKey, victim.publicKey);
    mallory.send(victim.endpoint, Uint8Array.of(...request, 0));
    mallory.send(victim.endpoint, request.slice(0, -1));
    await run();
    expect(victim.count("drop.nodesRequest.oversized")).toBe(1);
    expect(victim.count("drop.nodesRequest.truncated")).toBe(1);
    expect(mallory.received.length).toBe(0);
  });
});

describe("a nodes response", () => {
  const named = (n: number, address: readonly number[] = [198, 18, 200, n]): PackedNode => ({
    publicKey: mallory.crypto.keyPair().publicKey,
    endpoint: makeEndpoint(Uint8Array.from(address), 40_000 + n),
  });

  it("makes us ask whom it names, and take nobody who does not answer", async () => {
    await befriend();
    const before = victim.count("dht.nodesRequest.sent");
    const sendback = lastNodesRequest(mallory)?.sendback ?? 0n;
    mallory.send(
      victim.endpoint,
      mallory.nodesResponse(
        victim.publicKey,
        sendback,
        [1, 2, 3, 4].map((n) => named(n)),
      ),
    );
    await run(30);
    expect(victim.count("dht.nodesRequest.sent") - before).toBeGreaterThanOrEqual(4);
    expect(victim.dht.nodeCount).toBe(1);
  });

  it("is taken once, and only from where we asked", async () => {
    await befriend();
    const sendback = lastNodesRequest(mallory)?.sendback ?? 0n;
    const elsewhere = await Stranger.create(world, "elsewhere", {}, mallory.keyPair);
    const response = mallory.nodesResponse(victim.publicKey, sendback, [named(1)]);
    elsewhere.send(victim.endpoint, response);
    await run(30);
    expect(victim.count("drop.nodesResponse.unsolicited")).toBe(1);
    expect(victim.count("dht.nodesResponse.received")).toBe(0);
    mallory.send(victim.endpoint, response);
    mallory.send(victim.endpoint, response);
    await run(30);
    expect(victim.count("dht.nodesResponse.received")).toBe(1);
    expect(victim.count("drop.nodesResponse.unsolicited")).toBe(2);
  });

  it("is dropped whole when it is empty, too long, forged or names a TCP address", async () => {
    await befriend();
    const sendback = lastNodesRequest(mallory)?.sendback ?? 0n;
    const asked = victim.count("dht.nodesRequest.sent");
    const reply = (nodes: readonly PackedNode[]) => mallory.nodesResponse(victim.publicKey, sendback, nodes);
    mallory.send(victim.endpoint, reply([]));
    mallory.send(victim.endpoint, reply([named(1), { ...named(2), transport: "tcp" }]));
    mallory.send(victim.endpoint, reply([1, 2, 3, 4, 5].map((n) => named(n))));
    mallory.send(victim.endpoint, reply([1, 2, 3, 4, 5, 6, 7].map((n) => named(n))));
    const forged = reply([named(1)]);
    forged[60] = (forged[60] ?? 0) ^ 1;
    mallory.send(victim.endpoint, forged);
    await run(20);
    expect(victim.count("drop.nodesResponse.truncated")).toBe(1);
    expect(victim.count("drop.nodesResponse.malformed")).toBe(2);
    expect(victim.count("drop.nodesResponse.oversized")).toBe(1);
    expect(victim.count("drop.nodesResponse.forged")).toBe(1);
    expect(victim.count("dht.nodesResponse.received")).toBe(0);
    expect(victim.count("dht.nodesRequest.sent") - asked).toBeLessThanOrEqual(2);
  });

  it("does not make us knock at our own network's doors, nor at addresses that nobody has", async () => {
    await befriend();
    const sendback = lastNodesRequest(mallory)?.sendback ?? 0n;
    world.universe.trace.start();
    const nodes = [
      named(1, [192, 168, 1, 1]),
      named(2, [127, 0, 0, 1]),
      named(3, [224, 0, 0, 1]),
      named(4, [0, 0, 0, 0]),
    ];
    mallory.send(victim.endpoint, mallory.nodesResponse(victim.publicKey, sendback, nodes));
    await run(1000);
    const doors = world.universe.trace.entries.filter((entry) => entry.to.port > 40_000);
    expect(doors).toEqual([]);
  });

  it("that names us changes nothing", async () => {
    await befriend();
    const sendback = lastNodesRequest(mallory)?.sendback ?? 0n;
    world.universe.trace.start();
    const us: PackedNode = {
      publicKey: victim.publicKey,
      endpoint: makeEndpoint(Uint8Array.of(198, 18, 200, 9), 40_009),
    };
    mallory.send(victim.endpoint, mallory.nodesResponse(victim.publicKey, sendback, [us]));
    await run(1000);
    expect(victim.count("dht.nodesResponse.received")).toBe(1);
    expect(world.universe.trace.entries.filter((entry) => entry.to.port > 40_000)).toEqual([]);
    expect(victim.dht.nodeCount).toBe(1);
  });

  it("can put a liar's address for a friend forward, which is reported but never believed", async () => {
    const friend = mallory.crypto.keyPair().publicKey;
    await befriend();
    const found: Endpoint[] = [];
    const lookup = victim.dht.lookUp(friend, (endpoint) => found.push(endpoint));
    await run(30);
    const asked = lastNodesRequest(mallory);
    const lie: PackedNode = { publicKey: friend, endpoint: makeEndpoint(Uint8Array.of(198, 18, 200, 9), 40_009) };
    mallory.send(victim.endpoint, mallory.nodesResponse(victim.publicKey, asked?.sendback ?? 0n, [lie]));
    await run(30);
    expect(found).toEqual([lie.endpoint]);
    expect(lookup.endpoints()).toEqual([lie.endpoint]);
    expect(victim.dht.closestNodes(friend, 4, true).length).toBe(1);
    await run(130_000);
    expect(lookup.endpoints()).toEqual([]);
  });
});

describe("what we are made to send", () => {
  /** Mallory answers everything, and nodes requests with four nodes at an address that is not hers. */
  function lie(): { caused: () => number; spent: () => number } {
    let caused = 0;
    let spent = 0;
    let port = 40_000;
    world.universe.network.addFilter((bytes, from, to) => {
      if (from === mallory.endpoint) spent += bytes.length;
      if (to.address[0] === 203) caused += bytes.length;
      return true;
    });
    const bystander = (): PackedNode => {
      port = 1 + (port % 65_535);
      const endpoint = makeEndpoint(Uint8Array.of(203, 0, 113, 5), port);
      return { publicKey: mallory.crypto.keyPair().publicKey, endpoint };
    };
    mallory.network.handle(PacketId.PingRequest, (bytes, from) => {
      const sendback = readU64(mallory.open({ bytes: bytes.slice(), from }), 1);
      mallory.send(from, mallory.pingResponse(victim.publicKey, sendback));
    });
    mallory.network.handle(PacketId.NodesRequest, (bytes, from) => {
      const asked = decodeNodesRequestPayload(mallory.open({ bytes: bytes.slice(), from }), () => undefined);
      const nodes = [bystander(), bystander(), bystander(), bystander()];
      mallory.send(from, mallory.nodesResponse(victim.publicKey, asked?.sendback ?? 0n, nodes));
    });
    return { caused: () => caused, spent: () => spent };
  }

  it("to those whom a liar names is hardly more than what she sends, however many friends we look for", async () => {
    for (let i = 0; i < 50; i++) victim.dht.lookUp(mallory.crypto.keyPair().publicKey, () => {});
    const { caused, spent } = lie();
    mallory.send(victim.endpoint, mallory.pingRequest(victim.publicKey));
    await run(20_000);
    expect(caused()).toBeGreaterThan(10_000);
    expect(caused() / spent()).toBeLessThan(2);
  });
});

describe("what arrives unasked", () => {
  it("costs no key when it says that it is an answer", async () => {
    await befriend();
    const before = victim.dht.sharedKeys.size;
    const forge = new Forge(mallory.crypto, { dht: victim.publicKey, self: victim.publicKey });
    for (let i = 0; i < 100; i++) {
      const keys = forge.keys();
      mallory.send(victim.endpoint, forge.pingResponse(keys));
      mallory.send(victim.endpoint, forge.nodesResponse(keys, [mallory.node]));
    }
    await run();
    expect(victim.count("drop.pingResponse.unsolicited")).toBe(100);
    expect(victim.count("drop.nodesResponse.unsolicited")).toBe(100);
    expect(victim.dht.sharedKeys.size).toBe(before);
  });
});

describe("sybils", () => {
  it("of one /24 get two places in a bucket, those of a home network as many as there are", async () => {
    const count = async (prefix: readonly number[], from: number) => {
      const fresh = await world.node(`target ${prefix}`);
      for (let i = 0; i < 20; i++) {
        const sybil = await Stranger.create(world, `${prefix} ${i}`, { ipv4: [...prefix, from + i].join(".") });
        sybil.network.handle(PacketId.PingRequest, (bytes, at) => {
          const payload = sybil.open({ bytes, from: at });
          sybil.send(at, sybil.pingResponse(fresh.publicKey, readU64(payload, 1)));
        });
        sybil.send(fresh.endpoint, sybil.pingRequest(fresh.publicKey));
        await run(200);
      }
      return fresh;
    };
    const fromWan = await count([203, 0, 113], 1);
    const fromLan = await count([192, 168, 7], 1);
    expect(fromWan.dht.nodeCount).toBeLessThan(12);
    expect(fromLan.dht.nodeCount).toBeGreaterThan(fromWan.dht.nodeCount + 3);
  });
});
