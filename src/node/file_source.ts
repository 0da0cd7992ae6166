import { statSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { FileSource } from "../env/file.ts";
import { ToxError } from "../util/tox_error.ts";

/**
 * A file to send. It is opened when it is read first; it must not change meanwhile. Throws `invalid-argument` where no file
 * is.
 */
export function fileSource(path: string): FileSource {
  const location = resolve(path);
  try {
    return new DiskSource(location, statSync(location));
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** The same without waiting for the disk in the caller's turn. */
export async function openFileSource(path: string): Promise<FileSource> {
  const location = resolve(path);
  try {
    return new DiskSource(location, await stat(location));
  } catch (error) {
    throw cannotRead(path, error);
  }
}

interface Facts {
  readonly size: number;
  readonly mtimeMs: number;
  isFile(): boolean;
}

class DiskSource implements FileSource {
  readonly name: string;
  readonly size: number;
  readonly location: string;
  readonly version: string;
  #handle: Promise<FileHandle> | undefined;

  constructor(location: string, facts: Facts) {
    if (!facts.isFile()) throw new Error("it is no file");
    this.name = basename(location);
    this.location = location;
    this.size = facts.size;
    this.version = `${facts.mtimeMs}`;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.#handle ??= open(this.location, "r");
    const handle = await this.#handle;
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafeSlow(length), 0, length, offset);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, bytesRead);
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await (await handle?.catch(() => undefined))?.close();
  }
}

function cannotRead(path: string, error: unknown): ToxError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === "ENOENT" ? "there is none" : code === "EACCES" ? "this user may not" : message;
  return new ToxError("invalid-argument", `The file ${path} cannot be read: ${reason}.`, { cause: error });
}
