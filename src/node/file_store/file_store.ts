import { Crypto } from "../../crypto/crypto.ts";
import type { Logger } from "../../env/logger.ts";
import type { PreviousVersion, Store } from "../../env/store.ts";
import { utf8 } from "../../util/text.ts";
import { ToxError } from "../../util/tox_error.ts";
import { consoleLogger } from "../console_logger.ts";
import { loadCryptoProvider } from "../crypto_loader.ts";
import { suppliedRandom } from "../random.ts";
import { JournalFile } from "./journal_file.ts";
import { tryLog } from "./log_file.ts";
import { finishPasswordChange } from "./password_change.ts";
import { passwordScheme } from "./password_scheme.ts";
import { storePaths } from "./paths.ts";
import type { Place } from "./place.ts";
import { ProfileFile, readProfile } from "./profile_file.ts";
import { ProfileLock } from "./profile_lock.ts";
import { MAX_NAME_SIZE, StateFile } from "./state_file.ts";
import { Vault } from "./vault.ts";

export interface FileStoreOptions {
  /**
   * Encrypts everything, as toxcore encrypts profiles. What is not encrypted yet is with the next write; another password, or
   * none any more, is `changeProfilePassword`. It is copied.
   */
  readonly password?: string | Uint8Array;
  /** Hears of damage that was worked around. Errors go to standard error when left out. */
  readonly logger?: Logger;
}

/**
 * A profile on disk. The record `profile` is the file at `path`, as every Tox client reads it; all else lies beside it, in
 * `path-state` and `path-journal`, the version before in `path.bak`. Nothing is touched before the first call; then the
 * store belongs to this process until `close`.
 *
 * Its promises reject with a `ToxError`: `profile-in-use`, `password-missing`, `password-wrong`, `profile-damaged`,
 * `disk-full`, `store-unavailable`, and `closed` after `close`. After a failure what was there before is still there, and
 * the next call tries anew. An empty password throws `invalid-argument`.
 */
export function fileStore(path: string, options: FileStoreOptions = {}): Store {
  return new FileStore(path, options);
}

interface OpenPlace extends Place {
  readonly lock: ProfileLock;
}

class FileStore implements Store {
  readonly place: string;
  readonly #password: Uint8Array | undefined;
  readonly #profile: ProfileFile;
  readonly #state: StateFile;
  readonly #journal: JournalFile;
  #opening: Promise<OpenPlace> | undefined;
  #closing: Promise<void> | undefined;
  #closed = false;

  constructor(path: string, { password, logger = consoleLogger("error") }: FileStoreOptions) {
    this.place = path;
    if (password?.length === 0) throw new ToxError("invalid-argument", "Give a password, or leave it out.");
    this.#password = typeof password === "string" ? utf8(password) : password?.slice();
    const place = () => this.#place();
    this.#profile = new ProfileFile(place);
    this.#state = new StateFile(place, logger);
    this.#journal = new JournalFile(place, logger);
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    this.#expectOpen();
    return await (name === "profile" ? this.#profile.read() : this.#state.read(name));
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    this.#expectOpen();
    if (utf8(name).length > MAX_NAME_SIZE) {
      throw new ToxError("invalid-argument", `Give the record a shorter name, of at most ${MAX_NAME_SIZE} bytes.`);
    }
    await (name === "profile" ? this.#profile.write(bytes) : this.#state.write(name, bytes));
  }

  async previous(name: string): Promise<PreviousVersion | undefined> {
    this.#expectOpen();
    return name === "profile" ? await this.#profile.previous() : undefined;
  }

  async readJournal(): Promise<Uint8Array[]> {
    this.#expectOpen();
    return await this.#journal.read();
  }

  append(entry: Uint8Array): Promise<void> {
    return this.#closing ? Promise.reject(closedError()) : this.#journal.append(entry);
  }

  async rewriteJournal(entries: readonly Uint8Array[]): Promise<void> {
    this.#expectOpen();
    await this.#journal.rewrite(entries);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#profile.close(), this.#state.close(), this.#journal.close()]);
    this.#closed = true;
    const place = await this.#opening?.catch(() => undefined);
    place?.vault.wipe();
    this.#password?.fill(0);
    await place?.lock.release();
  }

  #place(): Promise<Place> {
    if (this.#closed) return Promise.reject(closedError());
    if (this.#opening) return this.#opening;
    const opening = this.#open();
    this.#opening = opening;
    opening.catch(() => {
      this.#opening = undefined; // the next call may find things otherwise
    });
    return opening;
  }

  async #open(): Promise<OpenPlace> {
    const paths = await storePaths(this.place);
    const lock = await ProfileLock.acquire(paths.lock, paths.profile);
    try {
      await finishPasswordChange(paths);
      const crypto = new Crypto(await loadCryptoProvider(), suppliedRandom());
      const vault = new Vault(crypto, passwordScheme(crypto), this.#password?.slice());
      const place = { paths, vault, lock };
      // Nothing is written under a password that does not open what is there.
      await readProfile(place).catch((error: unknown) => {
        if (!(error instanceof ToxError && error.code === "profile-damaged")) throw error;
      });
      await tryLog(paths.state, "state", vault);
      await tryLog(paths.journal, "journal", vault);
      return place;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  #expectOpen(): void {
    if (this.#closing) throw closedError();
  }
}

function closedError(): ToxError {
  return new ToxError("closed", "This store is closed: create a new one.");
}
