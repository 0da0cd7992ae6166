import nacl from "tweetnacl";
import { describe, expect, it } from "vitest";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import type { Endpoint } from "../../../src/env/datagram.ts";
import { Universe } from "../../../src/testing/index.ts";
import { sameBytes } from "../../../src/util/bytes.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { MinimalPeer } from "./minimal_peer.ts";
import { connect, connectedPair, numbered, Recorder, startNode, upTo } from "./support.ts";

/** Keeps copies of what passes. */
function tap(universe: Universe) {
  const seen: Array<{ bytes: Uint8Array; from: Endpoint; to: Endpoint }> = [];
  universe.network.addFilter((bytes, from, to) => {
    seen.push({ bytes: bytes.slice(), from, to });
    return true;
  });
  return seen;
}

describe("hostile packets", () => {
  it("flipped, cut, lengthened, reflected and replayed ones change nothing and are counted", async () => {
    const universe = new Universe({ seed: 41, link: { latency: [10, 10] } });
    const seen = tap(universe);
    const pair = await connectedPair(universe);
    for (const number of upTo(20)) pair.ab.send(numbered(number), "message");
    for (const number of upTo(20)) pair.ab.sendLossy(Uint8Array.of(192, number));
    await universe.run(100);
    const toB = seen.filter(({ to }) => to === pair.b.endpoint);
    const state = () => [
      pair.heardByB.lossless.length,
      pair.heardByB.lossy.length,
      pair.heardByB.closed,
      pair.heardByB.established,
      pair.ba.state,
      pair.ba.sendQueueLength,
      pair.b.netCrypto.sessionCount,
      pair.b.incoming.length,
    ];
    const before = state();
    const { random } = universe;
    for (const { bytes, from, to } of toB) {
      universe.network.inject(bytes, from, to);
      universe.network.inject(bytes.subarray(0, bytes.length - 1), from, to);
      universe.network.inject(Uint8Array.of(...bytes, 0), from, to);
      universe.network.inject(Uint8Array.of(...bytes, ...new Uint8Array(1500)), from, to);
      universe.network.inject(bytes, pair.a.endpoint, pair.a.endpoint);
      for (let i = 0; i < 5; i++) {
        const flipped = bytes.slice();
        const at = 1 + (random.nextU32() % (bytes.length - 1));
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (random.nextU32() % 8));
        universe.network.inject(flipped, from, to);
      }
    }
    for (const { bytes } of seen.filter(({ from }) => from === pair.b.endpoint)) {
      universe.network.inject(bytes, pair.a.endpoint, pair.b.endpoint); // what B sent comes back to it
    }
    await universe.run(5);
    expect(state()).toEqual(before);
    const { metrics } = pair.b.host.edges;
    for (const name of ["cryptoData.replayed", "cryptoData.forged", "cryptoData.oversized", "handshake.forged"]) {
      expect([name, metrics.get(`drop.${name}`) > 0]).toEqual([name, true]);
    }
    expect(metrics.get("drop.cryptoData.replayed")).toBeGreaterThanOrEqual(40);
    pair.ab.send(numbered(20), "message");
    await universe.run(100);
    expect(pair.heardByB.numbers).toEqual(upTo(21));
  });

  it("handshakes under a forged, foreign or expired cookie, with a weak key or a wrong hash are refused", async () => {
    const universe = new Universe({ seed: 42, link: { latency: [5, 5] } });
    const node = await startNode(universe, universe.host("node"));
    const { self, dht } = node.keys;
    const peer = await MinimalPeer.start(universe.host("peer"), node.endpoint, self.publicKey, dht.publicKey);
    const other = await MinimalPeer.start(universe.host("other"), node.endpoint, self.publicKey, dht.publicKey);
    const cookieOf = async (who: MinimalPeer) => {
      who.send(who.cookieRequest(nacl.randomBytes(8)));
      await universe.run(15);
      return who.openCookieResponse(who.of(0x19).at(-1) as Uint8Array).cookie;
    };
    const drops = (reason: string) => node.host.edges.metrics.get(`drop.handshake.${reason}`);

    const cookie = await cookieOf(peer);
    const foreign = await cookieOf(other);
    peer.send(peer.handshake(peer.cookie()));
    peer.send(peer.handshake(foreign));
    await universe.run(15);
    expect(drops("forged")).toBe(2);

    const mixed = peer.handshake(cookie);
    mixed.set(await cookieOf(peer), 1); // another cookie of the same person: only the hash tells
    peer.send(mixed);
    await universe.run(15);
    expect(drops("malformed")).toBe(1);

    peer.send(peer.handshake(cookie, new Uint8Array(32)));
    await universe.run(15);
    expect(drops("weak-key")).toBe(1);
    expect(node.netCrypto.sessionCount).toBe(0);

    await universe.run(15_000);
    peer.send(peer.handshake(cookie));
    await universe.run(15);
    expect(drops("expired")).toBe(1);
    expect([node.incoming.map((recorder) => recorder.closed), node.netCrypto.sessionCount]).toEqual([
      [["handshake-failed"]],
      0,
    ]);
  });

  it("cookie responses that nobody asked for are dropped", async () => {
    const universe = new Universe({ seed: 43, link: { latency: [5, 5] } });
    const node = await startNode(universe, universe.host("node"));
    const { self, dht } = node.keys;
    const peer = await MinimalPeer.start(universe.host("peer"), node.endpoint, self.publicKey, dht.publicKey);
    peer.send(peer.cookieResponse(new Uint8Array(8)));
    await universe.run(15);
    expect(node.host.edges.metrics.get("drop.cookieResponse.unsolicited")).toBe(1);
    const recorder = new Recorder();
    const session = node.netCrypto.connect(peer.self.publicKey as never, peer.dht.publicKey as never, recorder);
    session.addEndpoint(peer.endpoint);
    await universe.run(15);
    peer.send(peer.cookieResponse(new Uint8Array(8)));
    await universe.run(15);
    expect(session.state).toBe("cookie");
    expect(node.host.edges.metrics.get("drop.cookieResponse.replayed")).toBe(1);
  });

  it("peers who are not welcome cost no X25519", async () => {
    const universe = new Universe({ seed: 44, link: { latency: [5, 5] } });
    const a = await startNode(universe, universe.host("a"));
    const b = await startNode(universe, universe.host("b"));
    b.netCrypto.isWelcome = () => false;
    connect(a, b);
    await universe.run(500);
    expect(b.keys.selfShared.size).toBe(0);
    expect(b.incoming.length).toBe(0);
    expect(b.host.edges.metrics.get("drop.handshake.unsolicited")).toBeGreaterThan(0);
  });

  it("a flood of cookie requests from one network leaves others their answers", async () => {
    const universe = new Universe({ seed: 45, link: { latency: [5, 5] } });
    const node = await startNode(universe, universe.host("node"));
    const honest = await startNode(universe, universe.host("honest"));
    const { self, dht } = node.keys;
    const flooder = await MinimalPeer.start(universe.host("flooder"), node.endpoint, self.publicKey, dht.publicKey);
    const request = flooder.cookieRequest(new Uint8Array(8));
    for (let i = 0; i < 100; i++)
      universe.at(universe.now + 10 * i, () => {
        for (let j = 0; j < 50; j++) flooder.send(request);
      });
    await universe.run(900);
    const { session } = connect(honest, node);
    await universe.run(100);
    expect(session.state).toBe("established");
    await universe.run(100);
    expect(flooder.of(0x19).length).toBeGreaterThan(20);
    expect(flooder.of(0x19).length).toBeLessThan(40);
    expect(node.host.edges.metrics.get("drop.cookieRequest.rate-limited")).toBeGreaterThan(4000);
  });

  it("a flood of cookie requests from everywhere leaves a friend who is expected his answers", async () => {
    const universe = new Universe({ seed: 47, link: { latency: [5, 5] } });
    const node = await startNode(universe, universe.host("node"));
    const friend = await startNode(universe, universe.host("friend"));
    node.netCrypto.isExpected = (key) => sameBytes(key, friend.keys.dht.publicKey);
    const { self, dht } = node.keys;
    const flooder = await MinimalPeer.start(universe.host("flooder"), node.endpoint, self.publicKey, dht.publicKey);
    const request = flooder.cookieRequest(new Uint8Array(8));
    // He names the friend's key too, but cannot seal for it.
    const forged = request.slice();
    forged.set(friend.keys.dht.publicKey, 1);
    let from = 0;
    for (let i = 0; i < 300; i++)
      universe.at(universe.now + 10 * i, () => {
        for (let j = 0; j < 40; j++) {
          const source = makeEndpoint(Uint8Array.of(203, (from >> 8) & 0xff, from++ & 0xff, 9), 4000);
          universe.network.inject(j % 2 === 0 ? request : forged, source, node.endpoint);
        }
      });
    await universe.run(2900);
    const { session } = connect(friend, node);
    await universe.run(50);
    expect(session.state).toBe("established");
    expect(node.host.edges.metrics.get("drop.cookieRequest.rate-limited")).toBeGreaterThan(2000);
    expect(node.host.edges.metrics.get("drop.cookieRequest.forged")).toBeGreaterThan(5000);
  });

  it("a flood of cookie requests over a relay costs little, and leaves friends and other relays their answers", async () => {
    const universe = new Universe({ seed: 49, link: { latency: [5, 5] } });
    const node = await startNode(universe, universe.host("node"));
    const { self, dht } = node.keys;
    const peer = (name: string) => MinimalPeer.start(universe.host(name), node.endpoint, self.publicKey, dht.publicKey);
    const [flooder, friend, other] = await Promise.all([peer("flooder"), peer("friend"), peer("other")]);
    node.netCrypto.isExpected = (key) => sameBytes(key, friend.dht.publicKey);
    let answers = 0;
    const send = () => ++answers > 0;
    const relay = { relay: node.crypto.keyPair().publicKey, send };
    const clean = { relay: node.crypto.keyPair().publicKey, send };
    const ask = (by: MinimalPeer, over: typeof relay, as = by.dht.publicKey as PublicKey) => {
      const before = answers;
      node.netCrypto.receiveFromRelay(by.cookieRequest(new Uint8Array(8)), over, as);
      return answers - before;
    };
    let made = 0;
    for (let i = 0; i < 400; i++) made += ask(flooder, relay);
    expect(made).toBe(8); // one client of the relay
    expect(ask(other, relay)).toBe(1); // leaves another one his
    const { size } = node.keys.dhtShared;
    for (let i = 0; i < 1000; i++) {
      // A relay that lies about whose packets it brings.
      const key = node.crypto.keyPair().publicKey;
      const request = flooder.cookieRequest(new Uint8Array(8));
      request.set(key, 1);
      node.netCrypto.receiveFromRelay(request, relay, key);
      ask(flooder, relay, key);
    }
    expect(node.keys.dhtShared.size).toBe(size);
    expect(node.host.edges.metrics.get("drop.cookieRequest.forged")).toBe(11);
    expect(node.host.edges.metrics.get("drop.cookieRequest.wrong-key")).toBe(1000);
    expect(ask(other, relay)).toBe(0);
    expect(ask(other, clean)).toBe(1);
    for (let i = 0; i < 20; i++) expect(ask(friend, relay)).toBe(1);
    expect(ask(friend, relay)).toBe(0);
    await universe.run(1000);
    expect(ask(other, relay)).toBe(1);
    expect(ask(friend, relay)).toBe(1);
  });

  it("a friend's cookie request played again and again is not answered for ever", async () => {
    const universe = new Universe({ seed: 48, link: { latency: [5, 5] } });
    const node = await startNode(universe, universe.host("node"));
    const { self, dht } = node.keys;
    const friend = await MinimalPeer.start(universe.host("friend"), node.endpoint, self.publicKey, dht.publicKey);
    node.netCrypto.isExpected = (key) => sameBytes(key, friend.dht.publicKey);
    const request = friend.cookieRequest(new Uint8Array(8));
    for (let i = 0; i < 500; i++) friend.send(request);
    await universe.run(100);
    expect(friend.of(0x19).length).toBe(20);
  });

  it("a listener that throws harms nobody", async () => {
    const universe = new Universe({ seed: 46, link: { latency: [5, 5] } });
    const pair = await connectedPair(universe);
    pair.heardByB.hook = () => {
      throw new Error("a mistake of the app");
    };
    for (const number of upTo(3)) pair.ab.send(numbered(number), "message");
    await universe.run(50);
    expect(pair.heardByB.numbers).toEqual(upTo(3));
    expect(pair.ba.state).toBe("established");
  });

  it("a session may be killed from any of its callbacks", async () => {
    const universe = new Universe({ seed: 47, link: { latency: [5, 5] } });
    const pair = await connectedPair(universe);
    pair.heardByB.hook = (session) => session.kill();
    for (const number of upTo(3)) pair.ab.send(numbered(number), "message");
    await universe.run(50);
    expect(pair.heardByB.numbers).toEqual([0]);
    expect(pair.heardByA.closed).toEqual(["killed"]);
    expect(pair.heardByB.closed).toEqual(["local"]);
    const again = connect(pair.a, pair.b);
    await universe.run(100);
    again.session.send(numbered(1), "message", () => again.session.kill());
    again.session.send(numbered(2), "message", () => expect.unreachable());
    await universe.run(50);
    expect(again.recorder.closed).toEqual(["local"]);
  });
});
