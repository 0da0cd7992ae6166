import { beforeEach, describe, expect, it } from "vitest";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import { DhtRequestId, MAX_DHT_REQUEST_PAYLOAD_SIZE } from "../../../src/wire/dht/dht_request.ts";
import { decodeNatPing, encodeNatPing } from "../../../src/wire/dht/nat_ping.ts";
import { PacketId } from "../../../src/wire/packet_ids.ts";
import { DhtWorld, join, type WorldNode } from "./dht_world.ts";
import { Stranger } from "./stranger.ts";

let world: DhtWorld;
let a: WorldNode;
let b: WorldNode;
let c: WorldNode;

/** b knows both a and c, who do not hear of one another. */
beforeEach(async () => {
  world = new DhtWorld();
  [a, b, c] = [await world.node("a"), await world.node("b"), await world.node("c")];
  world.universe.partition([a.host], [c.host]);
  join(a, b);
  join(c, b);
  await world.universe.run(5000);
});

interface Heard {
  readonly sender: PublicKey;
  readonly payload: Uint8Array;
}

const listen = (node: WorldNode, id = 99): Heard[] => {
  const heard: Heard[] = [];
  node.dht.onDhtRequest(id, (sender, payload) => heard.push({ sender, payload: payload.slice() }));
  return heard;
};

describe("DHT requests", () => {
  it("reach a node that we know", async () => {
    const heard = listen(b);
    expect(a.dht.sendDhtRequest(b.publicKey, 99, Uint8Array.of(1, 2, 3))).toBeGreaterThan(0);
    await world.universe.run(200);
    expect(heard).toEqual([{ sender: a.publicKey, payload: Uint8Array.of(1, 2, 3) }]);
  });

  it("are passed on to one that only the other knows, once", async () => {
    const heard = listen(c);
    expect(a.dht.sendDhtRequest(c.publicKey, 99, Uint8Array.of(7))).toBe(1);
    await world.universe.run(200);
    expect(heard).toEqual([{ sender: a.publicKey, payload: Uint8Array.of(7) }]);
    expect(b.count("dht.dhtRequest.passedOn")).toBe(1);
  });

  it("are left with the nodes that know him, while he is looked for", async () => {
    const heard = listen(c);
    const lookup = a.dht.lookUp(c.publicKey, () => {});
    await world.universe.run(1000);
    expect(lookup.endpoints()).toEqual([c.endpoint]);
    a.dht.sendDhtRequest(c.publicKey, 99, Uint8Array.of(7));
    await world.universe.run(200);
    expect(heard.length).toBe(1);
  });

  it("for somebody unknown are dropped", async () => {
    const nobody = a.crypto.keyPair().publicKey;
    a.dht.sendDhtRequest(nobody, 99, Uint8Array.of(7));
    await world.universe.run(200);
    expect(b.count("drop.dhtRequest.not-for-us")).toBe(1);
  });

  it("may be as long as toxcore takes, and no longer", async () => {
    const heard = listen(b);
    expect(a.dht.sendDhtRequest(b.publicKey, 99, new Uint8Array(MAX_DHT_REQUEST_PAYLOAD_SIZE))).toBe(1);
    expect(a.dht.sendDhtRequest(b.publicKey, 99, new Uint8Array(MAX_DHT_REQUEST_PAYLOAD_SIZE + 1))).toBe(0);
    await world.universe.run(200);
    expect(heard.length).toBe(1);
  });

  it("are dropped when forged, of an unknown id, empty, or ours come back", async () => {
    const mallory = await Stranger.create(world, "mallory");
    const packets: Uint8Array[] = [];
    world.universe.network.addFilter((bytes) => {
      if (bytes[0] === PacketId.DhtRequest) packets.push(bytes.slice());
      return true;
    });
    const heard = listen(b);
    a.dht.sendDhtRequest(b.publicKey, 99, Uint8Array.of(1));
    a.dht.sendDhtRequest(b.publicKey, 98, Uint8Array.of(1));
    a.dht.sendDhtRequest(b.publicKey, 99, new Uint8Array(0));
    await world.universe.run(200);
    const [good] = packets as [Uint8Array];
    const forged = good.slice();
    forged[100] = (forged[100] ?? 0) ^ 1;
    mallory.send(b.endpoint, forged);
    mallory.send(b.endpoint, good.slice(0, 105));
    mallory.send(a.endpoint, good);
    await world.universe.run(200);
    expect(heard.length).toBe(1);
    expect(b.count("drop.dhtRequest.forged")).toBe(1);
    expect(b.count("drop.dhtRequest.unknown-id")).toBe(1);
    expect(b.count("drop.dhtRequest.truncated")).toBe(2);
    expect(a.count("drop.dhtRequest.wrong-key")).toBe(1);
  });

  it("do not go back where they came from", async () => {
    const packets: Uint8Array[] = [];
    world.universe.network.addFilter((bytes) => {
      if (bytes[0] === PacketId.DhtRequest) packets.push(bytes.slice());
      return true;
    });
    a.dht.sendDhtRequest(c.publicKey, 99, Uint8Array.of(1));
    await world.universe.run(200);
    const before = b.count("dht.dhtRequest.passedOn");
    c.network.send(b.endpoint, packets[0] as Uint8Array);
    await world.universe.run(200);
    expect(b.count("dht.dhtRequest.passedOn")).toBe(before);
  });
});

describe("NAT pings", () => {
  const natPing = (kind: "request" | "response") => {
    const payload = new Uint8Array(9);
    encodeNatPing(payload, { kind, pingId: 42n });
    return payload;
  };

  it("of somebody we look for are answered with their id", async () => {
    const heard = listen(c, DhtRequestId.NatPing);
    a.dht.lookUp(c.publicKey, () => {});
    await world.universe.run(1000);
    c.dht.sendDhtRequest(a.publicKey, DhtRequestId.NatPing, natPing("request"));
    await world.universe.run(200);
    const pings = heard.map(({ payload }) => decodeNatPing(payload, () => undefined));
    expect(pings).toEqual([{ kind: "response", pingId: 42n }]);
  });

  it("played again and again do not make us send for ever", async () => {
    a.dht.lookUp(c.publicKey, () => {});
    await world.universe.run(1000);
    let captured: Uint8Array | undefined;
    const off = world.universe.network.addFilter((bytes, _, to) => {
      if (bytes[0] === PacketId.DhtRequest && to === a.endpoint) captured ??= bytes.slice();
      return true;
    });
    c.dht.sendDhtRequest(a.publicKey, DhtRequestId.NatPing, natPing("request"));
    await world.universe.run(200);
    off();
    const before = a.count("dht.dhtRequest.sent");
    for (let i = 0; i < 1000; i++) b.network.send(a.endpoint, captured as Uint8Array);
    await world.universe.run(1000);
    expect(a.count("dht.dhtRequest.sent") - before).toBeLessThanOrEqual(9 * 20);
    expect(a.count("drop.natPing.rate-limited")).toBeGreaterThan(950);
  });

  it("of strangers are not", async () => {
    const heard = listen(c, DhtRequestId.NatPing);
    c.dht.sendDhtRequest(a.publicKey, DhtRequestId.NatPing, natPing("request"));
    await world.universe.run(200);
    expect(heard).toEqual([]);
    expect(a.count("drop.natPing.wrong-key")).toBe(1);
  });
});
