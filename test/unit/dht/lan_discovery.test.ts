import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../../src/env/datagram.ts";
import { SimulatedLan } from "../../../src/testing/index.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { encodeLanDiscovery, LAN_DISCOVERY_SIZE } from "../../../src/wire/dht/lan_discovery.ts";
import { PacketId } from "../../../src/wire/packet_ids.ts";
import { DhtWorld, PORT, stop } from "./dht_world.ts";

/** Nodes in one home, each with its host's address and nobody to start from. */
async function home(count: number, ipv6 = false) {
  const world = new DhtWorld();
  const lan = new SimulatedLan();
  const told: { port: number; at: number }[] = [];
  world.universe.network.addFilter((bytes, _, to) => {
    if (bytes[0] === PacketId.LanDiscovery) told.push({ port: to.port, at: world.universe.now });
    return true;
  });
  const nodes = [];
  for (let i = 1; i <= count; i++) {
    const addresses = ipv6 ? { ipv4: false as const, ipv6: `fd00::${i}` } : { ipv4: `192.168.1.${i}` };
    const host = world.universe.host(`n${i}`, addresses);
    lan.join(host);
    nodes.push(await world.start(`n${i}`, host, { lan: lan.interfacesOf(host) }));
  }
  return { world, lan, nodes, told };
}

const packetOf = (publicKey: Uint8Array) => {
  const packet = new Uint8Array(LAN_DISCOVERY_SIZE);
  encodeLanDiscovery(packet, { publicKey: publicKey as never });
  return packet;
};

describe("LAN discovery", () => {
  for (const ipv6 of [false, true]) {
    it(`brings nodes together at once over IPv${ipv6 ? 6 : 4}`, async () => {
      const { world, nodes } = await home(3, ipv6);
      await world.universe.runUntil(() => nodes.every((node) => node.dht.nodeCount === 2), { timeout: 300 });
    });
  }

  it("tells the usual port each time and the others in turn, every ten seconds", async () => {
    const { world, told } = await home(1);
    await world.universe.run(95_000);
    const rounds = Map.groupBy(told, ({ at }) => Math.floor(at / 10_000));
    expect(rounds.size).toBe(10);
    for (const [, round] of rounds) expect(round[0]?.port).toBe(33445);
    const ports = told.map(({ port }) => port).filter((port) => port !== 33445);
    expect(ports).toEqual(Array.from({ length: 99 }, (_, i) => 33446 + i));
    await world.universe.run(10_000);
    expect(told.slice(-11).map(({ port }) => port)).toEqual([33445, ...ports.slice(0, 10)]);
  });

  it("tells anew when the machine comes into another network, but not more than once a second", async () => {
    const { world, lan, nodes, told } = await home(2);
    const [one, other] = nodes.map(({ host }) => host);
    await world.universe.run(2_000);
    const before = told.length;
    if (one === undefined || other === undefined) throw new Error("nobody is at home");
    lan.leave(one);
    lan.join(one);
    for (let i = 0; i < 50; i++) lan.join(one);
    await world.universe.run(100);
    expect(told.length - before).toBe(22);
    for (let i = 0; i < 50; i++) lan.join(one);
    await world.universe.run(100);
    expect(told.length - before).toBe(22);
    await world.universe.run(1_000);
    expect(told.length - before).toBe(44);
  });

  it("hears nobody who is not in the LAN, nor itself", async () => {
    const { world, nodes } = await home(1);
    const [node] = nodes;
    const key = new Uint8Array(32).fill(9);
    await world.universe.run(100);
    const hear = async (packet: Uint8Array, from: Endpoint) => {
      world.universe.network.inject(packet, from, node?.endpoint as Endpoint);
      await world.universe.run(10);
      return node?.count("dht.nodesRequest.sent");
    };
    const neighbour = makeEndpoint(Uint8Array.of(192, 168, 1, 77), PORT);
    expect(await hear(packetOf(key), makeEndpoint(Uint8Array.of(198, 18, 0, 7), PORT))).toBe(0);
    expect(await hear(packetOf(node?.publicKey as Uint8Array), neighbour)).toBe(0);
    expect(await hear(packetOf(key).subarray(0, 32), neighbour)).toBe(0);
    expect(await hear(packetOf(key), neighbour)).toBe(1);
  });

  it("asks some strangers a second at most, however many are told of", async () => {
    const { world, nodes } = await home(1);
    const [node] = nodes;
    await world.universe.run(100);
    for (let i = 0; i < 10_000; i++) {
      const key = new Uint8Array(32).fill(7);
      new DataView(key.buffer).setUint32(0, i);
      const from = makeEndpoint(Uint8Array.of(192, 168, 2 + (i >> 8), i & 0xff), PORT);
      world.universe.network.inject(packetOf(key), from, node?.endpoint as Endpoint);
      await world.universe.run(1);
    }
    expect(node?.count("dht.nodesRequest.sent")).toBeLessThanOrEqual(16 + 21);
    expect(node?.count("drop.lanDiscovery.rate-limited")).toBeGreaterThan(9_000);
  });

  it("does not ask those again that it knows", async () => {
    const { world, nodes } = await home(2);
    await world.universe.run(1_000);
    const before = nodes.map((node) => node.count("dht.pingRequest.sent"));
    await world.universe.run(45_000);
    expect(nodes.map((node) => node.count("dht.pingRequest.sent"))).toEqual(before);
  });

  it("is off unless asked for, and ends with the node", async () => {
    const { world, nodes, told } = await home(1);
    await world.node("elsewhere");
    await world.universe.run(100);
    for (const node of nodes) stop(node);
    const before = told.length;
    expect(before).toBe(11);
    await world.universe.run(60_000);
    expect(told.length).toBe(before);
    expect(nodes[0]?.host.edges.clock.pending).toBe(0);
  });
});
