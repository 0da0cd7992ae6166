import { describe, expect, it } from "vitest";
import type { RelayPath } from "../../../src/net_crypto/ports.ts";
import { Universe } from "../../../src/testing/index.ts";
import { connect, connectedPair, numbered, Recorder, startNode, type TestNode, upTo } from "./support.ts";

describe("a session's life", () => {
  it("an idle one sends one small packet a second each way, and wakes no more than that", async () => {
    const universe = new Universe({ seed: 51 });
    const pair = await connectedPair(universe);
    await universe.run(2000);
    const { metrics, clock } = pair.a.host.edges;
    const [sent, fired] = [metrics.get("udp.sent"), clock.fired];
    await universe.run(60_000);
    expect(metrics.get("udp.sent") - sent).toBeGreaterThanOrEqual(58);
    expect(metrics.get("udp.sent") - sent).toBeLessThanOrEqual(61);
    expect(clock.fired - fired).toBeLessThanOrEqual(75);
    expect(pair.ab.state).toBe("established");
  });

  it("tells when the last packet came, so that its owner may end it", async () => {
    const universe = new Universe({ seed: 52 });
    const pair = await connectedPair(universe);
    await universe.run(5000);
    expect(universe.now - pair.ab.lastReceivedAt).toBeLessThan(1100);
    pair.b.host.goOffline();
    await universe.run(32_000);
    expect(universe.now - pair.ab.lastReceivedAt).toBeGreaterThan(31_000);
    pair.ab.kill("timeout");
    expect(pair.heardByA.closed).toEqual(["timeout"]);
    expect(pair.a.netCrypto.sessionCount).toBe(0);
  });

  it("closing the whole tells every peer and leaves no timer", async () => {
    const universe = new Universe({ seed: 53, link: { latency: [5, 5] } });
    const pair = await connectedPair(universe);
    pair.ab.send(numbered(1), "message", () => expect.unreachable());
    pair.a.netCrypto.close();
    pair.a.netCrypto.close();
    await universe.run(20);
    expect([pair.heardByA.closed, pair.heardByB.closed]).toEqual([["local"], ["killed"]]);
    expect(pair.a.host.edges.clock.pending).toBe(0);
    expect(pair.ab.send(numbered(2), "message")).toBe(false);
    expect(pair.a.netCrypto.sessionCount).toBe(0);
  });

  it("a peer who lost its session without a word and connects again is heard at once", async () => {
    const universe = new Universe({ seed: 54, link: { latency: [5, 5] } });
    const pair = await connectedPair(universe);
    await universe.run(1000);
    const stop = universe.network.addFilter((_, from) => from !== pair.a.endpoint);
    pair.ab.kill(); // its kill packet is lost
    stop();
    const again = connect(pair.a, pair.b);
    await universe.run(100);
    expect(again.session.state).toBe("established");
    expect(pair.heardByB.closed).toEqual(["replaced"]);
    expect(pair.b.incoming.length).toBe(2);
    expect(pair.b.netCrypto.sessionCount).toBe(1);
  });

  it("a peer who comes back with another DHT key replaces its old session", async () => {
    const universe = new Universe({ seed: 55, link: { latency: [5, 5] } });
    const pair = await connectedPair(universe);
    await universe.run(1000);
    pair.a.host.crash();
    const a = await startNode(universe, pair.a.host, { self: pair.a.keys.self });
    const { session } = connect(a, pair.b);
    await universe.run(100);
    expect(session.state).toBe("established");
    expect(pair.heardByB.closed).toEqual(["replaced"]);
    expect(pair.b.netCrypto.session(a.keys.self.publicKey)?.dhtPublicKey).toEqual(a.keys.dht.publicKey);
  });

  it("a handler of incoming sessions may connect by itself", async () => {
    const universe = new Universe({ seed: 59, link: { latency: [5, 5] } });
    const a = await startNode(universe, universe.host("a"));
    const b = await startNode(universe, universe.host("b"));
    const recorder = new Recorder();
    b.netCrypto.onIncoming = (peer, dhtPublicKey) => {
      b.netCrypto.connect(peer, dhtPublicKey, recorder);
      return recorder;
    };
    const { session } = connect(a, b);
    await universe.run(100);
    expect([session.state, recorder.established, b.netCrypto.sessionCount]).toEqual(["established", 1, 1]);
  });

  it("connecting with another DHT key replaces the session, with the same one answers it", async () => {
    const universe = new Universe({ seed: 56 });
    const pair = await connectedPair(universe);
    const { publicKey } = pair.b.keys.self;
    expect(pair.a.netCrypto.connect(publicKey, pair.b.keys.dht.publicKey, new Recorder())).toBe(pair.ab);
    const other = pair.a.crypto.keyPair().publicKey;
    const session = pair.a.netCrypto.connect(publicKey, other, new Recorder());
    expect(session).not.toBe(pair.ab);
    expect(pair.heardByA.closed).toEqual(["replaced"]);
  });

  it("a peer who moved where nothing gets out before something came in is followed once the new address is known", async () => {
    const universe = new Universe({ seed: 57, link: { latency: [10, 10] } });
    const pair = await connectedPair(universe);
    for (const number of upTo(10)) pair.ab.send(numbered(number), "message");
    await universe.run(500);
    pair.a.host.moveTo("203.0.113.77");
    let open = false;
    universe.network.addFilter((_, from, to) => {
      if (to.address[0] === 203) open = true;
      return open || from.address[0] !== 203;
    });
    for (let number = 10; number < 20; number++) pair.ab.send(numbered(number), "message");
    await universe.run(6000);
    expect(pair.heardByB.numbers).toEqual(upTo(10));
    pair.ba.addEndpoint(pair.a.host.endpoint(33445));
    await universe.run(4000);
    expect(pair.heardByB.numbers).toEqual(upTo(20));
    expect(pair.ba.endpoint).toEqual(pair.a.host.endpoint(33445));
    expect(pair.heardByB.pathChanges).toBe(1);
    expect(pair.heardByB.closed).toEqual([]);
  });

  it("keeps at most eight addresses of a peer", async () => {
    const universe = new Universe({ seed: 58, link: { latency: [10, 10] } });
    const a = await startNode(universe, universe.host("a"));
    const b = await startNode(universe, universe.host("b"));
    const session = a.netCrypto.connect(b.keys.self.publicKey, b.keys.dht.publicKey, new Recorder());
    let requests = 0;
    universe.network.addFilter((bytes) => {
      if (bytes[0] === 0x18) requests++;
      return true;
    });
    for (const port of upTo(100)) session.addEndpoint(b.host.endpoint(1000 + port));
    expect(requests).toBe(100);
    requests = 0;
    session.addEndpoint(b.endpoint);
    await universe.run(300);
    expect(session.state).toBe("established");
    expect(requests).toBeLessThan(20);
  });
});

/** Two ends of a relay that brings packets after 30 ms. */
function relayBetween(universe: Universe, a: TestNode, b: TestNode): { toB: RelayPath; toA: RelayPath } {
  const end = (to: () => TestNode, from: TestNode, back: () => RelayPath): RelayPath => ({
    send(packet) {
      const copy = packet.slice();
      universe.at(universe.now + 30, () => to().netCrypto.receiveFromRelay(copy, back(), from.keys.dht.publicKey));
      return true;
    },
  });
  const toB: RelayPath = end(
    () => b,
    a,
    () => toA,
  );
  const toA: RelayPath = end(
    () => a,
    b,
    () => toB,
  );
  return { toB, toA };
}

describe("a relay path", () => {
  it("carries a session, which moves to UDP once that works and back when it fails", async () => {
    const universe = new Universe({ seed: 61, link: { latency: [10, 10] } });
    const a = await startNode(universe, universe.host("a"));
    const b = await startNode(universe, universe.host("b"));
    const { toB, toA } = relayBetween(universe, a, b);
    const recorder = new Recorder();
    const session = a.netCrypto.connect(b.keys.self.publicKey, b.keys.dht.publicKey, recorder);
    session.addRelay(toB);
    await universe.run(300);
    const ba = b.incoming[0]?.session;
    expect([session.state, session.endpoint, ba?.endpoint]).toEqual(["established", undefined, undefined]);
    session.send(numbered(0), "message");
    await universe.run(200);
    ba?.addEndpoint(a.endpoint);
    session.addEndpoint(b.endpoint);
    await universe.run(3000);
    expect([session.endpoint, ba?.endpoint]).toEqual([b.endpoint, a.endpoint]);
    universe.partition([a.host], [b.host]);
    await universe.run(8000);
    session.send(numbered(1), "message");
    await universe.run(5000);
    expect(b.incoming[0]?.numbers).toEqual([0, 1]);
    expect(session.endpoint).toBe(undefined);
    session.removeRelay(toB);
    ba?.removeRelay(toA);
    expect(session.state).toBe("established");
  });

  it.each([1, 2, 3, 4, 5])(
    "takes over within two seconds of UDP's death, and nothing is lost (seed %i)",
    async (seed) => {
      const universe = new Universe({ seed: 6300 + seed, link: { latency: [10, 10] } });
      const pair = await connectedPair(universe);
      const { toB, toA } = relayBetween(universe, pair.a, pair.b);
      pair.ab.addRelay(toB);
      pair.ba.addRelay(toA);
      await universe.run(10_000 + seed * 217);
      expect([pair.ab.endpoint, pair.ba.endpoint]).toEqual([pair.b.endpoint, pair.a.endpoint]);
      let next = 0;
      const speak = () => {
        pair.ab.send(numbered(next), "message");
        pair.ba.send(numbered(next++), "message");
      };
      const heardAt: number[] = [];
      for (const heard of [pair.heardByA, pair.heardByB]) heard.hook = () => heardAt.push(universe.now);
      for (let i = 0; i < 10; i++, await universe.run(100)) speak();
      universe.partition([pair.a.host], [pair.b.host]);
      const died = universe.now;
      for (let i = 0; i < 40; i++, await universe.run(100)) speak();
      const silence = Math.min(...heardAt.filter((at) => at > died + 10)) - died;
      expect(silence).toBeLessThan(2000);
      expect([pair.ab.endpoint, pair.ba.endpoint]).toEqual([undefined, undefined]);
      universe.heal();
      for (let i = 0; i < 40; i++, await universe.run(100)) speak();
      expect([pair.ab.endpoint, pair.ba.endpoint]).toEqual([pair.b.endpoint, pair.a.endpoint]);
      expect(pair.heardByA.numbers).toEqual(upTo(next));
      expect(pair.heardByB.numbers).toEqual(upTo(next));
    },
  );

  it("what a full relay did not take leaves in the turn in which it has room again", async () => {
    const universe = new Universe({ seed: 63 });
    const a = await startNode(universe, universe.host("a"));
    const b = await startNode(universe, universe.host("b"));
    const { toB } = relayBetween(universe, a, b);
    let isFull = false;
    const send = toB.send;
    toB.send = (packet) => !isFull && send(packet);
    const session = a.netCrypto.connect(b.keys.self.publicKey, b.keys.dht.publicKey, new Recorder());
    session.addRelay(toB);
    await universe.run(500);
    expect(session.state).toBe("established");
    isFull = true;
    for (const i of upTo(3)) expect(session.send(numbered(i), "message")).toBe(true);
    await universe.run(1);
    isFull = false;
    a.netCrypto.onRelayWritable(a.keys.dht.publicKey); // another peer's way
    await universe.run(31);
    expect(b.incoming[0]?.numbers).toEqual([]);
    a.netCrypto.onRelayWritable(b.keys.dht.publicKey);
    await universe.run(31);
    expect(b.incoming[0]?.numbers).toEqual([0, 1, 2]);
  });

  it("does not answer cookie requests under another DHT key than the relay names", async () => {
    const universe = new Universe({ seed: 62 });
    const a = await startNode(universe, universe.host("a"));
    const b = await startNode(universe, universe.host("b"));
    const sent: Uint8Array[] = [];
    const capture: RelayPath = { send: (packet) => sent.push(packet.slice()) > 0 };
    a.netCrypto.connect(b.keys.self.publicKey, b.keys.dht.publicKey, new Recorder()).addRelay(capture);
    const answers: Uint8Array[] = [];
    const back: RelayPath = { send: (packet) => answers.push(packet.slice()) > 0 };
    b.netCrypto.receiveFromRelay(sent[0] as Uint8Array, back, b.keys.dht.publicKey);
    expect(answers.length).toBe(0);
    b.netCrypto.receiveFromRelay(sent[0] as Uint8Array, back, a.keys.dht.publicKey);
    expect(answers.length).toBe(1);
  });
});
