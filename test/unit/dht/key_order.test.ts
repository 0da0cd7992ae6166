import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import { compareDistance } from "../../../src/dht/distance.ts";
import { KeyOrder } from "../../../src/dht/key_order.ts";
import { NodeEntry } from "../../../src/dht/node_entry.ts";
import { bytesOf } from "../../support/arbitraries.ts";
import { hex } from "./dht_world.ts";

/** Keys that begin alike for any number of bits, as those next to a friend do. */
const arbitraryKey = fc.tuple(bytesOf(32), fc.nat(256)).map(([bytes, common]) => {
  for (let bit = 0; bit < common; bit++) bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) & ~(0x80 >>> (bit & 7));
  return bytes as PublicKey;
});

describe("KeyOrder", () => {
  it("shows what it holds from the nearest on, as sorting everything does, until it is told to stop", () => {
    const keys = fc.uniqueArray(arbitraryKey, { maxLength: 60, selector: hex });
    fc.assert(
      fc.property(keys, fc.nat(60), fc.array(arbitraryKey, { minLength: 1, maxLength: 4 }), (all, gone, targets) => {
        const order = new KeyOrder();
        const entries = all.map((key) => new NodeEntry(key));
        for (const entry of entries) order.add(entry);
        for (const entry of entries.splice(0, gone)) {
          order.delete(entry);
          order.delete(entry);
        }
        expect(order.entries.map(({ publicKey }) => hex(publicKey))).toEqual(
          entries.map(({ publicKey }) => hex(publicKey)).sort(),
        );
        for (const target of [...targets, ...entries.slice(0, 2).map((entry) => entry.publicKey)]) {
          const sorted = entries.toSorted((a, b) => compareDistance(target, a.publicKey, b.publicKey));
          for (const count of [1, 4, 100]) {
            const shown: NodeEntry[] = [];
            order.fromNearest(target, (entry) => shown.push(entry) >= count);
            expect(shown).toEqual(sorted.slice(0, count));
          }
        }
      }),
    );
  });
});
