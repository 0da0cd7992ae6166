import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareDistance, sharedPrefixBits } from "../../../src/dht/distance.ts";
import { toHex } from "../../../src/util/bytes.ts";
import { bytesOf } from "../../support/arbitraries.ts";

const asNumber = (key: Uint8Array) => BigInt(`0x${toHex(key)}`);

/** Keys that often begin alike: random ones would never get past the first byte. */
const similarKey = fc.tuple(fc.nat(31), bytesOf(32)).map(([same, key]) => key.fill(0, 0, same));

describe("distance", () => {
  it("is XOR read as a number", () => {
    fc.assert(
      fc.property(similarKey, similarKey, similarKey, (target, a, b) => {
        const difference = (asNumber(a) ^ asNumber(target)) - (asNumber(b) ^ asNumber(target));
        expect(Math.sign(compareDistance(target, a, b))).toBe(difference < 0n ? -1 : difference > 0n ? 1 : 0);
      }),
    );
  });

  it("shares as many bits as the XOR has leading zeros", () => {
    fc.assert(
      fc.property(similarKey, similarKey, (a, b) => {
        const xor = asNumber(a) ^ asNumber(b);
        expect(sharedPrefixBits(a, b)).toBe(xor === 0n ? 256 : 256 - xor.toString(2).length);
      }),
    );
  });
});
