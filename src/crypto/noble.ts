import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { hmac } from "@noble/hashes/hmac.js";
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { hsalsa20 } from "./hsalsa20.ts";
import type { CryptoProvider } from "./provider.ts";

/** Pure JavaScript, audited: the provider wherever no native one can load, and the twin that the others are held against. */
export const nobleProvider: CryptoProvider = {
  name: "noble",

  publicKey(out, secretKey) {
    out.set(x25519.scalarMultBase(secretKey));
  },

  sharedKey(out, publicKey, secretKey) {
    let product: Uint8Array;
    try {
      product = x25519.scalarMult(secretKey, publicKey);
    } catch {
      return false; // noble throws for an all-zero result
    }
    hsalsa20(out, product);
    product.fill(0);
    return true;
  },

  seal(out, message, nonce, key) {
    // Not into `out`: noble wants room for its scratch area there.
    out.set(xsalsa20poly1305(key, nonce).encrypt(message));
  },

  open(out, boxed, nonce, key) {
    if (boxed.length < 16) return false;
    try {
      out.set(xsalsa20poly1305(key, nonce).decrypt(boxed));
      return true;
    } catch {
      return false; // noble throws for a forged tag
    }
  },

  authenticate(out, message, key) {
    out.set(hmac(sha512, key, message).subarray(0, 32));
  },

  sha256(out, message) {
    out.set(sha256(message));
  },

  sha256Stream() {
    const stream = sha256.create();
    return { update: (bytes) => void stream.update(bytes), digest: () => stream.digest() };
  },

  sha512(out, message) {
    out.set(sha512(message));
  },

  scrypt(password, salt, { n, r, p }) {
    return scryptAsync(password, salt, { N: n, r, p, dkLen: 32 });
  },

  equal(a, b) {
    if (a.length !== b.length) return false;
    let difference = 0;
    for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
    return difference === 0;
  },

  wipe(secret) {
    secret.fill(0);
  },
};
