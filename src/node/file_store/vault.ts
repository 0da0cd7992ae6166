import type { Crypto } from "../../crypto/crypto.ts";
import type { SharedKey } from "../../crypto/keys.ts";
import { toHex } from "../../util/bytes.ts";
import { ToxError } from "../../util/tox_error.ts";
import { FILE_ID_SIZE, FrameCodec, type LogHeader } from "./log_format.ts";
import { boxSealer, plainSealer, type Sealer } from "./sealer.ts";

/** A key that scrypt has made of the password and a salt. */
export interface PasswordKey {
  readonly salt: Uint8Array;
  encrypt(plain: Uint8Array): Uint8Array;
  /** Throws `password-wrong` or `profile-damaged`. */
  decrypt(bytes: Uint8Array): Uint8Array;
  wipe(): void;
}

/** What encrypts files as toxcore does. */
export interface PasswordScheme {
  derive(password: Uint8Array, salt?: Uint8Array): Promise<PasswordKey>;
  /** The salt of an encrypted file; undefined for one that is not encrypted. Throws `profile-damaged` for one cut short. */
  saltOf(bytes: Uint8Array): Uint8Array | undefined;
}

/** A sidecar's header, and what writes and reads its frames. */
export interface SealedLog {
  readonly header: LogHeader;
  readonly codec: FrameCodec;
}

/**
 * What is secret in one store: a password, or nothing. A key costs a tenth of a second, so one is made for all files, as long
 * as nobody else has given them different salts.
 */
export class Vault {
  readonly #crypto: Crypto;
  readonly #scheme: PasswordScheme;
  readonly #password: Uint8Array | undefined;
  readonly #keys = new Map<string, Promise<PasswordKey>>(); // by salt; one for each file at most
  #newest: Promise<PasswordKey> | undefined;

  constructor(crypto: Crypto, scheme: PasswordScheme, password: Uint8Array | undefined) {
    this.#crypto = crypto;
    this.#scheme = scheme;
    this.#password = password;
  }

  get hasPassword(): boolean {
    return this.#password !== undefined;
  }

  /** Whether a whole file lies open though there is a password. */
  isBare(bytes: Uint8Array): boolean {
    try {
      return this.hasPassword && this.#scheme.saltOf(bytes) === undefined;
    } catch {
      return false; // it was encrypted, and is cut short
    }
  }

  /** What a whole file holds. Rejects with `password-missing`, `password-wrong` or `profile-damaged`, which name the path. */
  async decrypt(bytes: Uint8Array, path: string): Promise<Uint8Array> {
    try {
      const salt = this.#scheme.saltOf(bytes);
      return salt === undefined ? bytes : (await this.#keyFor(salt, path)).decrypt(bytes);
    } catch (error) {
      if (!(error instanceof ToxError) || error.code === "password-missing") throw error;
      throw new ToxError(error.code, `${path}: ${error.message}`, { cause: error });
    }
  }

  /** A whole file, encrypted if there is a password. */
  async encrypt(bytes: Uint8Array): Promise<Uint8Array> {
    if (this.#password === undefined) return bytes;
    return (await this.#anyKey()).encrypt(bytes);
  }

  /** For a new sidecar. */
  async newLog(): Promise<SealedLog> {
    const id = new Uint8Array(FILE_ID_SIZE);
    this.#crypto.random.fill(id);
    if (this.#password === undefined) return withCodec({ id, wrappedKey: new Uint8Array(0) }, plainSealer);
    const key = this.#crypto.symmetricKey();
    const wrappedKey = (await this.#anyKey()).encrypt(key);
    return withCodec({ id, wrappedKey }, boxSealer(this.#crypto, key));
  }

  /** For one that is there. Rejects as `decrypt` does. */
  async openLog(header: LogHeader, path: string): Promise<SealedLog> {
    if (header.wrappedKey.length === 0) return withCodec(header, plainSealer);
    const key = await this.decrypt(header.wrappedKey, path);
    return withCodec(header, boxSealer(this.#crypto, key as SharedKey));
  }

  wipe(): void {
    if (this.#password) this.#crypto.wipe(this.#password);
    for (const key of this.#keys.values()) {
      key.then(
        (made) => made.wipe(),
        () => {},
      );
    }
    this.#keys.clear();
  }

  #anyKey(): Promise<PasswordKey> {
    if (this.#newest) return this.#newest;
    if (this.#password === undefined) throw new Error("there is no password");
    const made = this.#scheme.derive(this.#password);
    this.#newest = made;
    made.then(
      (key) => this.#keys.set(toHex(key.salt), made),
      () => {},
    );
    return made;
  }

  #keyFor(salt: Uint8Array, path: string): Promise<PasswordKey> {
    if (this.#password === undefined) {
      return Promise.reject(new ToxError("password-missing", `${path} is encrypted: give its password.`));
    }
    const name = toHex(salt);
    let key = this.#keys.get(name);
    if (key === undefined) {
      key = this.#scheme.derive(this.#password, salt);
      this.#keys.set(name, key);
    }
    this.#newest ??= key;
    return key;
  }
}

function withCodec(header: LogHeader, sealer: Sealer): SealedLog {
  return { header, codec: new FrameCodec(header.id, sealer) };
}
