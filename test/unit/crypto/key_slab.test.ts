import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeySlab } from "../../../src/crypto/key_slab.ts";
import { toHex } from "../../../src/util/bytes.ts";

/** A public key and the shared key that goes with it in these tests. */
function keys(i: number): [publicKey: Uint8Array, sharedKey: Uint8Array] {
  const publicKey = new Uint8Array(32);
  new DataView(publicKey.buffer).setUint32(i % 8 === 0 ? 0 : 28, i);
  return [publicKey, publicKey.map((byte, at) => byte ^ (at + 1))];
}

describe("KeySlab", () => {
  it("keeps each key under its own name, and forgets one only when it is full", () => {
    const limits = fc.constantFrom(1, 2, 3, 60, 255, 256, 257, 600, 1_000);
    const numbers = fc.array(fc.nat(1_200), { maxLength: 1_500 });
    fc.assert(
      fc.property(limits, fc.integer(), numbers, (limit, seed, asked) => {
        const slab = new KeySlab(limit, seed);
        const added = new Set<number>();
        let forgotten = 0;
        for (const i of asked) {
          const [publicKey, sharedKey] = keys(i);
          const kept = slab.get(publicKey);
          if (kept === undefined && added.has(i)) forgotten++;
          if (kept === undefined) expect(toHex(slab.add(publicKey, sharedKey))).toBe(toHex(sharedKey));
          else expect([added.has(i), toHex(kept)]).toEqual([true, toHex(sharedKey)]);
          added.add(i);
          expect(slab.size).toBe(Math.min(limit, added.size));
        }
        if (added.size <= limit) expect(forgotten).toBe(0);
        let found = 0;
        for (const i of added) if (slab.get(keys(i)[0]) !== undefined) found++;
        expect(found).toBe(slab.size);
        slab.clear();
        expect([slab.size, slab.get(keys(asked[0] ?? 0)[0])]).toEqual([0, undefined]);
      }),
      { numRuns: 60 },
    );
  });

  it("serves as many as it holds in turn without forgetting one", () => {
    const slab = new KeySlab(1_000, 7);
    for (let i = 0; i < 1_000; i++) slab.add(...keys(i));
    for (let i = 0; i < 5_000; i++) expect(slab.get(keys(i % 1_000)[0])).toBeDefined();
  });

  it("gives the place of the first that was not used since the last time round", () => {
    const slab = new KeySlab(4, 7);
    for (let i = 0; i < 4; i++) slab.add(...keys(i));
    for (const i of [0, 1, 3]) slab.get(keys(i)[0]);
    slab.add(...keys(4));
    expect([0, 1, 2, 3, 4].filter((i) => slab.get(keys(i)[0]) !== undefined)).toEqual([0, 1, 3, 4]);
  });

  it("lets a new key stand while many others come, so that the one in hand is not another's", () => {
    const slab = new KeySlab(64, 7);
    for (let i = 0; i < 200; i++) slab.add(...keys(i));
    const [publicKey, sharedKey] = keys(200);
    const inHand = slab.add(publicKey, sharedKey);
    for (let i = 300; i < 363; i++) slab.add(...keys(i));
    expect(toHex(inHand)).toBe(toHex(sharedKey));
  });

  it("finds keys through views of a packet, and nothing for a key that is too short", () => {
    const slab = new KeySlab(4, 7);
    const [publicKey, sharedKey] = keys(5);
    const packet = new Uint8Array(100);
    packet.set(publicKey, 1);
    slab.add(packet.subarray(1, 33), sharedKey);
    packet.fill(0xff);
    expect(slab.get(publicKey)).toBeDefined();
    expect(slab.get(publicKey.subarray(0, 31))).toBeUndefined();
  });
});
