import { scrypt } from "node:crypto";
import type { Crypto } from "../../crypto/crypto.ts";
import { MAC_SIZE, NONCE_SIZE, type SharedKey } from "../../crypto/keys.ts";
import { concatBytes, sameBytes } from "../../util/bytes.ts";
import { ToxError } from "../../util/tox_error.ts";
import type { PasswordKey, PasswordScheme } from "./vault.ts";

/** "toxEsave" ‖ salt 32 ‖ nonce 24 ‖ secretbox: an encrypted file as toxcore writes it. */
const MAGIC = Uint8Array.of(0x74, 0x6f, 0x78, 0x45, 0x73, 0x61, 0x76, 0x65);
const SALT_SIZE = 32;
const NONCE_AT = MAGIC.length + SALT_SIZE;
const BOX_AT = NONCE_AT + NONCE_SIZE;
/** What libsodium makes of toxcore's limits for it. */
const SCRYPT = { N: 16_384, r: 8, p: 2, maxmem: 0x400_0000 };

/** toxcore's. The key is made in another thread. */
export function passwordScheme(crypto: Crypto): PasswordScheme {
  return {
    saltOf: (bytes) =>
      bytes.length >= NONCE_AT && sameBytes(bytes.subarray(0, MAGIC.length), MAGIC)
        ? bytes.slice(MAGIC.length, NONCE_AT)
        : undefined,
    derive: async (password, given) => {
      const hash = new Uint8Array(32);
      crypto.provider.sha256(hash, password);
      const salt = given ?? new Uint8Array(SALT_SIZE);
      if (given === undefined) crypto.random.fill(salt);
      return new Key(crypto, salt, await stretch(hash, salt));
    },
  };
}

class Key implements PasswordKey {
  readonly salt: Uint8Array;
  readonly #crypto: Crypto;
  readonly #key: SharedKey;

  constructor(crypto: Crypto, salt: Uint8Array, key: SharedKey) {
    this.#crypto = crypto;
    this.salt = salt;
    this.#key = key;
  }

  encrypt(plain: Uint8Array): Uint8Array {
    const nonce = this.#crypto.nonce();
    return concatBytes(MAGIC, this.salt, nonce, this.#crypto.seal(plain, nonce, this.#key));
  }

  decrypt(bytes: Uint8Array): Uint8Array {
    if (bytes.length < BOX_AT + MAC_SIZE) throw new ToxError("profile-damaged", "its end is missing.");
    const plain = this.#crypto.open(bytes.subarray(BOX_AT), bytes.subarray(NONCE_AT, BOX_AT), this.#key);
    if (plain) return plain;
    throw new ToxError("password-wrong", "this is not its password. Try another.");
  }

  wipe(): void {
    this.#crypto.wipe(this.#key);
  }
}

function stretch(hash: Uint8Array, salt: Uint8Array): Promise<SharedKey> {
  return new Promise((resolve, reject) => {
    scrypt(hash, salt, 32, SCRYPT, (error, key) => {
      hash.fill(0);
      if (error) reject(error);
      else resolve(new Uint8Array(key) as SharedKey);
    });
  });
}
