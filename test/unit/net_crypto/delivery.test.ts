import { describe, expect, it } from "vitest";
import type { LosslessClass } from "../../../src/net_crypto/session.ts";
import { Universe } from "../../../src/testing/index.ts";
import { connect, connectedPair, numbered, Recorder, startNode, upTo } from "./support.ts";

/** Sends numbered packets as fast as the queue takes them. */
function sendAll(
  pair: { ab: import("../../../src/net_crypto/session.ts").Session },
  recorder: Recorder,
  count: number,
) {
  let next = 0;
  let acknowledged = 0;
  const go = () => {
    while (next < count && pair.ab.send(numbered(next), "message", () => acknowledged++)) next++;
  };
  recorder.onWritable = go;
  go();
  return {
    get acknowledged() {
      return acknowledged;
    },
    get sent() {
      return next;
    },
  };
}

describe("a handshake", () => {
  it("is done after two round trips, and packets flow both ways", async () => {
    const universe = new Universe({ seed: 1, link: { latency: [10, 10] } });
    const a = await startNode(universe, universe.host("a"));
    const b = await startNode(universe, universe.host("b"));
    const start = universe.now;
    const { session, recorder } = connect(a, b);
    await universe.runUntil(() => recorder.established === 1 && b.incoming[0]?.established === 1);
    expect(universe.now - start).toBeCloseTo(50, 0);
    expect(session.endpoint).toEqual(b.endpoint);
    expect(session.roundTripMs).toBeCloseTo(20, 0);
    expect(session.send(numbered(7), "message")).toBe(true);
    expect(b.incoming[0]?.session?.send(numbered(8), "control")).toBe(true);
    await universe.run(100);
    expect(b.incoming[0]?.numbers).toEqual([7]);
    expect(recorder.numbers).toEqual([8]);
  });

  it("begun by both at once makes one session", async () => {
    for (const delay of [0, 5, 15, 20, 25, 35, 45]) {
      const universe = new Universe({ seed: delay, link: { latency: [10, 10] } });
      const a = await startNode(universe, universe.host("a"));
      const b = await startNode(universe, universe.host("b"));
      const fromA = connect(a, b);
      await universe.run(delay);
      const fromB = b.netCrypto.session(a.keys.self.publicKey) ? undefined : connect(b, a);
      await universe.run(3000);
      const ba = b.netCrypto.session(a.keys.self.publicKey);
      expect([fromA.session.state, ba?.state]).toEqual(["established", "established"]);
      expect([a.netCrypto.sessionCount, b.netCrypto.sessionCount]).toEqual([1, 1]);
      const heard = fromB?.recorder ?? (b.incoming[0] as Recorder);
      expect(heard.closed).toEqual([]);
      fromA.session.send(numbered(1), "message");
      ba?.send(numbered(2), "message");
      await universe.run(200);
      expect([heard.numbers, fromA.recorder.numbers]).toEqual([[1], [2]]);
    }
  });

  it("gets through a link that loses 40 %, at the first endpoint of several that is right", async () => {
    const universe = new Universe({ seed: 3, link: { loss: 0.4, duplication: 0.2, reordering: 0.2 } });
    let established = 0;
    for (let i = 0; i < 10; i++) {
      const a = await startNode(universe, universe.host(`a${i}`));
      const b = await startNode(universe, universe.host(`b${i}`));
      const { session } = connect(a, b, universe.network.intern(Uint8Array.of(203, 0, 113, 1), 1));
      for (const port of [1, 2, 3]) session.addEndpoint(b.host.endpoint(port));
      session.addEndpoint(b.endpoint);
      await universe.run(10_000);
      if (session.state === "established") established++;
    }
    expect(established).toBeGreaterThanOrEqual(9);
  });

  it("fails after 8 cookie requests that nobody answers", async () => {
    const universe = new Universe({ seed: 4 });
    const a = await startNode(universe, universe.host("a"));
    const b = await startNode(universe, universe.host("b"));
    let requests = 0;
    universe.network.addFilter((bytes) => {
      if (bytes[0] === 0x18) requests++;
      return false;
    });
    const { session, recorder } = connect(a, b);
    await universe.run(7000);
    expect(recorder.closed).toEqual([]);
    await universe.run(2000);
    expect(recorder.closed).toEqual(["handshake-failed"]);
    expect([requests, session.state, a.netCrypto.sessionCount]).toEqual([8, "closed", 0]);
    expect(a.host.edges.clock.pending).toBe(0);
  });

  it("fails after 8 handshakes that nobody answers", async () => {
    const universe = new Universe({ seed: 4 });
    const a = await startNode(universe, universe.host("a"));
    const b = await startNode(universe, universe.host("b"));
    b.accepts = false;
    let handshakes = 0;
    universe.network.addFilter((bytes) => {
      if (bytes[0] === 0x1a) handshakes++;
      return true;
    });
    const { recorder } = connect(a, b);
    await universe.run(9000);
    expect(recorder.closed).toEqual(["handshake-failed"]);
    expect(handshakes).toBe(8);
    expect(b.netCrypto.sessionCount).toBe(0);
    expect(b.host.edges.metrics.get("drop.handshake.unsolicited")).toBe(8);
  });

  it("is not begun before there is an endpoint, and costs nothing until then", async () => {
    const universe = new Universe({ seed: 5 });
    const a = await startNode(universe, universe.host("a"));
    const b = await startNode(universe, universe.host("b"));
    const session = a.netCrypto.connect(b.keys.self.publicKey, b.keys.dht.publicKey, new Recorder());
    expect(a.host.edges.clock.pending).toBe(0);
    await universe.run(60_000);
    expect(session.state).toBe("cookie");
    session.addEndpoint(b.endpoint);
    await universe.run(1000);
    expect(session.state).toBe("established");
  });

  it("with a weak DHT key fails later, not within connect", async () => {
    const universe = new Universe({ seed: 6 });
    const a = await startNode(universe, universe.host("a"));
    const b = await startNode(universe, universe.host("b"));
    const recorder = new Recorder();
    const weak = new Uint8Array(32) as typeof b.keys.dht.publicKey;
    a.netCrypto.connect(b.keys.self.publicKey, weak, recorder).addEndpoint(b.endpoint);
    expect(recorder.closed).toEqual([]);
    await universe.run(10);
    expect(recorder.closed).toEqual(["handshake-failed"]);
  });
});

describe("lossless packets", () => {
  it.each([
    { loss: 0, reordering: 0, count: 5000 },
    { loss: 0.2, reordering: 0.1, count: 2000 },
    { loss: 0.4, reordering: 0.3, count: 500 },
  ])("arrive once and in order at $loss loss, and are acknowledged", async ({ loss, reordering, count }) => {
    const universe = new Universe({ seed: 11, link: { latency: [5, 25], loss, duplication: loss / 2, reordering } });
    const pair = await connectedPair(universe);
    const sent = sendAll(pair, pair.heardByA, count);
    await universe.runUntil(() => sent.acknowledged === count, { timeout: 120_000, what: "acknowledgements" });
    expect(pair.heardByB.numbers).toEqual(upTo(count));
    expect(pair.ab.sendQueueLength).toBe(0);
  });

  it("arrive when 40,000 are poured in at once, more than the queue takes", async () => {
    const universe = new Universe({ seed: 12, link: { latency: [2, 2] } });
    const pair = await connectedPair(universe);
    const sent = sendAll(pair, pair.heardByA, 40_000);
    expect(sent.sent).toBe(32_768);
    expect(pair.ab.sendQueueLength).toBe(32_768);
    await universe.runUntil(() => sent.acknowledged === 40_000, { what: "acknowledgements" });
    expect(pair.heardByB.lossless.length).toBe(40_000);
    expect(pair.heardByB.numbers).toEqual(upTo(40_000));
  });

  it("arrive beyond the 65,536 nonces that two bytes tell apart", async () => {
    const universe = new Universe({ seed: 13, link: { latency: [1, 1] } });
    const pair = await connectedPair(universe);
    let count = 0;
    pair.heardByB.onLossless = () => count++;
    const sent = sendAll(pair, pair.heardByA, 70_000);
    await universe.runUntil(() => sent.acknowledged === 70_000, { what: "acknowledgements" });
    expect(count).toBe(70_000);
    expect(pair.b.host.edges.metrics.get("drop.cryptoData.forged")).toBe(0);
  });

  it("are acknowledged within a round trip, without anything sent back", async () => {
    const universe = new Universe({ seed: 14, link: { latency: [10, 10] } });
    const pair = await connectedPair(universe);
    await universe.run(500);
    const start = universe.now;
    let acknowledgedAt = 0;
    pair.ab.send(numbered(0), "message", () => {
      acknowledgedAt = universe.now;
    });
    await universe.run(100);
    expect(acknowledgedAt - start).toBeLessThan(21);
  });

  it("that were lost at the end of a burst come soon after", async () => {
    const universe = new Universe({ seed: 15, link: { latency: [10, 10] } });
    const pair = await connectedPair(universe);
    let lose = true;
    const stop = universe.network.addFilter((bytes, from) => !(lose && bytes[0] === 0x1b && from === pair.a.endpoint));
    for (const number of upTo(5)) pair.ab.send(numbered(number), "message");
    lose = false;
    await universe.run(200);
    stop();
    expect(pair.heardByB.numbers).toEqual(upTo(5));
  });

  it("go before others of a lower class", async () => {
    const universe = new Universe({ seed: 16, link: { latency: [20, 20] } });
    const pair = await connectedPair(universe);
    const send = (number: number, cls: LosslessClass) => pair.ab.send(numbered(number), cls);
    let bulk = 9000;
    pair.ab.setBulkSource(() => (bulk < 10_000 ? numbered(bulk++, 1000) : undefined));
    for (const number of upTo(200)) send(number, "message");
    send(500, "control");
    await universe.run(2000);
    const numbers = pair.heardByB.numbers;
    expect([...numbers].sort((x, y) => x - y).length).toBe(200 + 1 + 1000);
    expect(numbers.indexOf(500)).toBeLessThan(numbers.indexOf(150));
    const firstBulk = numbers.indexOf(9000);
    const lateBulk = numbers.indexOf(9900);
    expect(firstBulk).toBeGreaterThanOrEqual(0);
    expect(numbers.indexOf(199)).toBeLessThan(lateBulk);
  });

  it("are pulled from the bulk source only as there is room", async () => {
    const universe = new Universe({ seed: 17, link: { latency: [20, 20] } });
    const pair = await connectedPair(universe);
    let pulled = 0;
    pair.ab.setBulkSource(() => (pulled < 5000 ? numbered(pulled++, 1373) : undefined));
    expect(pulled).toBeLessThan(64);
    await universe.runUntil(() => pair.heardByB.lossless.length === 5000);
    expect(pair.heardByB.numbers).toEqual(upTo(5000));
    pulled = 4990;
    pair.ab.bulkReady();
    await universe.run(200);
    expect(pair.heardByB.lossless.length).toBe(5010);
  });

  it("wait for a socket that is full", async () => {
    const universe = new Universe({ seed: 18, link: { latency: [5, 5] } });
    const a = await startNode(universe, universe.host("a", { uplink: { bandwidth: 100_000, queue: 3000 } }));
    const b = await startNode(universe, universe.host("b"));
    const { session, recorder } = connect(a, b);
    await universe.runUntil(() => recorder.established === 1);
    const sent = sendAll({ ab: session }, recorder, 1000);
    await universe.runUntil(() => sent.acknowledged === 1000, { timeout: 30_000, what: "acknowledgements" });
    expect(b.incoming[0]?.numbers).toEqual(upTo(1000));
  });

  it("of our own making are checked", async () => {
    const universe = new Universe({ seed: 19 });
    const pair = await connectedPair(universe);
    const code = (send: () => unknown) => {
      try {
        return send();
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    expect(code(() => pair.ab.send(new Uint8Array(1374).fill(64), "message"))).toBe("packet-too-long");
    expect(code(() => pair.ab.send(Uint8Array.of(15), "message"))).toBe("packet-id-reserved");
    expect(code(() => pair.ab.send(Uint8Array.of(192), "message"))).toBe("packet-id-reserved");
    expect(code(() => pair.ab.sendLossy(Uint8Array.of(191)))).toBe("packet-id-reserved");
    expect(code(() => pair.ab.sendLossy(Uint8Array.of(255)))).toBe("packet-id-reserved");
    expect(code(() => pair.ab.send(new Uint8Array(0), "message"))).toBe("packet-id-reserved");
    expect(code(() => pair.ab.send(new Uint8Array(1373).fill(64), "message"))).toBe(true);
    await universe.run(100);
    expect(pair.heardByB.lossless[0]?.length).toBe(1373);
    expect(pair.heardByB.lossless.length).toBe(1);
  });
});

describe("lossy packets", () => {
  it("arrive at once and never twice", async () => {
    const universe = new Universe({ seed: 21, link: { latency: [10, 10], duplication: 0.5 } });
    const pair = await connectedPair(universe);
    for (const number of upTo(100)) pair.ab.sendLossy(Uint8Array.of(192, number));
    await universe.run(11);
    expect(pair.heardByB.lossy.map((packet) => packet[1])).toEqual(upTo(100));
  });
});

describe("throughput", () => {
  it("over 100 Mbit/s and 20 ms is reported", async () => {
    const rows: string[] = [];
    for (const [mbit, roundTrip, loss] of [
      [100, 20, 0],
      [100, 60, 0.01],
      [20, 100, 0],
      [10, 200, 0.02],
    ] as const) {
      const bandwidth = (mbit * 1e6) / 8;
      const link = { latency: [roundTrip / 2, roundTrip / 2] as const, bandwidth, queue: 256 * 1400, loss };
      const universe = new Universe({ seed: 31, link });
      const pair = await connectedPair(universe);
      let received = 0;
      pair.heardByB.onLossless = (_, packet) => {
        received += packet.length;
      };
      const chunk = new Uint8Array(1371).fill(82);
      pair.ab.setBulkSource(() => chunk);
      await universe.run(4000);
      const share = received / 4 / bandwidth;
      rows.push(`${mbit} Mbit/s ${roundTrip} ms ${loss * 100} %: ${(share * 100).toFixed(0)} %`);
      expect(share).toBeGreaterThan(0.02);
    }
    console.info(rows.join("; "));
  });
});
