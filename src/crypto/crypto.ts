import type { Random } from "../env/random.ts";
import {
  type KeyPair,
  MAC_SIZE,
  NONCE_SIZE,
  type Nonce,
  PUBLIC_KEY_SIZE,
  type PublicKey,
  SECRET_KEY_SIZE,
  type SecretKey,
  SHARED_KEY_SIZE,
  type SharedKey,
} from "./keys.ts";
import type { CryptoProvider } from "./provider.ts";

/** One instance's cryptography: a provider and the randomness for keys and nonces. Holds no secret itself. */
export class Crypto {
  readonly provider: CryptoProvider;
  readonly random: Random;

  constructor(provider: CryptoProvider, random: Random) {
    this.provider = provider;
    this.random = random;
  }

  /** A new pair of keys. */
  keyPair(): KeyPair {
    const secretKey = new Uint8Array(SECRET_KEY_SIZE);
    this.random.fill(secretKey);
    return this.keyPairOf(secretKey as Uint8Array as SecretKey);
  }

  /** The pair that belongs to a secret key, which is not copied. */
  keyPairOf(secretKey: SecretKey): KeyPair {
    const publicKey = new Uint8Array(PUBLIC_KEY_SIZE);
    this.provider.publicKey(publicKey, secretKey);
    return { publicKey: publicKey as Uint8Array as PublicKey, secretKey };
  }

  /** A random symmetric key. */
  symmetricKey(): SharedKey {
    const key = new Uint8Array(SHARED_KEY_SIZE);
    this.random.fill(key);
    return key as Uint8Array as SharedKey;
  }

  nonce(): Nonce {
    const nonce = new Uint8Array(NONCE_SIZE);
    this.random.fill(nonce);
    return nonce as Uint8Array as Nonce;
  }

  /** The shared key with the owner of `publicKey`, or undefined for a key of small order, which nobody honest has. */
  sharedKey(publicKey: Uint8Array, secretKey: SecretKey): SharedKey | undefined {
    const shared = new Uint8Array(SHARED_KEY_SIZE);
    return this.provider.sharedKey(shared, publicKey, secretKey) ? (shared as Uint8Array as SharedKey) : undefined;
  }

  /** Encrypts into new bytes: tag ‖ ciphertext. */
  seal(message: Uint8Array, nonce: Uint8Array, key: SharedKey): Uint8Array {
    const boxed = new Uint8Array(message.length + MAC_SIZE);
    this.provider.seal(boxed, message, nonce, key);
    return boxed;
  }

  /** Encrypts into `out` from `at` on, and answers where the box ends there. */
  sealInto(out: Uint8Array, at: number, message: Uint8Array, nonce: Uint8Array, key: SharedKey): number {
    const end = at + message.length + MAC_SIZE;
    this.provider.seal(out.subarray(at, end), message, nonce, key);
    return end;
  }

  /**
   * The message in a box, or undefined when the box is too short or forged. It is written to the beginning of `into`, which
   * has to be long enough, or to new bytes.
   */
  open(boxed: Uint8Array, nonce: Uint8Array, key: SharedKey, into?: Uint8Array): Uint8Array | undefined {
    const length = boxed.length - MAC_SIZE;
    if (length < 0) return undefined;
    const message = into === undefined ? new Uint8Array(length) : into.subarray(0, length);
    return this.provider.open(message, boxed, nonce, key) ? message : undefined;
  }

  /** Constant time for equal lengths. */
  equal(a: Uint8Array, b: Uint8Array): boolean {
    return this.provider.equal(a, b);
  }

  wipe(secret: Uint8Array): void {
    this.provider.wipe(secret);
  }
}
