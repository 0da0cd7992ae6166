import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asPublicKey } from "../../../src/crypto/keys.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { randomBytes } from "../../../src/util/random_numbers.ts";
import {
  allIsWell,
  arrive,
  dropsOf,
  established,
  meet,
  stillListens,
  type World,
} from "../../support/hostile_story.ts";

describe("a hostile friend, with handshakes", () => {
  let world: World;

  beforeEach(async () => {
    world = await meet();
  });

  afterEach(async () => {
    await world[Symbol.asyncDispose]();
  });

  it("begins and kills sessions without end", async () => {
    const { story, mallory, alice, aliceSees } = world;
    await arrive(world);
    const [before, sessionsBefore] = [alice.heard.all("friendConnection").length, established(world)];
    for (let i = 0; i < 1000; i++) {
      mallory.kill();
      await story.pass(1);
      mallory.handshake();
      await story.pass(11);
      mallory.goOnline();
      if (i % 200 === 0) mallory.connect(); // for another cookie
    }
    await story.pass(1000);
    expect(established(world) - sessionsBefore).toBeLessThan(40);
    expect(alice.heard.all("friendConnection").length - before).toBeLessThan(80);
    expect(dropsOf(world, "friendPacket.rate-limited")).toBeGreaterThan(100);
    mallory.forget();
    await story.pass(40_000);
    expect(aliceSees.mallory.connection).toBe("none");
    await allIsWell(world);
  });

  it("sends the same handshake again, and ours back to us", async () => {
    const { story, mallory, alice, aliceSees } = world;
    const ours: Uint8Array[] = [];
    story.universe.network.addFilter((bytes, from) => {
      if (bytes[0] === 0x1a && from === alice.host.endpoint(alice.tox.udpPort)) ours.push(bytes.slice());
      return true;
    });
    await arrive(world);
    const handshake = mallory.lastHandshake as Uint8Array;
    for (let i = 0; i < 1000; i++) mallory.transmit(handshake);
    for (const packet of ours) for (let i = 0; i < 100; i++) mallory.transmit(packet);
    for (let i = 0; i < 100; i++) {
      mallory.transmit(handshake.map((byte, at) => (at === 120 + i ? byte ^ 1 : byte)));
    }
    await story.pass(100);
    expect(aliceSees.mallory.connection).toBe("udp");
    expect(dropsOf(world, "handshake.replayed")).toBeGreaterThanOrEqual(1000);
    expect(dropsOf(world, "handshake.forged")).toBeGreaterThanOrEqual(200);
    await stillListens(world);
    const before = established(world);
    mallory.kill();
    await story.pass(50);
    for (let i = 0; i < 100; i++) mallory.transmit(handshake); // makes a session that nobody can use
    await story.pass(1000);
    expect(established(world)).toBe(before);
    expect(alice.tox.friends.length).toBe(2);
    await allIsWell(world);
  });

  it("never confirms, changes his mind, and names weak keys", async () => {
    const { story, mallory, alice } = world;
    mallory.confirms = false;
    mallory.connect();
    await story.pass(50);
    const before = { ...mallory.traffic };
    for (let i = 0; i < 500; i++) {
      mallory.handshake(); // under the same cookie
      mallory.handshake({ sameKeys: true, sessionKey: new Uint8Array(32) as never });
      await story.pass(1);
    }
    expect(mallory.traffic.receivedBytes - before.receivedBytes).toBeLessThan(
      mallory.traffic.sentBytes - before.sentBytes,
    );
    for (let i = 0; i < 100; i++) {
      mallory.connect();
      await story.pass(20);
    }
    await story.pass(20_000);
    expect(alice.host.edges.metrics.get("drop.cookieRequest.rate-limited")).toBeGreaterThan(10);
    mallory.confirms = true;
    await arrive(world);
    await stillListens(world);
    await allIsWell(world);
  });

  it("has another DHT key every time", async () => {
    const { story, mallory, alice } = world;
    await arrive(world);
    const sent = () => alice.host.edges.metrics.get("udp.sent");
    const before = sent();
    for (let i = 0; i < 2000; i++) {
      mallory.changeDhtKey();
      mallory.announceDhtKey(BigInt(i + 1));
      await story.pass(2);
    }
    expect(sent() - before).toBeLessThan(2000);
    expect(dropsOf(world, "friendPacket.rate-limited")).toBeGreaterThan(1000);
    await story.pass(5000);
    await arrive(world);
    await stillListens(world);
    await allIsWell(world);
  });

  it("names nodes that are somebody else's, to have us write to them", async () => {
    await arrive(world);
    const { story, mallory } = world;
    let sent = 0;
    story.universe.network.addFilter((bytes, _from, to) => {
      if (to.address[0] === 9) sent += bytes.length;
      return true;
    });
    const before = mallory.traffic.sentBytes;
    const { random } = story.universe;
    for (let i = 0; i < 2000; i++) {
      if (i === 1000) mallory.kill();
      const nodes = [1, 2, 3, 4].map((n) => {
        const endpoint = makeEndpoint(Uint8Array.of(9, n, i >> 8, i), 33445);
        return { transport: "udp", endpoint, publicKey: asPublicKey(randomBytes(random, 32)) } as const;
      });
      mallory.announceDhtKey(BigInt(i + 1), nodes);
      await story.pass(2);
    }
    await story.pass(1000);
    expect(sent).toBeLessThan(mallory.traffic.sentBytes - before);
    await story.pass(200_000);
    await allIsWell(world);
  });
});
