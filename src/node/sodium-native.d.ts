/** The few functions of sodium-native that the provider calls; the package ships no types. */
declare module "sodium-native" {
  interface Sodium {
    /** Throws when the product is all zeros. */
    crypto_scalarmult(product: Uint8Array, secretKey: Uint8Array, publicKey: Uint8Array): void;
    crypto_scalarmult_base(publicKey: Uint8Array, secretKey: Uint8Array): void;
    crypto_secretbox_easy(boxed: Uint8Array, message: Uint8Array, nonce: Uint8Array, key: Uint8Array): void;
    crypto_secretbox_open_easy(message: Uint8Array, boxed: Uint8Array, nonce: Uint8Array, key: Uint8Array): boolean;
    crypto_auth(out: Uint8Array, message: Uint8Array, key: Uint8Array): void;
    crypto_hash_sha256(out: Uint8Array, message: Uint8Array): void;
    crypto_hash_sha512(out: Uint8Array, message: Uint8Array): void;
    /** Throws for different lengths. */
    sodium_memcmp(a: Uint8Array, b: Uint8Array): boolean;
    sodium_memzero(bytes: Uint8Array): void;
  }
  const sodium: Sodium;
  export default sodium;
}
