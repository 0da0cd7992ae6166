/**
 * Encrypted profiles, and other files that are encrypted with a password. c-toxcore `toxencryptsave.c`.
 *
 *    8  "toxEsave"
 *   32  salt of scrypt, over the SHA-256 of the password
 *   24  nonce
 *   --  box: 16 tag ‖ as many bytes as the plain
 */
import { sameBytes } from "../util/bytes.ts";
import { utf8 } from "../util/text.ts";
import { ToxError } from "../util/tox_error.ts";
import type { Crypto } from "./crypto.ts";
import { asNonce, asSharedKey, MAC_SIZE, NONCE_SIZE, type SharedKey } from "./keys.ts";
import type { ScryptCost } from "./provider.ts";

const MAGIC = utf8("toxEsave");
export const PROFILE_SALT_SIZE = 32;
const NONCE_AT = MAGIC.length + PROFILE_SALT_SIZE;
const BOX_AT = NONCE_AT + NONCE_SIZE;
/** What encrypted bytes are longer by. toxcore's TOX_PASS_ENCRYPTION_EXTRA_LENGTH. */
export const PROFILE_ENCRYPTION_EXTRA = BOX_AT + MAC_SIZE;
/** What libsodium makes of twice its interactive limit of operations, and its interactive limit of memory. */
const COST: ScryptCost = { n: 16384, r: 8, p: 2 };

/** Whether these are the first bytes of an encrypted profile. */
export function isEncryptedProfile(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC.length && sameBytes(bytes.subarray(0, MAGIC.length), MAGIC);
}

/** The salt that a profile is encrypted under, a view. Throws `profile-damaged`. */
export function saltOf(bytes: Uint8Array): Uint8Array {
  expectWhole(bytes);
  return bytes.subarray(MAGIC.length, NONCE_AT);
}

/** What a password and a salt make: deriving costs a tenth of a second, encrypting again and again costs nothing. */
export class ProfileKey {
  readonly salt: Uint8Array;
  readonly #crypto: Crypto;
  readonly #key: SharedKey;
  #wiped = false;

  private constructor(crypto: Crypto, salt: Uint8Array, key: SharedKey) {
    this.#crypto = crypto;
    this.salt = salt;
    this.#key = key;
  }

  /** `salt`: of what is to be decrypted, 32 bytes, else `invalid-argument`; a new one when left out. */
  static async derive(crypto: Crypto, password: Uint8Array, salt?: Uint8Array): Promise<ProfileKey> {
    if (salt !== undefined && salt.length !== PROFILE_SALT_SIZE) {
      throw new ToxError("invalid-argument", `Give a salt of ${PROFILE_SALT_SIZE} bytes: \`saltOf\` finds it.`);
    }
    const own = salt?.slice() ?? new Uint8Array(PROFILE_SALT_SIZE);
    if (salt === undefined) crypto.random.fill(own);
    const hash = new Uint8Array(32);
    crypto.provider.sha256(hash, password);
    const key = await crypto.provider.scrypt(hash, own, COST);
    crypto.wipe(hash);
    return new ProfileKey(crypto, own, asSharedKey(key));
  }

  /** Throws `closed` once the key is wiped: it would be one that everybody knows. */
  encrypt(plain: Uint8Array): Uint8Array {
    this.#expectKey();
    const bytes = new Uint8Array(PROFILE_ENCRYPTION_EXTRA + plain.length);
    const nonce = this.#crypto.nonce();
    bytes.set(MAGIC);
    bytes.set(this.salt, MAGIC.length);
    bytes.set(nonce, NONCE_AT);
    this.#crypto.sealInto(bytes, BOX_AT, plain, nonce, this.#key);
    return bytes;
  }

  /**
   * Throws `profile-damaged` for what is no encrypted profile, or was encrypted under another salt, and `password-wrong` when
   * nothing opens: the format does not tell a wrong password from a byte that has changed.
   */
  decrypt(bytes: Uint8Array): Uint8Array {
    this.#expectKey();
    if (!sameBytes(saltOf(bytes), this.salt)) {
      throw new ToxError("profile-damaged", "Derive the key with this profile's own salt: it is another one.");
    }
    const plain = this.#crypto.open(bytes.subarray(BOX_AT), asNonce(bytes.subarray(NONCE_AT, BOX_AT)), this.#key);
    if (plain !== undefined) return plain;
    throw new ToxError(
      "password-wrong",
      "The password does not open this profile: try another one, or an older copy, should the file be damaged.",
    );
  }

  wipe(): void {
    this.#wiped = true;
    this.#crypto.wipe(this.#key);
  }

  #expectKey(): void {
    if (this.#wiped) throw new ToxError("closed", "This key is wiped: derive it again from the password.");
  }
}

function expectWhole(bytes: Uint8Array): void {
  if (isEncryptedProfile(bytes) && bytes.length >= PROFILE_ENCRYPTION_EXTRA) return;
  const what = isEncryptedProfile(bytes)
    ? "This encrypted profile is cut short: take an older copy."
    : "This profile is not encrypted (it does not begin with toxEsave): use it as it is, without a password.";
  throw new ToxError("profile-damaged", what);
}
