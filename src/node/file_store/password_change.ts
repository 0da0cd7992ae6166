import { rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Crypto } from "../../crypto/crypto.ts";
import type { Logger } from "../../env/logger.ts";
import { utf8 } from "../../util/text.ts";
import { ToxError } from "../../util/tox_error.ts";
import { consoleLogger } from "../console_logger.ts";
import { loadCryptoProvider } from "../crypto_loader.ts";
import { suppliedRandom } from "../random.ts";
import { readWhole, replaceFile, syncFolder } from "./atomic_file.ts";
import { diskError, errorCode } from "./disk_error.ts";
import { readLog, writeLog } from "./log_file.ts";
import type { LogKind } from "./log_format.ts";
import { passwordScheme } from "./password_scheme.ts";
import { type StorePaths, storePaths } from "./paths.ts";
import { readProfile } from "./profile_file.ts";
import { ProfileLock } from "./profile_lock.ts";
import { Vault } from "./vault.ts";

export interface PasswordChange {
  /** The password that it has; to be left out where it has none. */
  readonly from?: string | Uint8Array;
  /** The password that it gets; left out: none, and whoever has the files reads them. */
  readonly to?: string | Uint8Array;
  /** As in `FileStoreOptions`. */
  readonly logger?: Logger;
}

/**
 * Sets, changes or takes away the password of a profile that no store has open: of the `.tox` file, of what lies beside it, and
 * of the version before. Whenever it is killed, all of this opens with the old password, or all with the new one.
 *
 * Rejects with `invalid-argument` where there is no profile or a password is empty, `profile-in-use`, `password-missing`,
 * `password-wrong`, `profile-damaged`, `disk-full` or `store-unavailable`; then everything is as it was. Where the disk fails
 * in the very last step, whoever opens the profile next finishes the change.
 */
export async function changeProfilePassword(path: string, change: PasswordChange): Promise<void> {
  const crypto = new Crypto(await loadCryptoProvider(), suppliedRandom());
  const before = new Vault(crypto, passwordScheme(crypto), bytesOf(change.from));
  const after = new Vault(crypto, passwordScheme(crypto), bytesOf(change.to));
  try {
    const paths = await storePaths(path);
    const lock = await ProfileLock.acquire(paths.lock, paths.profile);
    try {
      await finishPasswordChange(paths);
      await beginPasswordChange(paths, before, after, crypto, change.logger ?? consoleLogger("error"));
      await finishPasswordChange(paths);
    } finally {
      await lock.release();
    }
  } finally {
    before.wipe();
    after.wipe();
  }
}

/**
 * Makes what a killed process has left whole: nothing of a change, or all of it. The profile's draft is made first and put in
 * place before the others, so it tells which. To be called by who has the lock.
 */
export async function finishPasswordChange(paths: StorePaths): Promise<void> {
  const others = [paths.state, paths.journal, paths.previous];
  try {
    if (await exists(draftOf(paths.profile))) {
      for (const path of others) await rm(draftOf(path), { force: true });
      await syncFolder(dirname(paths.profile)); // alone the others would be taken for the rest of a change that was made
      await rm(draftOf(paths.profile), { force: true });
      return;
    }
    let moved = false;
    for (const path of others) {
      if (!(await exists(draftOf(path)))) continue;
      await rename(draftOf(path), path);
      moved = true;
    }
    if (moved) await syncFolder(dirname(paths.profile));
  } catch (error) {
    throw diskError(error, `write ${paths.profile}`);
  }
}

/** The last thing that it does makes the change; until then it is as if nothing had been done. */
async function beginPasswordChange(
  paths: StorePaths,
  before: Vault,
  after: Vault,
  crypto: Crypto,
  logger: Logger,
): Promise<void> {
  try {
    await draftAll(paths, before, after, crypto, logger);
    await rename(draftOf(paths.profile), paths.profile);
    await syncFolder(dirname(paths.profile));
  } catch (error) {
    await finishPasswordChange(paths).catch(() => {}); // else the next one does it
    throw diskError(error, `write ${paths.profile}`);
  }
}

/** Everything is read before anything is written. */
async function draftAll(paths: StorePaths, before: Vault, after: Vault, crypto: Crypto, logger: Logger): Promise<void> {
  const profile = await readProfile({ paths, vault: before });
  if (profile === undefined) {
    throw new ToxError("invalid-argument", `There is no profile ${paths.profile}: name one that is there.`);
  }
  if (!isProfile(profile)) throw new ToxError("profile-damaged", `${paths.profile} is no profile. Name another file.`);
  const kinds: readonly LogKind[] = ["state", "journal"];
  const logs = [];
  for (const kind of kinds) {
    const log = await readLog(paths[kind], kind, before, logger);
    log?.codec.wipe();
    if (log !== undefined) logs.push({ kind, bodies: log.bodies });
  }
  const previous = await readPrevious(paths, before);

  await replaceFile(draftOf(paths.profile), [await after.encrypt(profile)]);
  if (previous !== undefined) await replaceFile(draftOf(paths.previous), [await after.encrypt(previous)]);
  for (const { kind, bodies } of logs) (await writeLog(draftOf(paths[kind]), kind, after, bodies)).codec.wipe();
  crypto.wipe(profile);
  if (previous !== undefined) crypto.wipe(previous);
}

/** Undefined also where another password is on it: it stays as it is then. */
async function readPrevious(paths: StorePaths, vault: Vault): Promise<Uint8Array | undefined> {
  const bytes = await readWhole(paths.previous);
  return bytes && (await vault.decrypt(bytes, paths.previous).catch(() => undefined));
}

function draftOf(path: string): string {
  return `${path}-newkey`;
}

/** Begins as toxcore's savedata does: 4 zeros ‖ 4 its cookie. What is no profile is not to be encrypted by mistake. */
function isProfile(bytes: Uint8Array): boolean {
  return [0, 0, 0, 0, 0x1f, 0x1b, 0xed, 0x15].every((byte, i) => bytes[i] === byte);
}

function bytesOf(password: string | Uint8Array | undefined): Uint8Array | undefined {
  if (password?.length === 0) throw new ToxError("invalid-argument", "Give a password, or leave it out.");
  return typeof password === "string" ? utf8(password) : password?.slice();
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}
