import { describe, expect, it } from "vitest";
import { Crypto } from "../../../src/crypto/crypto.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { dearKeys } from "../../support/dear_keys.ts";
import { Forge } from "../../support/forge.ts";
import { DhtWorld, PORT, provider } from "./dht_world.ts";

/** A node for which a shared key costs 1 ms of its time, and what it makes of packets that arrive at once. */
async function slowNode() {
  const world = new DhtWorld();
  const host = world.universe.host("node");
  const { clock, provider: dear } = dearKeys(host.edges.clock);
  const node = await world.start("node", host, { clock, crypto: new Crypto(dear, host.edges.random) });
  const forge = new Forge(new Crypto(provider, world.universe.random.fork("forge")), {
    dht: node.publicKey,
    self: node.publicKey,
  });
  const socket = host.socketAt(4, PORT);
  let port = 0;
  return {
    node,
    forge,
    pass: (ms: number) => world.universe.run(ms),
    /** How many of them are answered. */
    answered: (packets: readonly Uint8Array[], network = 113) => {
      const before = node.count("dht.nodesRequest.received");
      for (const packet of packets)
        socket?.deliver(packet.slice(), makeEndpoint(Uint8Array.of(203, 0, network, 1), ++port));
      return node.count("dht.nodesRequest.received") - before;
    },
  };
}

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

describe("nodes requests of many who were never seen before", () => {
  it("are all answered by a node that has no friends", async () => {
    const { forge, answered } = await slowNode();
    expect(answered(times(1_000, () => forge.nodesRequest()))).toBe(1_000);
  });

  it("leave the greater part of the time to friends where there are any", async () => {
    const { node, forge, answered, pass } = await slowNode();
    const requests = times(1_000, () => forge.nodesRequest());
    let hasFriends = true;
    node.dht.hasFriends = () => hasFriends;
    expect(answered(requests)).toBeLessThan(100);
    expect(node.count("drop.nodesRequest.rate-limited")).toBeGreaterThan(900);
    hasFriends = false;
    await pass(100);
    expect(answered(requests)).toBe(1_000);
  });

  it("are cheap from then on, whatever is forged in between", async () => {
    const { node, forge, answered } = await slowNode();
    const requests = times(40, () => forge.nodesRequest());
    expect(answered(requests)).toBe(40);
    const garbage = times(2_000, () => {
      const packet = forge.nodesRequest();
      packet[100] = ~(packet[100] ?? 0);
      return packet;
    });
    expect(answered(garbage)).toBe(0);
    expect(node.count("drop.nodesRequest.forged")).toBeLessThan(100);
    expect(answered([...requests, ...requests])).toBe(80);
  });

  it("are all answered as well while somebody else's flood is garbage", async () => {
    const { forge, answered, pass } = await slowNode();
    const garbage = () => {
      const packet = forge.nodesRequest();
      packet[100] = ~(packet[100] ?? 0);
      return packet;
    };
    for (let i = 0; i < 100; i++) {
      expect(answered(times(20, garbage))).toBe(0);
      if (i % 10 === 0) expect(answered([forge.nodesRequest()], 1 + i)).toBe(1);
      await pass(1);
    }
  });

  it.each([false, true])("are not in the way of other networks, with friends: %s", async (hasFriends) => {
    const { node, forge, answered, pass } = await slowNode();
    node.dht.hasFriends = () => hasFriends;
    const flood = () => answered(times(30, () => forge.nodesRequest()));
    let served = 0;
    let others = 0;
    for (let i = 0; i < 100; i++) {
      served += flood();
      if (i % 10 === 0) others += answered([forge.nodesRequest()], 1 + i);
      await pass(4);
    }
    expect(others).toBe(10);
    // Of 400 ms, and what the keys take themselves, one network gets a quarter, or that of 15 %, and 25 ms at once.
    expect(served).toBeLessThan(hasFriends ? 75 : 260);
    await pass(3000);
    expect(flood() + flood()).toBeGreaterThan(hasFriends ? 20 : 59);
  });
});
