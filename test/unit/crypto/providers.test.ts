import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import nacl from "tweetnacl";
import { describe, expect, it } from "vitest";
import { hsalsa20 } from "../../../src/crypto/hsalsa20.ts";
import { nobleProvider } from "../../../src/crypto/noble.ts";
import type { CryptoProvider } from "../../../src/crypto/provider.ts";
import { sodiumProvider } from "../../../src/node/sodium_provider.ts";
import { utf8 } from "../../../src/util/text.ts";
import { bytesOf } from "../../support/arbitraries.ts";
import { hex } from "../../support/hex.ts";
import { alice, bob, naclBox, weakPublicKeys, x25519Vectors } from "./vectors.ts";

/** noble's curve takes milliseconds a product. */
const CURVE_RUNS = 15;

const filled = (length: number, fill: (out: Uint8Array) => unknown): Uint8Array => {
  const out = new Uint8Array(length);
  expect(fill(out)).not.toBe(false);
  return out;
};

/** A view at an odd place of a larger buffer, as packets hold them. */
const unaligned = (bytes: Uint8Array): Uint8Array => {
  const around = new Uint8Array(bytes.length + 10).fill(0xee);
  around.set(bytes, 3);
  return around.subarray(3, 3 + bytes.length);
};

describe.each([sodiumProvider, nobleProvider])("$name", (provider: CryptoProvider) => {
  it("makes the public keys of RFC 7748", () => {
    for (const { secretKey, publicKey } of [alice, bob]) {
      expect(filled(32, (out) => provider.publicKey(out, secretKey))).toEqual(publicKey);
    }
  });

  it("makes the X25519 products of RFC 7748, through HSalsa20", () => {
    for (const { secretKey, publicKey, product } of x25519Vectors) {
      const expected = filled(32, (out) => hsalsa20(out, product));
      expect(filled(32, (out) => provider.sharedKey(out, publicKey, secretKey))).toEqual(expected);
    }
  });

  it("makes and opens the box of the NaCl paper", () => {
    const { sharedKey, nonce, message, boxed } = naclBox;
    expect(filled(32, (out) => provider.sharedKey(out, bob.publicKey, alice.secretKey))).toEqual(sharedKey);
    expect(filled(32, (out) => provider.sharedKey(out, alice.publicKey, bob.secretKey))).toEqual(sharedKey);
    expect(filled(147, (out) => provider.seal(out, message, nonce, sharedKey))).toEqual(boxed);
    expect(filled(131, (out) => provider.open(out, boxed, nonce, sharedKey))).toEqual(message);
  });

  it("refuses every public key of small order", () => {
    for (const publicKey of weakPublicKeys) {
      for (const { secretKey } of [alice, bob]) {
        expect(provider.sharedKey(new Uint8Array(32), publicKey, secretKey)).toBe(false);
      }
    }
  });

  it("refuses a box with any bit changed, cut short, or under another nonce or key", () => {
    const { sharedKey, nonce, message, boxed } = naclBox;
    const opens = (forged: Uint8Array, with_ = nonce, key = sharedKey) =>
      provider.open(new Uint8Array(Math.max(0, forged.length - 16)), forged, with_, key);
    const flip = (bytes: Uint8Array, bit: number) =>
      bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
    for (let bit = 0; bit < boxed.length * 8; bit += bit < 128 ? 1 : 13) expect(opens(flip(boxed, bit))).toBe(false);
    for (let length = 0; length < boxed.length; length++) expect(opens(boxed.subarray(0, length))).toBe(false);
    for (let bit = 0; bit < 24 * 8; bit += 5) expect(opens(boxed, flip(nonce, bit))).toBe(false);
    for (let bit = 0; bit < 32 * 8; bit += 5) expect(opens(boxed, nonce, flip(sharedKey, bit))).toBe(false);
    expect(opens(boxed)).toBe(true);
    expect(message.length).toBe(131);
  });

  it("authenticates as RFC 4231's second case, cut to 32 bytes", () => {
    const key = new Uint8Array(32);
    key.set(utf8("Jefe"));
    expect(filled(32, (out) => provider.authenticate(out, utf8("what do ya want for nothing?"), key))).toEqual(
      hex("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"),
    );
  });

  it("hashes as the standard's examples", () => {
    expect(filled(32, (out) => provider.sha256(out, utf8("abc")))).toEqual(
      hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    );
    expect(filled(64, (out) => provider.sha512(out, utf8("abc")))).toEqual(
      hex(`ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
           2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f`),
    );
  });

  it("hashes and authenticates as OpenSSL does", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytesOf(32), (message, key) => {
        const view = unaligned(message);
        const digest = (name: string) => new Uint8Array(createHash(name).update(message).digest());
        expect(filled(32, (out) => provider.sha256(out, view))).toEqual(digest("sha256"));
        expect(filled(64, (out) => provider.sha512(out, view))).toEqual(digest("sha512"));
        const mac = new Uint8Array(createHmac("sha512", key).update(message).digest()).slice(0, 32);
        expect(filled(32, (out) => provider.authenticate(out, view, unaligned(key)))).toEqual(mac);
      }),
    );
  });

  it("seals what tweetnacl opens, and the other way round, through views at odd places", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500 }), bytesOf(24), bytesOf(32), (message, nonce, key) => {
        const boxed = unaligned(new Uint8Array(message.length + 16));
        provider.seal(boxed, unaligned(message), unaligned(nonce), unaligned(key));
        expect(boxed.slice()).toEqual(nacl.secretbox(message, nonce, key));
        const around = new Uint8Array(boxed.buffer);
        expect([around[2], around[3 + boxed.length]]).toEqual([0xee, 0xee]);
        const opened = unaligned(new Uint8Array(message.length));
        expect(provider.open(opened, boxed, nonce, key)).toBe(true);
        expect(opened.slice()).toEqual(message);
      }),
    );
  });

  it("agrees with tweetnacl on keys", () => {
    fc.assert(
      fc.property(bytesOf(32), bytesOf(32), (secretKey, point) => {
        const publicKey = filled(32, (out) => provider.publicKey(out, secretKey));
        expect(publicKey).toEqual(nacl.scalarMult.base(secretKey));
        expect(filled(32, (out) => provider.sharedKey(out, point, secretKey))).toEqual(
          nacl.box.before(point, secretKey),
        );
      }),
      { numRuns: CURVE_RUNS },
    );
  });

  it("compares and wipes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (a, b) => {
        expect(provider.equal(a, b)).toBe(Buffer.compare(a, b) === 0);
        expect(provider.equal(a, a.slice())).toBe(true);
      }),
    );
    const whole = new Uint8Array(40).fill(7);
    provider.wipe(whole.subarray(4, 36));
    expect([...whole]).toEqual([7, 7, 7, 7, ...new Array(32).fill(0), 7, 7, 7, 7]);
  });
});

describe("both providers", () => {
  it("make the same shared key from either side", () => {
    fc.assert(
      fc.property(bytesOf(32), bytesOf(32), (a, b) => {
        const publicA = filled(32, (out) => sodiumProvider.publicKey(out, a));
        const publicB = filled(32, (out) => nobleProvider.publicKey(out, b));
        const shared = filled(32, (out) => sodiumProvider.sharedKey(out, publicB, a));
        expect(filled(32, (out) => nobleProvider.sharedKey(out, publicA, b))).toEqual(shared);
      }),
      { numRuns: CURVE_RUNS },
    );
  });

  it("open each other's boxes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500 }), bytesOf(24), bytesOf(32), (message, nonce, key) => {
        const boxed = filled(message.length + 16, (out) => sodiumProvider.seal(out, message, nonce, key));
        expect(filled(message.length, (out) => nobleProvider.open(out, boxed, nonce, key))).toEqual(message);
        const again = filled(message.length + 16, (out) => nobleProvider.seal(out, message, nonce, key));
        expect(filled(message.length, (out) => sodiumProvider.open(out, again, nonce, key))).toEqual(message);
      }),
    );
  });
});

describe("hsalsa20", () => {
  it("makes the first key of the NaCl paper", () => {
    expect(filled(32, (out) => hsalsa20(out, naclBox.x25519))).toEqual(naclBox.sharedKey);
    expect(filled(32, (out) => hsalsa20(out, unaligned(naclBox.x25519)))).toEqual(naclBox.sharedKey);
  });
});
