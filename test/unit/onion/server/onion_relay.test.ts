import { beforeEach, describe, expect, it } from "vitest";
import { buildOnionRequest } from "../../../../src/onion/path_packet.ts";
import { Universe } from "../../../../src/testing/universe.ts";
import { announceRequest, join, Machine, openResponse, PORT } from "./world.ts";

const HOUR = 60 * 60 * 1000;

let universe: Universe;
let client: Machine;
let one: Machine;
let two: Machine;
let three: Machine;
/** Receives what the third hop delivers, and answers by hand. */
let end: Machine;

beforeEach(async () => {
  universe = new Universe({ seed: 7 });
  [client, one, two, three, end] = (await Promise.all(
    ["client", "one", "two", "three", "end"].map((name) => Machine.make(universe, name)),
  )) as [Machine, Machine, Machine, Machine, Machine];
  for (const relay of [one, two, three]) relay.serve();
});

async function deliver(payload: Uint8Array): Promise<{ request: Uint8Array; sendback: Uint8Array } | undefined> {
  const path = client.path(one, two, three);
  client.send(one, buildOnionRequest(client.crypto, path, end.endpoint, payload));
  await universe.run(1000);
  const delivered = end.take()[0];
  if (delivered === undefined) return undefined;
  const { bytes, from } = delivered;
  expect(from).toEqual(three.endpoint);
  return { request: bytes.slice(0, -177), sendback: bytes.slice(-177) };
}

async function answer(sendback: Uint8Array, data: Uint8Array): Promise<Uint8Array | undefined> {
  end.send(three, join([0x8c], sendback, data));
  await universe.run(1000);
  const received = client.take();
  for (const { from } of received) expect(from).toEqual(one.endpoint);
  expect(received.length).toBeLessThanOrEqual(1);
  return received[0]?.bytes;
}

describe("an onion path", () => {
  it("carries a packet out and its response back, unchanged", async () => {
    const payload = join([0x85], new Uint8Array(300).fill(3));
    const delivered = await deliver(payload);
    expect(delivered?.request).toEqual(payload);
    const response = join([0x86], new Uint8Array(500).fill(4));
    expect(await answer(delivered?.sendback ?? new Uint8Array(177), response)).toEqual(response);
    for (const relay of [one, two, three]) {
      expect(relay.metrics.get("onion.requestsPassedOn")).toBe(1);
      expect(relay.metrics.get("onion.responsesPassedBack")).toBe(1);
    }
  });

  it("carries the longest payloads that fit, both ways", async () => {
    const longest = join([0x83], new Uint8Array(1173).fill(3));
    const delivered = await deliver(longest);
    expect(delivered?.request).toEqual(longest);
    const response = join([0x84], new Uint8Array(1221).fill(4));
    expect(await answer(delivered?.sendback ?? new Uint8Array(177), response)).toEqual(response);
    expect(await answer(delivered?.sendback ?? new Uint8Array(177), join(response, [1]))).toBeUndefined();
    expect(() =>
      buildOnionRequest(client.crypto, client.path(one, two, three), end.endpoint, join(longest, [1])),
    ).toThrow(/1174/);
  });

  it("works over one node repeated, which relays to itself and is the destination too", async () => {
    const { packet, key } = announceRequest(client.crypto, one.publicKey);
    client.send(one, buildOnionRequest(client.crypto, client.path(one, one, one), one.endpoint, packet));
    await universe.run(1000);
    expect(openResponse(client.crypto, client.take()[0]?.bytes, key).isStored).toBe(0);
    expect(one.metrics.get("onion.requestsPassedOn")).toBe(3);
  });

  it("crosses from IPv4 to IPv6 and back", async () => {
    const both = await Machine.make(universe, "both", { ipv6: true });
    const far = await Machine.make(universe, "far", { ipv4: false, ipv6: true });
    both.serve();
    const request = buildOnionRequest(client.crypto, client.path(one, two, both), far.endpoint, join([0x83, 1]));
    client.send(one, request);
    await universe.run(1000);
    const [delivered] = far.take();
    far.network.send(both.host.endpoint(PORT, 6), join([0x8c], delivered?.bytes.slice(-177) ?? [], [0x84, 9]));
    await universe.run(1000);
    expect(client.take()[0]?.bytes).toEqual(join([0x84, 9]));
  });
});

describe("the id filter", () => {
  it("lets the third hop deliver nothing but 0x83, 0x85 and 0x87", async () => {
    const delivered: number[] = [];
    for (let id = 0; id < 256; id++) {
      if ((await deliver(join([id], new Uint8Array(40)))) !== undefined) delivered.push(id);
    }
    expect(delivered).toEqual([0x83, 0x85, 0x87]);
    expect(three.metrics.get("drop.onionRequest2.unknown-id")).toBe(253);
  });

  it("lets each hop back pass nothing but 0x84, 0x86 and 0x88", async () => {
    // Each in turn is the first honest hop back: `end` plays every hop behind it, with a true sendback in hand.
    for (const [depth, hop] of [three, two, one].entries()) {
      const sendback = await sendbackSealedBy(hop);
      const passed: number[] = [];
      for (let id = 0; id < 256; id++) {
        end.send(hop, join([0x8c + depth], sendback, [id, 1, 2, 3]));
        await universe.run(1000);
        if (client.take().length > 0) passed.push(id);
      }
      expect(passed).toEqual([0x84, 0x86, 0x88]);
      expect(hop.metrics.get(`drop.onionResponse${3 - depth}.unknown-id`)).toBe(253);
    }
  });

  /** The path goes over `end` right behind that hop, so that it sees the sendback. */
  async function sendbackSealedBy(hop: Machine): Promise<Uint8Array> {
    const path = hop === one ? client.path(one, end, three) : client.path(one, two, end);
    if (hop === three) return (await deliver(join([0x83])))?.sendback ?? new Uint8Array(177);
    client.send(one, buildOnionRequest(client.crypto, path, end.endpoint, join([0x83])));
    await universe.run(1000);
    return end.take()[0]?.bytes.slice(hop === one ? -59 : -118) ?? new Uint8Array(59);
  }
});

describe("a sendback", () => {
  it("outlives the renewal of the relay's key by ten minutes, not more", async () => {
    const response = join([0x84, 7]);
    await universe.run(2 * HOUR - 5000);
    const sendback = (await deliver(join([0x83, 1])))?.sendback ?? new Uint8Array(177);
    await universe.run(10_000);
    expect(await deliver(join([0x83, 2]))).toBeDefined(); // renews the key
    expect(await answer(sendback, response)).toEqual(response);
    await universe.run(580_000);
    expect(await answer(sendback, response)).toEqual(response);
    await universe.run(20_000);
    expect(await answer(sendback, response)).toBeUndefined();
    expect(three.metrics.get("drop.onionResponse3.forged")).toBe(1);
  });

  it("is not opened by a key that should have been renewed while the relay was idle", async () => {
    const sendback = (await deliver(join([0x83, 1])))?.sendback ?? new Uint8Array(177);
    await universe.run(2 * HOUR + 11 * 60_000);
    expect(await answer(sendback, join([0x84, 7]))).toBeUndefined();
  });

  it("is refused by another relay, and when any bit of it is flipped", async () => {
    const sendback = (await deliver(join([0x83, 1])))?.sendback ?? new Uint8Array(177);
    end.send(two, join([0x8c], sendback, [0x84]));
    for (let at = 0; at < sendback.length; at++) {
      const flipped = sendback.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      expect(await answer(flipped, join([0x84]))).toBeUndefined();
    }
    expect(two.metrics.get("drop.onionResponse3.forged")).toBe(1);
    expect(three.metrics.get("drop.onionResponse3.forged")).toBe(177);
  });

  it("shows the next hop and the destination nothing of who sent the request", async () => {
    const first = await deliver(join([0x83, 1]));
    const again = await deliver(join([0x83, 1]));
    expect(first?.sendback).not.toEqual(again?.sendback);
    const address = [...client.endpoint.address].join();
    expect([...(first?.sendback ?? [])].join()).not.toContain(address);
  });
});

describe("a hostile request", () => {
  it("is dropped when a bit is flipped, cut or lengthened, at every hop, and answers nothing", async () => {
    const packet = buildOnionRequest(client.crypto, client.path(one, two, three), end.endpoint, join([0x83, 1, 2]));
    for (let at = 1; at < packet.length; at++) {
      const flipped = packet.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      client.send(one, flipped);
    }
    client.send(one, packet.slice(0, -1));
    client.send(one, join(packet, [0]));
    client.send(one, packet.slice(0, 226));
    client.send(one, packet.slice(0, 1));
    client.send(one, join(packet, new Uint8Array(1401 - packet.length)));
    await universe.run(1000);
    for (const machine of [client, two, three, end]) {
      expect(machine.metrics.get("udp.received")).toBe(0);
    }
    expect(one.metrics.get("drop.onionRequest0.forged")).toBe(packet.length - 1 + 2);
    expect(one.metrics.get("drop.onionRequest0.truncated")).toBe(2);
    expect(one.metrics.get("drop.onionRequest0.oversized")).toBe(1);
  });

  it("with a key of small order is dropped", async () => {
    const packet = buildOnionRequest(client.crypto, client.path(one, two, three), end.endpoint, join([0x83, 1]));
    packet.fill(0, 25, 57);
    client.send(one, packet);
    await universe.run(1000);
    expect(one.metrics.get("drop.onionRequest0.weak-key")).toBe(1);
  });

  it("cannot make us reach into our own network, nor broadcast", async () => {
    const path = client.path(one, two, three);
    const nowhere = [
      [127, 0, 0, 1],
      [192, 168, 1, 1],
      [10, 1, 2, 3],
      [0, 0, 0, 0],
      [255, 255, 255, 255],
      [224, 0, 0, 1],
    ];
    for (const address of nowhere) {
      const target = { family: 4 as const, address: Uint8Array.from(address), port: PORT };
      client.send(one, buildOnionRequest(client.crypto, path, target, join([0x83, 1])));
    }
    await universe.run(1000);
    expect(three.metrics.get("drop.onionRequest2.wrong-address")).toBe(nowhere.length);
    expect(three.metrics.get("udp.sent")).toBe(0);
  });

  it("for a family that we have no socket of is dropped", async () => {
    const target = { family: 6 as const, address: new Uint8Array(16).fill(0x20), port: PORT };
    client.send(one, buildOnionRequest(client.crypto, client.path(one, two, three), target, join([0x83, 1])));
    await universe.run(1000);
    expect(three.metrics.get("drop.onionRequest2.wrong-address")).toBe(1);
  });
});

describe("close", () => {
  it("ends the relaying", async () => {
    const late = await Machine.make(universe, "late");
    late.serve().close();
    client.send(late, buildOnionRequest(client.crypto, client.path(late, two, three), end.endpoint, join([0x83, 1])));
    await universe.run(1000);
    expect(end.take()).toEqual([]);
    expect(late.metrics.get("drop.udp.unknown-id")).toBe(1);
    expect(late.host.edges.clock.pending).toBe(0);
  });
});
