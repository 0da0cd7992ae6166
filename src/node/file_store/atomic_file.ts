import { constants, copyFile, type FileHandle, link, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { ToxError } from "../../util/tox_error.ts";
import { diskError, errorCode } from "./disk_error.ts";

/** Windows has no such flag, and no links that strangers may make. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW;
/** Where folders cannot be synced, renames are the system's own business. */
const UNSYNCABLE = new Set(["EPERM", "EISDIR", "EINVAL", "ENOTSUP", "EBADF"]);

/** Longer is no profile: a hundred thousand friends are 220 MB. */
const MAX_WHOLE_SIZE = 0x1000_0000;

/** The whole file, or undefined when there is none. Rejects with `profile-damaged` for one that is longer than any profile. */
export async function readWhole(path: string): Promise<Uint8Array | undefined> {
  try {
    const facts = await stat(path);
    const { size } = facts;
    if (!facts.isFile()) throw notAFile(path);
    if (size > MAX_WHOLE_SIZE) {
      throw new ToxError("profile-damaged", `${path} is no profile: it has ${size} bytes. Name another file.`);
    }
    const { buffer, byteOffset, length } = await readFile(path);
    return new Uint8Array(buffer, byteOffset, length);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw diskError(error, `read ${path}`);
  }
}

/** A pipe or a device would keep us waiting. */
export function notAFile(path: string): ToxError {
  return new ToxError("store-unavailable", `${path} is no file: move it away, or choose another path.`);
}

/**
 * Puts a file in the place of `path`: whoever reads it, at whatever instant the power fails, finds the old one or this. The
 * old one is kept at `previous`, if that is given. Between two chunks the loop goes on.
 */
export async function replaceFile(path: string, chunks: Iterable<Uint8Array>, previous?: string): Promise<void> {
  const draft = `${path}.new`;
  try {
    await rm(draft, { force: true }); // a killed process has left it, or somebody who wants us to write elsewhere
    const file = await open(draft, NEW_FILE, 0o600);
    try {
      for (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    if (previous !== undefined) await keep(path, previous);
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw diskError(error, `write ${path}`);
  }
}

/** Writes all of `bytes` from `position` on; a write may take less than it is given. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
  }
}

export async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle | undefined;
  try {
    folder = await open(path, "r");
    await folder.sync();
  } catch (error) {
    if (!UNSYNCABLE.has(errorCode(error) ?? "")) throw error;
  } finally {
    await folder?.close();
  }
}

/** `path` stays what it is all the while; a link costs no room. */
async function keep(path: string, previous: string): Promise<void> {
  const draft = `${previous}.new`;
  await rm(draft, { force: true });
  try {
    await link(path, draft);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return;
    if (code === "ENOSPC" || code === "EROFS") throw error;
    await copyFile(path, draft, constants.COPYFILE_EXCL); // a file system without links
  }
  await rename(draft, previous);
  await rm(draft, { force: true }); // both were one file already: then the rename did nothing
}
