import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Crypto } from "../../../src/crypto/crypto.ts";
import type { Nonce, PublicKey, SharedKey } from "../../../src/crypto/keys.ts";
import { CookieLimiter } from "../../../src/net_crypto/cookie_limiter.ts";
import { DataChannel } from "../../../src/net_crypto/data_channel.ts";
import { Fifo } from "../../../src/net_crypto/fifo.ts";
import { NumberRing, nextNumber } from "../../../src/net_crypto/number_ring.ts";
import { ReplayWindow } from "../../../src/net_crypto/replay_window.ts";
import { WindowedMax } from "../../../src/net_crypto/windowed_max.ts";
import { loadCryptoProvider } from "../../../src/node/crypto_loader.ts";
import { SeededRandom, Universe } from "../../../src/testing/index.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { connectedPair, numbered, upTo } from "./support.ts";

describe("ReplayWindow", () => {
  it("takes each counter once, as a set does, unless it is far behind", () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: -40, max: 40 }), fc.constantFrom(-16_384, 5000, 16_384, 65_535)));
    fc.assert(
      fc.property(steps, (moves) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        let highest = -1;
        let counter = 0;
        for (const move of moves) {
          counter = Math.max(0, counter + move);
          const isNew = !seen.has(counter) && highest - counter < 16_384;
          expect(window.isNew(counter)).toBe(isNew);
          if (!isNew) continue;
          window.add(counter);
          seen.add(counter);
          highest = Math.max(highest, counter);
        }
      }),
    );
  });
});

describe("NumberRing", () => {
  it("keeps what it holds while it grows, over the end of the numbers", () => {
    const start = 0xffff_ffe0;
    const ring = new NumberRing<number>();
    for (const offset of upTo(32_768)) {
      ring.reserve(start, offset + 1);
      ring.set(nextNumber(start, offset), offset);
    }
    expect(upTo(32_768).every((offset) => ring.get(nextNumber(start, offset)) === offset)).toBe(true);
    expect(ring.capacity).toBe(32_768);
    ring.clear();
    expect(ring.capacity).toBe(64);
  });
});

describe("Fifo", () => {
  it("gives back in order", () => {
    const fifo = new Fifo<number>();
    let [next, expected] = [0, 0];
    for (const round of upTo(50)) {
      for (let i = 0; i < 100; i++) fifo.push(next++);
      for (let i = 0; i < (round % 3) * 60; i++) if (fifo.length > 0) expect(fifo.shift()).toBe(expected++);
      expect(fifo.length).toBe(next - expected);
    }
    while (fifo.length > 0) expect(fifo.shift()).toBe(expected++);
    expect([expected, fifo.shift()]).toEqual([5000, undefined]);
  });
});

describe("WindowedMax", () => {
  it("is the largest of the last rounds", () => {
    const values = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 4 })));
    fc.assert(
      fc.property(values, (added) => {
        const windowed = new WindowedMax(10);
        const all: Array<[number, number]> = [];
        let round = 0;
        for (const [value, step] of added) {
          round += step;
          windowed.add(value, round);
          all.push([value, round]);
          const recent = all.filter(([, when]) => round - when < 10).map(([what]) => what);
          expect(windowed.value).toBe(Math.max(...recent));
        }
      }),
    );
  });
});

describe("CookieLimiter", () => {
  const from = (...address: number[]) => makeEndpoint(Uint8Array.from(address), 33445);

  it("gives every network its share, however much another asks", () => {
    const limiter = new CookieLimiter();
    const flood = upTo(1000).filter((i) => limiter.allows(from(198, 51, 100, i & 0xff), 0));
    expect(flood.length).toBe(20);
    expect(limiter.allows(from(203, 0, 113, 1), 0)).toBe(true);
    expect(upTo(1000).filter(() => limiter.allows(from(198, 51, 100, 1), 1000)).length).toBe(10);
  });

  it("tells IPv6 networks apart by /64", () => {
    const limiter = new CookieLimiter();
    const address = (net: number, host: number) => from(0x20, 1, 0xd, 0xb8, 0, 0, 0, net, 0, 0, 0, 0, 0, 0, 0, host);
    expect(upTo(100).filter((i) => limiter.allows(address(1, i), 0)).length).toBe(20);
    expect(limiter.allows(address(2, 1), 0)).toBe(true);
  });

  it("answers no more than so many in all, whatever the sources", () => {
    const limiter = new CookieLimiter();
    const allowed = upTo(5000).filter((i) => limiter.allows(from(198, i >> 8, i & 0xff, 1), 0));
    expect(allowed.length).toBe(1000);
  });
});

describe("CookieLimiter for friends", () => {
  const key = (i: number) => new Uint8Array(32).fill(i & 0xff).fill(i >> 8, 16);

  it("gives each his own share", () => {
    const limiter = new CookieLimiter();
    expect(upTo(100).filter(() => limiter.allowsFriend(key(1), 0)).length).toBe(20);
    expect(limiter.allowsFriend(key(2), 0)).toBe(true);
    expect(upTo(100).filter(() => limiter.allowsFriend(key(1), 1000)).length).toBe(10);
  });

  it("takes nothing from strangers' share, nor they from his", () => {
    const limiter = new CookieLimiter();
    for (const i of upTo(5000))
      limiter.allows({ family: 4, address: Uint8Array.of(198, i >> 8, i & 0xff, 1), port: 1 }, 0);
    expect(limiter.allowsFriend(key(1), 0)).toBe(true);
  });
});

describe("DataChannel", () => {
  async function channels(baseNonce: Uint8Array) {
    const crypto = new Crypto(await loadCryptoProvider(), new SeededRandom("channel"));
    const key = crypto.symmetricKey();
    const nobody = new Uint8Array(32) as Uint8Array as PublicKey;
    const nonce = () => baseNonce.slice() as Uint8Array as Nonce;
    const copy = () => key.slice() as Uint8Array as SharedKey;
    const sender = new DataChannel(crypto, copy(), nonce(), nobody, crypto.nonce());
    const receiver = new DataChannel(crypto, copy(), crypto.nonce(), nobody, nonce());
    const seal = (plain: Uint8Array) => {
      const packet = new Uint8Array(1400);
      return packet.slice(0, sender.seal(packet, plain));
    };
    return { seal, receiver };
  }
  const scratch = new Uint8Array(1400);

  it("follows nonces that carry through every byte, with two bytes of each", async () => {
    const { seal, receiver } = await channels(new Uint8Array(24).fill(0xff));
    for (let i = 0; i < 70_000; i++) expect(receiver.open(seal(numbered(i, 9)), scratch)).toBe(9);
  });

  it("opens packets late by thousands, around the step of the base nonce too, and each only once", async () => {
    const { seal, receiver } = await channels(new Uint8Array(24));
    const random = new SeededRandom("late");
    const waiting: Uint8Array[] = [];
    const replays: Uint8Array[] = [];
    for (let i = 0; i < 60_000; i++) {
      waiting.push(seal(Uint8Array.of(1)));
      if (waiting.length < 800) continue;
      const at = random.nextU32() % waiting.length;
      const packet = waiting[at] as Uint8Array;
      waiting[at] = waiting.at(-1) as Uint8Array;
      waiting.pop();
      expect(receiver.open(packet, scratch)).toBe(1);
      if (i % 50 === 0) replays.push(packet);
    }
    expect(replays.length).toBeGreaterThan(1100);
    for (const packet of replays.slice(-100)) expect(receiver.open(packet, scratch)).toBe("replayed");
  });

  it("finds its way after 65,000 lost packets in a row", async () => {
    const { seal, receiver } = await channels(new Uint8Array(24).fill(7));
    expect(receiver.open(seal(Uint8Array.of(1)), scratch)).toBe(1);
    for (let i = 0; i < 65_000; i++) seal(Uint8Array.of(1));
    expect(receiver.open(seal(Uint8Array.of(1)), scratch)).toBe(1);
  });
});

describe("two sessions' ends", () => {
  it("hear everything once and in order, whatever the network does", async () => {
    const links = fc.record({
      seed: fc.nat(),
      loss: fc.double({ min: 0, max: 0.4, noNaN: true }),
      duplication: fc.double({ min: 0, max: 0.5, noNaN: true }),
      reordering: fc.double({ min: 0, max: 0.5, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(links, fc.integer({ min: 1, max: 150 }), async ({ seed, ...link }, count) => {
        const universe = new Universe({ seed, link: { latency: [1, 60] } });
        const pair = await connectedPair(universe); // before packets are lost: eight handshakes in a row may be
        universe.network.setDefaultLink(link);
        let acknowledged = 0;
        for (const number of upTo(count)) {
          universe.at(universe.now + number * 3, () => {
            pair.ab.send(numbered(number), "message", () => acknowledged++);
            pair.ba.send(numbered(number, 400), "message", () => acknowledged++);
          });
        }
        await universe.runUntil(() => acknowledged === 2 * count, { timeout: 120_000, what: "acknowledgements" });
        expect(pair.heardByA.numbers).toEqual(upTo(count));
        expect(pair.heardByB.numbers).toEqual(upTo(count));
      }),
      { numRuns: 30 },
    );
  });
});
