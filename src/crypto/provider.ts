/** What scrypt costs: N, r and p of RFC 7914. */
export interface ScryptCost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

export interface HashStream {
  update(bytes: Uint8Array): void;
  /** Once, at the end. */
  digest(): Uint8Array;
}

/**
 * The primitives of NaCl that Tox uses. Synchronous but for scrypt. `out` never overlaps an input. Sizes are those of `keys.ts`; the
 * caller answers for them. `node/` brings libsodium; `noble.ts` runs anywhere.
 */
export interface CryptoProvider {
  readonly name: string;
  /** The X25519 public key of `secretKey`. */
  publicKey(out: Uint8Array, secretKey: Uint8Array): void;
  /**
   * NaCl's `crypto_box_beforenm`: HSalsa20 over X25519. False when X25519 gives all zeros (a public key of small order):
   * then nothing may be encrypted under it.
   */
  sharedKey(out: Uint8Array, publicKey: Uint8Array, secretKey: Uint8Array): boolean;
  /** XSalsa20-Poly1305: writes tag ‖ ciphertext, `message.length` + 16 bytes. */
  seal(out: Uint8Array, message: Uint8Array, nonce: Uint8Array, key: Uint8Array): void;
  /** Opens tag ‖ ciphertext into `boxed.length` - 16 bytes. False when it is forged; `out` is then undefined. */
  open(out: Uint8Array, boxed: Uint8Array, nonce: Uint8Array, key: Uint8Array): boolean;
  /** HMAC-SHA-512-256, NaCl's `crypto_auth`, 32 bytes. */
  authenticate(out: Uint8Array, message: Uint8Array, key: Uint8Array): void;
  sha256(out: Uint8Array, message: Uint8Array): void;
  /** SHA-256 of what comes in pieces. */
  sha256Stream(): HashStream;
  sha512(out: Uint8Array, message: Uint8Array): void;
  /** 32 bytes (RFC 7914); takes tens of milliseconds, and keeps nobody waiting for so long. */
  scrypt(password: Uint8Array, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array>;
  /** Constant time for equal lengths. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** Overwrites a secret with zeros. */
  wipe(secret: Uint8Array): void;
}
