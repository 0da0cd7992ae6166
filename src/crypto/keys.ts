import { ToxError } from "../util/tox_error.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = Uint8Array & { readonly [brand]: Name };

/** An X25519 public key, 32 bytes: a long-term key or a DHT key. */
export type PublicKey = Branded<"PublicKey">;
/** An X25519 secret key, 32 bytes, in a buffer of its own that is wiped when it is no longer needed. */
export type SecretKey = Branded<"SecretKey">;
/** What X25519 and HSalsa20 make of one side's secret and the other's public key, 32 bytes. NaCl's `beforenm`. */
export type SharedKey = Branded<"SharedKey">;
/** An XSalsa20 nonce, 24 bytes. */
export type Nonce = Branded<"Nonce">;

export const PUBLIC_KEY_SIZE = 32;
export const SECRET_KEY_SIZE = 32;
export const SHARED_KEY_SIZE = 32;
export const NONCE_SIZE = 24;
/** What a box is longer than its message: the Poly1305 tag, which stands before the ciphertext. */
export const MAC_SIZE = 16;
/** A SHA-512 digest. */
export const SHA512_SIZE = 64;
/** An HMAC-SHA-512-256 tag, NaCl's `crypto_auth`. */
export const AUTH_SIZE = 32;

export interface KeyPair {
  readonly publicKey: PublicKey;
  readonly secretKey: SecretKey;
}

/** Takes 32 bytes as a public key. They are not copied. */
export function asPublicKey(bytes: Uint8Array): PublicKey {
  return expectSize(bytes, PUBLIC_KEY_SIZE, "a public key") as PublicKey;
}

export function asSecretKey(bytes: Uint8Array): SecretKey {
  return expectSize(bytes, SECRET_KEY_SIZE, "a secret key") as SecretKey;
}

export function asNonce(bytes: Uint8Array): Nonce {
  return expectSize(bytes, NONCE_SIZE, "a nonce") as Nonce;
}

export function asSharedKey(bytes: Uint8Array): SharedKey {
  return expectSize(bytes, SHARED_KEY_SIZE, "a shared key") as SharedKey;
}

function expectSize(bytes: Uint8Array, size: number, what: string): Uint8Array {
  if (bytes.length !== size) {
    throw new ToxError("invalid-argument", `Give ${what} of ${size} bytes; this one has ${bytes.length}.`);
  }
  return bytes;
}
