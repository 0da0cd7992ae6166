import { describe, expect, it } from "vitest";
import { Universe } from "../../../src/testing/index.ts";
import { connectedPair, numbered, upTo } from "./support.ts";

const CRYPTO_DATA = 0x1b;

describe("a peer whose address changes", () => {
  it.each([1, 2, 3])("is heard again within five seconds, and the session goes on (seed %i)", async (seed) => {
    const universe = new Universe({ seed: 700 + seed, link: { latency: [20, 40] } });
    const pair = await connectedPair(universe);
    await universe.run(10_000 + 333 * seed);
    pair.a.host.moveTo("198.19.77.7");
    for (const i of upTo(10)) {
      pair.ab.send(numbered(i), "message");
      pair.ba.send(numbered(i), "message");
    }
    const all = () => pair.heardByA.lossless.length === 10 && pair.heardByB.lossless.length === 10;
    await universe.runUntil(all, { timeout: 5_000, what: "what was sent when it moved" });
    expect(pair.heardByA.numbers).toEqual(upTo(10));
    expect(pair.heardByB.numbers).toEqual(upTo(10));
    expect(pair.ba.endpoint).toEqual(pair.a.host.endpoint(33445));
    await universe.run(60_000);
    expect([pair.heardByA.closed, pair.heardByB.closed]).toEqual([[], []]);
  });

  it("is not looked for elsewhere while it is heard where it was", async () => {
    const universe = new Universe({ seed: 710 });
    const pair = await connectedPair(universe);
    await universe.run(10_000);
    const elsewhere = universe.host("elsewhere").endpoint(33445);
    let copied = 0;
    universe.network.addFilter((bytes, from, to) => {
      if (from !== pair.a.endpoint || bytes[0] !== CRYPTO_DATA) return true;
      copied++;
      universe.network.inject(bytes, elsewhere, to); // overtakes the original
      return true;
    });
    await universe.run(10_000);
    expect(copied).toBeGreaterThan(5);
    expect(pair.ba.endpoint).toEqual(pair.a.endpoint);
    expect(pair.b.host.edges.metrics.get("drop.cryptoData.wrong-address")).toBe(copied);
  });

  it("is not believed to be where its old packets are played again", async () => {
    const universe = new Universe({ seed: 711 });
    const pair = await connectedPair(universe);
    const old: Uint8Array[] = [];
    const stop = universe.network.addFilter((bytes, from) => {
      if (from === pair.a.endpoint && bytes[0] === CRYPTO_DATA) old.push(bytes.slice());
      return true;
    });
    await universe.run(10_000);
    stop();
    pair.a.host.goOffline();
    await universe.run(5_000);
    const elsewhere = universe.host("elsewhere").endpoint(33445);
    for (const bytes of old) universe.network.inject(bytes, elsewhere, pair.b.endpoint);
    await universe.run(1_000);
    expect(pair.ba.endpoint).toEqual(pair.a.endpoint);
    expect(pair.b.host.edges.metrics.get("drop.cryptoData.replayed")).toBe(old.length);
  });

  it("costs little to pretend to be: of a flood only some packets are tried", async () => {
    const universe = new Universe({ seed: 712 });
    const pair = await connectedPair(universe);
    pair.a.host.goOffline();
    await universe.run(5_000);
    const elsewhere = universe.host("elsewhere").endpoint(33445);
    const junk = new Uint8Array(100).fill(7);
    junk[0] = CRYPTO_DATA;
    for (let i = 0; i < 5_000; i++) universe.network.inject(junk, elsewhere, pair.b.endpoint);
    await universe.run(1_000);
    const { metrics } = pair.b.host.edges;
    expect(metrics.get("drop.cryptoData.forged")).toBeGreaterThan(0);
    expect(metrics.get("drop.cryptoData.forged")).toBeLessThan(300);
    expect(pair.ba.state).toBe("established");
  });
});
