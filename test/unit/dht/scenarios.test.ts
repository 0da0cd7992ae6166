import { describe, expect, it } from "vitest";
import { NODES_REQUEST_INTERVAL } from "../../../src/dht/lookup.ts";
import { BAD_NODE_TIMEOUT } from "../../../src/dht/node_entry.ts";
import type { Endpoint } from "../../../src/env/datagram.ts";
import { replaySeed } from "../../../src/testing/index.ts";
import { sameEndpoint } from "../../../src/util/endpoint.ts";
import { DhtWorld, hex, join, stop, type WorldNode } from "./dht_world.ts";

const seed = replaySeed();
const knows = (node: WorldNode, other: WorldNode) =>
  node.dht.closestNodes(other.publicKey, 1, true).some((found) => hex(found.publicKey) === hex(other.publicKey));

describe("a network of two", () => {
  it("is one within 200 ms, each knowing the other and told of itself", async () => {
    const world = new DhtWorld({ seed });
    const [a, b] = (await world.crowd(2)) as [WorldNode, WorldNode];
    await world.universe.runUntil(() => knows(a, b) && knows(b, a), { timeout: 200 });
    expect(a.dht.connected && b.dht.connected).toBe(true);
    // What onion clients live on: the other names us to ourselves, so that we can announce with it.
    await world.universe.run(1000);
    expect(b.count("dht.nodesResponse.received")).toBeGreaterThan(0);
  });

  it("tells of `connected` once each way, and when the other has gone", async () => {
    const world = new DhtWorld({ seed });
    const [a, b] = (await world.crowd(2)) as [WorldNode, WorldNode];
    const states: boolean[] = [];
    const off = a.dht.onConnected((connected) => states.push(connected));
    await world.universe.run(5000);
    expect(states).toEqual([true]);
    stop(b);
    await world.universe.run(BAD_NODE_TIMEOUT);
    expect(states).toEqual([true, false]);
    expect(a.dht.nodeCount).toBe(0);
    off();
  });

  it("doubts a node on demand, and knows within 16 s that it has gone", async () => {
    const world = new DhtWorld({ seed });
    const [a, b, c] = (await world.crowd(3)) as [WorldNode, WorldNode, WorldNode];
    await world.universe.run(75_000);
    const lost: string[] = [];
    let added = 0;
    a.dht.onNodeLost((publicKey) => lost.push(hex(publicKey)));
    a.dht.onNode(() => added++);
    const asked = () => a.count("dht.pingRequest.sent") + a.count("dht.nodesRequest.sent");
    const before = asked();
    for (let i = 0; i < 10; i++) a.dht.doubt(b.publicKey);
    expect(asked() - before).toBeLessThanOrEqual(1);
    await world.universe.run(11_000);
    stop(b);
    a.dht.doubt(b.publicKey);
    a.dht.doubt(c.publicKey);
    a.dht.doubt(a.crypto.keyPair().publicKey);
    await world.universe.run(16_000);
    expect(lost).toEqual([hex(b.publicKey)]);
    expect(a.dht.nodeCount).toBe(1);
    expect(added).toBe(0);
    const d = await world.node("d");
    join(d, a);
    await world.universe.run(1_000);
    expect(added).toBe(1);
  });

  it("forms when the bootstrap node starts a minute late", async () => {
    const world = new DhtWorld({ seed });
    const late = world.universe.host("late");
    const early = await world.node("early");
    const placeholder = await world.node("keys");
    const keyPair = placeholder.crypto.keyPair();
    early.dht.bootstrap(late.endpoint(33445), keyPair.publicKey);
    await world.universe.run(60_000);
    expect(early.dht.connected).toBe(false);
    await world.start("late", late, { keyPair });
    const start = world.universe.now;
    await world.universe.runUntil(() => early.dht.connected, { timeout: 10_000 });
    expect(world.universe.now - start).toBeLessThan(9_000);
  });

  it("forms in spite of a lost first packet", async () => {
    const world = new DhtWorld({ seed });
    const [a, b] = [await world.node("a"), await world.node("b")];
    let dropped = 0;
    world.universe.network.addFilter((_, from) => !sameEndpoint(from, b.endpoint) || dropped++ >= 2);
    join(b, a);
    await world.universe.runUntil(() => b.dht.connected, { timeout: 2000 });
  });

  it("is quiet when nothing happens", async () => {
    const world = new DhtWorld({ seed });
    const [a, b] = (await world.crowd(2)) as [WorldNode, WorldNode];
    await world.universe.run(30_000);
    const { clock } = a.host.edges;
    const before = { fired: clock.fired, sent: a.count("udp.sent") };
    await world.universe.run(600_000);
    // A round every 20 s, a ping a minute at most, their time-outs, and the answers to the other's.
    expect(clock.fired - before.fired).toBeLessThan(160);
    expect(a.count("udp.sent") - before.sent).toBeLessThan(100);
    expect(clock.pending).toBeLessThan(8);
    expect(knows(a, b) && knows(b, a)).toBe(true);
  });
});

describe("a network of eight", () => {
  it("is connected within a second, and everybody knows nearly everybody soon", async () => {
    const world = new DhtWorld({ seed });
    const nodes = await world.crowd(8);
    await world.universe.runUntil(() => nodes.every((node) => node.dht.connected), { timeout: 1000 });
    await world.universe.run(60_000);
    for (const node of nodes) expect(node.dht.nodeCount).toBeGreaterThanOrEqual(6);
  });

  it("works over IPv6 alone, and with both", async () => {
    const world = new DhtWorld({ seed });
    const nodes = [
      await world.node("a", { ipv4: false, ipv6: true }),
      await world.node("b", { ipv4: false, ipv6: true }),
      await world.node("c", { ipv6: true }),
      await world.node("d", { ipv6: true }),
    ] as const;
    for (const node of nodes.slice(1)) node.dht.bootstrap(nodes[0].host.endpoint(33445, 6), nodes[0].publicKey);
    await world.universe.runUntil(() => nodes.every((node) => node.dht.nodeCount === 3), { timeout: 60_000 });
  });
});

describe("a network of thirty", () => {
  it("can be crawled from one node: everybody is named by somebody", async () => {
    const world = new DhtWorld({ seed });
    const nodes = await world.crowd(30);
    await world.universe.run(5000);
    const crawler = await world.node("crawler");
    join(crawler, nodes[3] as WorldNode);
    const found = nodes.map(() => false);
    for (const [i, node] of nodes.entries()) {
      crawler.dht.lookUp(node.publicKey, (endpoint) => {
        found[i] ||= sameEndpoint(endpoint, node.endpoint);
      });
    }
    await world.universe.runUntil(() => found.every(Boolean), { timeout: 3000, what: "all thirty" });
  });

  it("offers random nodes, each once, and not always the same", async () => {
    const world = new DhtWorld({ seed });
    const nodes = await world.crowd(30);
    await world.universe.run(10_000);
    const { dht } = nodes[4] as WorldNode;
    const draw = () => dht.randomNodes(6).map((node) => hex(node.publicKey));
    const [first, second] = [draw(), draw()];
    expect(new Set(first).size).toBe(6);
    expect(first).not.toEqual(second);
    expect(dht.randomNodes(1000).length).toBeLessThanOrEqual(29);
    expect(first).not.toContain(hex(dht.publicKey));
  });

  it("plays the same way with the same seed, and another with another", async () => {
    const play = async (seed: string) => {
      const world = new DhtWorld({ seed, link: { loss: 0.1, reordering: 0.1, duplication: 0.1 } });
      world.universe.trace.start();
      await world.crowd(15);
      await world.universe.run(30_000);
      return world.universe.traceHash();
    };
    expect(await play(seed)).toBe(await play(seed));
    expect(await play(seed)).not.toBe(await play(`${seed}'`));
  });

  it("forgets a node that dies, and stays whole", async () => {
    const world = new DhtWorld({ seed });
    const nodes = await world.crowd(30);
    await world.universe.run(10_000);
    const dead = nodes[7] as WorldNode;
    const living = nodes.filter((node) => node !== dead);
    expect(living.filter((node) => knows(node, dead)).length).toBeGreaterThan(5);
    stop(dead);
    await world.universe.run(BAD_NODE_TIMEOUT);
    expect(living.filter((node) => knows(node, dead))).toEqual([]);
    for (const node of living) expect(node.dht.connected).toBe(true);
  });

  it("follows a node that comes back at its address with a new key", async () => {
    const world = new DhtWorld({ seed });
    const nodes = await world.crowd(12);
    await world.universe.run(5000);
    const old = nodes[4] as WorldNode;
    stop(old);
    await world.universe.run(1000);
    const fresh = await world.start("again", old.host);
    join(fresh, nodes[0] as WorldNode);
    await world.universe.run(5000);
    const others = nodes.filter((node) => node !== old);
    for (const node of others.filter((node) => knows(node, fresh))) expect(knows(node, old)).toBe(false);
    expect(others.filter((node) => knows(node, fresh)).length).toBeGreaterThan(2);
  });

  it("grows together again after a long split", async () => {
    const world = new DhtWorld({ seed });
    const nodes = await world.crowd(20);
    await world.universe.run(10_000);
    const [left, right] = [nodes.slice(0, 10), nodes.slice(10)];
    world.universe.partition(
      left.map((node) => node.host),
      right.map((node) => node.host),
    );
    await world.universe.run(600_000);
    for (const node of left) for (const other of right) expect(knows(node, other)).toBe(false);
    for (const node of nodes) expect(node.dht.connected).toBe(true);
    const friend = right[5] as WorldNode;
    let found = false;
    (left[5] as WorldNode).dht.lookUp(friend.publicKey, () => {
      found = true;
    });
    await world.universe.run(60_000);
    expect(found).toBe(false);
    world.universe.heal();
    await world.universe.runUntil(() => found, { timeout: 180_000, what: "a friend on the other side" });
    await world.universe.run(120_000);
    const links = left.flatMap((node) => right.filter((other) => knows(node, other)));
    expect(links.length).toBeGreaterThan(20);
  });
});

describe("a lookup among sixty", () => {
  const lookFor = (seeker: WorldNode, friend: WorldNode) => {
    const found: Endpoint[] = [];
    const lookup = seeker.dht.lookUp(friend.publicKey, (endpoint) => found.push(endpoint));
    return { found, lookup };
  };

  it("finds a friend who joins at the same time, within half a second", async () => {
    const world = new DhtWorld({ seed });
    const nodes = await world.crowd(60);
    await world.universe.run(10_000);
    const [x, y] = [await world.node("x"), await world.node("y")];
    join(x, nodes[5] as WorldNode);
    join(y, nodes[9] as WorldNode);
    const { found, lookup } = lookFor(x, y);
    await world.universe.runUntil(() => found.length > 0, { timeout: 500 });
    expect(found[0]).toEqual(y.endpoint);
    await world.universe.run(1000);
    expect(lookup.endpoints()[0]).toEqual(y.endpoint);
    // Once told by others, once from himself; then no more as long as nothing changes.
    await world.universe.run(300_000);
    expect(found.length).toBeLessThanOrEqual(2);
  });

  it("finds him in spite of 20 % loss", async () => {
    const world = new DhtWorld({ seed, link: { loss: 0.2 } });
    const nodes = await world.crowd(60);
    await world.universe.run(10_000);
    const [x, y] = [await world.node("x"), await world.node("y")];
    join(x, nodes[5] as WorldNode);
    join(y, nodes[9] as WorldNode);
    const { found } = lookFor(x, y);
    await world.universe.runUntil(() => found.length > 0, { timeout: 20_000 });
  });

  it("finds him when he comes ten minutes later, and again at another address", async () => {
    const world = new DhtWorld({ seed });
    const nodes = await world.crowd(40);
    const host = world.universe.host("y");
    const keyPair = (nodes[0] as WorldNode).crypto.keyPair();
    const x = nodes[30] as WorldNode;
    const found: Endpoint[] = [];
    const lookup = x.dht.lookUp(keyPair.publicKey, (endpoint) => found.push(endpoint));
    await world.universe.run(600_000);
    expect(found).toEqual([]);
    expect(lookup.endpoints()).toEqual([]);
    const copy = () =>
      ({ publicKey: keyPair.publicKey.slice(), secretKey: keyPair.secretKey.slice() }) as typeof keyPair;
    const y = await world.start("y", host, { keyPair: copy() });
    join(y, nodes[9] as WorldNode);
    await world.universe.runUntil(() => found.length > 0, { timeout: 30_000 });
    await world.universe.run(5000);
    expect(lookup.endpoints()[0]).toEqual(y.endpoint);

    stop(y);
    const elsewhere = await world.node("elsewhere", {}, { keyPair: copy() });
    join(elsewhere, nodes[35] as WorldNode);
    await world.universe.runUntil(() => found.some((endpoint) => sameEndpoint(endpoint, elsewhere.endpoint)), {
      timeout: 130_000,
    });
    await world.universe.run(5000);
    expect(lookup.endpoints()[0]).toEqual(elsewhere.endpoint);
  });

  it("is helped by nodes that a friend names", async () => {
    const world = new DhtWorld({ seed });
    const [a, b] = [await world.node("a"), await world.node("b")];
    // Two who know nobody: only the hint tells where to ask.
    const { found, lookup } = lookFor(a, b);
    await world.universe.run(5000);
    expect(found).toEqual([]);
    lookup.suggest([{ publicKey: b.publicKey, endpoint: b.endpoint }]);
    await world.universe.runUntil(() => found.length > 0, { timeout: 200 });
    expect(found).toEqual([b.endpoint]);
  });

  it("ends when all who asked for it have stopped", async () => {
    const world = new DhtWorld({ seed });
    const nodes = await world.crowd(10);
    const x = nodes[1] as WorldNode;
    const unknown = x.crypto.keyPair().publicKey;
    await world.universe.run(10_000);
    const before = x.host.edges.clock.pending;
    const lookups = [x.dht.lookUp(unknown, () => {}), x.dht.lookUp(unknown, () => {})];
    await world.universe.run(10_000);
    for (const lookup of lookups) lookup.stop();
    lookups[0]?.stop();
    const sent = x.count("dht.nodesRequest.sent");
    await world.universe.run(NODES_REQUEST_INTERVAL - 1000);
    expect(x.count("dht.nodesRequest.sent") - sent).toBeLessThanOrEqual(2);
    expect(x.host.edges.clock.pending).toBeLessThanOrEqual(before + 10);
  });

  it("goes on when a listener throws", async () => {
    const world = new DhtWorld({ seed });
    const [a, b] = (await world.crowd(2)) as [WorldNode, WorldNode];
    let heard = 0;
    a.dht.lookUp(b.publicKey, () => {
      throw new Error("mine");
    });
    a.dht.lookUp(b.publicKey, () => {
      heard++;
    });
    await world.universe.run(1000);
    expect(heard).toBeGreaterThan(0);
  });
});

describe("closing", () => {
  it("leaves no timer and takes no packet", async () => {
    const world = new DhtWorld({ seed });
    const nodes = await world.crowd(10);
    const x = nodes[3] as WorldNode;
    x.dht.lookUp((nodes[4] as WorldNode).publicKey, () => {});
    await world.universe.run(5000);
    x.dht.close();
    x.dht.close();
    expect(x.host.edges.clock.pending).toBe(0);
    expect(x.dht.connected).toBe(false);
    const sent = x.count("udp.sent");
    x.dht.bootstrap((nodes[0] as WorldNode).endpoint, (nodes[0] as WorldNode).publicKey);
    x.dht.considerNode({ publicKey: (nodes[0] as WorldNode).publicKey, endpoint: (nodes[0] as WorldNode).endpoint });
    expect(x.dht.sendDhtRequest((nodes[0] as WorldNode).publicKey, 32, Uint8Array.of(1))).toBe(0);
    x.dht.lookUp((nodes[2] as WorldNode).publicKey, () => {}).stop();
    await world.universe.run(100_000);
    expect(x.count("udp.sent")).toBe(sent);
    expect(x.host.edges.clock.pending).toBe(0);
    expect(x.dht.keyPair.secretKey.every((byte) => byte === 0)).toBe(true);
  });
});
