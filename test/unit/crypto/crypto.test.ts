import { describe, expect, it } from "vitest";
import { Crypto } from "../../../src/crypto/crypto.ts";
import { asNonce, asPublicKey, asSecretKey, asSharedKey } from "../../../src/crypto/keys.ts";
import { sodiumProvider } from "../../../src/node/sodium_provider.ts";
import { SeededRandom } from "../../../src/testing/index.ts";
import { utf8 } from "../../../src/util/text.ts";
import { alice, bob, naclBox, weakPublicKeys } from "./vectors.ts";

const newCrypto = (seed = "crypto") => new Crypto(sodiumProvider, new SeededRandom(seed));

describe("Crypto", () => {
  it("draws keys and nonces from its randomness alone", () => {
    const draw = (crypto: Crypto) => [crypto.keyPair(), crypto.symmetricKey(), crypto.nonce()];
    expect(draw(newCrypto())).toEqual(draw(newCrypto()));
    expect(draw(newCrypto())).not.toEqual(draw(newCrypto("other")));
    const { publicKey, secretKey } = newCrypto().keyPair();
    expect(newCrypto().keyPairOf(secretKey).publicKey).toEqual(publicKey);
  });

  it("seals for another what only the two can open", () => {
    const crypto = newCrypto();
    const [mine, theirs] = [crypto.keyPair(), crypto.keyPair()];
    const ourKey = crypto.sharedKey(theirs.publicKey, mine.secretKey);
    const theirKey = crypto.sharedKey(mine.publicKey, theirs.secretKey);
    if (ourKey === undefined || theirKey === undefined) return expect.unreachable();
    const nonce = crypto.nonce();
    const boxed = crypto.seal(utf8("hello"), nonce, ourKey);
    expect(boxed.length).toBe(21);
    expect(crypto.open(boxed, nonce, theirKey)).toEqual(utf8("hello"));
    expect(crypto.open(boxed, crypto.nonce(), theirKey)).toBeUndefined();
    expect(crypto.open(boxed.subarray(0, 15), nonce, theirKey)).toBeUndefined();
    expect(crypto.open(new Uint8Array(), nonce, theirKey)).toBeUndefined();
  });

  it("seals into the middle of a packet", () => {
    const crypto = newCrypto();
    const packet = new Uint8Array(200).fill(0xee);
    const key = asSharedKey(naclBox.sharedKey);
    const end = crypto.sealInto(packet, 25, naclBox.message, naclBox.nonce, key);
    expect(end).toBe(25 + naclBox.boxed.length);
    expect(packet.slice(25, end)).toEqual(naclBox.boxed);
    expect([packet[24], packet[end]]).toEqual([0xee, 0xee]);
    expect(() => crypto.sealInto(packet, 60, naclBox.message, naclBox.nonce, key)).toThrow();
  });

  it("has no shared key with weak public keys", () => {
    for (const publicKey of weakPublicKeys) {
      expect(newCrypto().sharedKey(publicKey, asSecretKey(alice.secretKey))).toBeUndefined();
    }
    const shared = newCrypto().sharedKey(bob.publicKey, asSecretKey(alice.secretKey));
    expect(shared).toEqual(naclBox.sharedKey);
  });

  it("takes bytes as keys only at their length", () => {
    for (const [take, size] of [
      [asPublicKey, 32],
      [asSecretKey, 32],
      [asSharedKey, 32],
      [asNonce, 24],
    ] as const) {
      expect(take(new Uint8Array(size)).length).toBe(size);
      for (const wrong of [0, size - 1, size + 1]) {
        expect(() => take(new Uint8Array(wrong))).toThrow(expect.objectContaining({ code: "invalid-argument" }));
      }
    }
  });
});
