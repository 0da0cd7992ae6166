import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Nonce } from "../../../src/crypto/keys.ts";
import { addToNonce, incrementNonce, nonceTail } from "../../../src/crypto/nonce.ts";
import { toHex } from "../../../src/util/bytes.ts";
import { hex } from "../../support/hex.ts";

const toNumber = (nonce: Uint8Array): bigint => BigInt(`0x${toHex(nonce)}`);

const toNonce = (number: bigint): Nonce =>
  hex(BigInt.asUintN(192, number).toString(16).padStart(48, "0")) as Uint8Array as Nonce;

/** Random ones, and those whose carry runs through many bytes or over the end. */
const arbitraryNumber = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 192n) - 1n }),
  fc.tuple(fc.integer({ min: 0, max: 192 }), fc.bigInt({ min: -300n, max: 300n })).map(([bits, near]) => {
    return BigInt.asUintN(192, (1n << BigInt(bits)) + near);
  }),
);

describe("nonce arithmetic", () => {
  it("is that of one big-endian number of 192 bits", () => {
    fc.assert(
      fc.property(arbitraryNumber, fc.integer({ min: 0, max: 2 ** 31 }), (number, amount) => {
        const nonce = toNonce(number);
        addToNonce(nonce, amount);
        expect(toNumber(nonce)).toBe(BigInt.asUintN(192, number + BigInt(amount)));
      }),
      { numRuns: 1000 },
    );
  });

  it("increments, over the end too", () => {
    fc.assert(
      fc.property(arbitraryNumber, (number) => {
        const nonce = toNonce(number);
        incrementNonce(nonce);
        expect(toNumber(nonce)).toBe(BigInt.asUintN(192, number + 1n));
      }),
    );
    const last = toNonce(-1n);
    incrementNonce(last);
    expect([...last]).toEqual(new Array(24).fill(0));
  });

  it("has its last two bytes for a tail", () => {
    fc.assert(
      fc.property(arbitraryNumber, (number) => {
        expect(nonceTail(toNonce(number))).toBe(Number(number & 0xffffn));
      }),
    );
  });
});
