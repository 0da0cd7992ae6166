import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Crypto } from "../../../../src/crypto/crypto.ts";
import type { PublicKey } from "../../../../src/crypto/keys.ts";
import { nobleProvider } from "../../../../src/crypto/noble.ts";
import type { DatagramSocket } from "../../../../src/env/datagram.ts";
import { AnnounceStore, MAX_ANNOUNCE_ENTRIES } from "../../../../src/onion/server/announce_store.ts";
import { Universe } from "../../../../src/testing/universe.ts";

const socket = {} as DatagramSocket;
const endpoint = { family: 4 as const, address: Uint8Array.of(1, 2, 3, 4), port: 1 };

function keyOf(...head: number[]): PublicKey {
  const key = new Uint8Array(32);
  key.set(head);
  return key as Uint8Array as PublicKey;
}

const announcement = (publicKey: PublicKey, data = 1) => ({
  publicKey,
  dataPublicKey: keyOf(data),
  endpoint,
  socket,
  sendback: new Uint8Array(177),
});

function setUp() {
  const universe = new Universe({ seed: 3 });
  const { clock, random } = universe.host("node").edges;
  const center = keyOf(0xf0);
  return { universe, store: new AnnounceStore(clock, center, 5), center, crypto: new Crypto(nobleProvider, random) };
}

describe("AnnounceStore", () => {
  it("keeps an announcement for 300 s from the last time that it was made", async () => {
    const { universe, store } = setUp();
    store.put(announcement(keyOf(1)));
    await universe.run(200_000);
    store.put(announcement(keyOf(1), 2));
    expect(store.size).toBe(1);
    await universe.run(299_000);
    expect(store.get(keyOf(1))?.dataPublicKey).toEqual(keyOf(2));
    await universe.run(1000);
    expect(store.get(keyOf(1))).toBeUndefined();
  });

  it("copies what it keeps: packets are valid only while they are handled", () => {
    const { store } = setUp();
    const made = announcement(keyOf(1));
    store.put(made);
    for (const bytes of [made.publicKey, made.dataPublicKey, made.sendback]) bytes.fill(0xff);
    expect(store.get(keyOf(1))).toMatchObject({ dataPublicKey: keyOf(1), sendback: new Uint8Array(177) });
  });

  it("full, gives the farthest up for a nearer one and refuses farther ones", () => {
    const { store, center } = setUp();
    const keys = Array.from({ length: 400 }, (_, i) => keyOf((i * 37) & 0xff, i >> 8, (i * 11) & 0xff, 1));
    for (const key of keys) {
      const kept = store.put(announcement(key)) !== undefined;
      expect(kept).toBe(store.get(key) !== undefined);
    }
    expect(store.size).toBe(MAX_ANNOUNCE_ENTRIES);
    const distance = (key: Uint8Array) =>
      key.reduce((sum, byte, i) => sum * 256n + BigInt(byte ^ (center[i] ?? 0)), 0n);
    const nearest = keys.toSorted((a, b) => (distance(a) < distance(b) ? -1 : 1)).slice(0, MAX_ANNOUNCE_ENTRIES);
    for (const key of nearest) expect(store.get(key)).toBeDefined();
  });

  it("full, leaves one network a quarter of the places, however near its keys are", () => {
    const { store } = setUp();
    const from = (net: number, publicKey: PublicKey) => ({
      ...announcement(publicKey),
      endpoint: { family: 4 as const, address: Uint8Array.of(198, 51, net, 9), port: 1 },
    });
    const honest = Array.from({ length: 120 }, (_, i) => keyOf(i, 1));
    for (const [i, key] of honest.entries()) store.put(from(i, key));
    // Nearer to us than any of them: all begin as our key does.
    const sybils = Array.from({ length: 1000 }, (_, i) => keyOf(0xf0, i >> 8, i & 0xff, 2));
    for (const key of sybils) store.put(from(200, key));
    const kept = (keys: PublicKey[]) => keys.filter((key) => store.get(key) !== undefined).length;
    expect([kept(honest), kept(sybils)]).toEqual([120, 40]);
    // Nearer ones of the same network take the place of its farther ones, and no more.
    store.put(from(200, keyOf(0xf0)));
    expect([kept(honest), kept(sybils)]).toEqual([120, 39]);
  });

  it("never lets a network that has its due take another's place", () => {
    const step = fc.record({ net: fc.nat(4), near: fc.boolean(), id: fc.nat(2000) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 200, maxLength: 500 }), (steps) => {
        const { store } = setUp();
        const kept = new Map<string, { key: PublicKey; net: number }>();
        for (const { net, near, id } of steps) {
          const key = keyOf(near ? 0xf0 : id & 0xff, id >> 8, id & 0xff, net);
          const endpoint = { family: 4 as const, address: Uint8Array.of(198, 51, net, 9), port: 1 };
          const own = [...kept.values()].filter((entry) => entry.net === net).length;
          const wasFull = store.size === MAX_ANNOUNCE_ENTRIES;
          if (store.put({ ...announcement(key), endpoint }) !== undefined) kept.set(key.join(), { key, net });
          expect(store.size).toBeLessThanOrEqual(MAX_ANNOUNCE_ENTRIES);
          for (const [name, entry] of kept) {
            if (store.get(entry.key) !== undefined) continue;
            kept.delete(name);
            expect(wasFull).toBe(true);
            if (own >= MAX_ANNOUNCE_ENTRIES / 4) expect(entry.net).toBe(net);
          }
        }
      }),
      { numRuns: 15, endOnFailure: true },
    );
  });

  it("full of one network's, gives of those to whoever else comes", () => {
    const { store } = setUp();
    const from = (net: number, publicKey: PublicKey) => ({
      ...announcement(publicKey),
      endpoint: { family: 4 as const, address: Uint8Array.of(198, 51, net, 9), port: 1 },
    });
    for (let i = 0; i < 400; i++) store.put(from(200, keyOf(0xf0, i >> 8, i & 0xff, 2)));
    expect(store.size).toBe(MAX_ANNOUNCE_ENTRIES);
    for (let i = 0; i < 150; i++) store.put(from(i, keyOf(i, 1)));
    const honest = Array.from({ length: 150 }, (_, i) => store.get(keyOf(i, 1))).filter((entry) => entry !== undefined);
    expect(honest.length).toBe(120);
    expect(store.size).toBe(MAX_ANNOUNCE_ENTRIES);
  });

  it("full, gives an old one up before a living one, however near it was", async () => {
    const { universe, store, center } = setUp();
    store.put(announcement(center));
    await universe.run(150_000);
    for (let i = 1; i < MAX_ANNOUNCE_ENTRIES; i++) store.put(announcement(keyOf(0xf0, 0, i)));
    await universe.run(150_000);
    const farthest = keyOf(0x0f);
    expect(store.put(announcement(farthest))).toBeDefined();
    expect(store.size).toBe(MAX_ANNOUNCE_ENTRIES);
    for (let i = 1; i < MAX_ANNOUNCE_ENTRIES; i++) expect(store.get(keyOf(0xf0, 0, i))).toBeDefined();
    expect(store.put(announcement(keyOf(0x0f, 1)))).toBeUndefined();
  });
});
