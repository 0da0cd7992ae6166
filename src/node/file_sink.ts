import { statSync } from "node:fs";
import { access, type FileHandle, link, open, rename, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { FilePort, FileSink } from "../env/file.ts";
import { ToxError } from "../util/tox_error.ts";
import { openFileSource } from "./file_source.ts";

export interface FileSinkOptions {
  /** Replaces what has that name. False when left out: then the transfer fails with `file-exists`. */
  readonly overwrite?: boolean;
}

/**
 * Where a received file goes: as `path.part` until it is whole, which stays when the instance is closed, so that the transfer
 * can go on later, and goes when it is cancelled. Throws `invalid-argument` where there is no such folder.
 */
export function fileSink(path: string, { overwrite = false }: FileSinkOptions = {}): FileSink {
  const place = resolve(path);
  const folder = dirname(place);
  if (!isFolder(folder)) {
    throw new ToxError("invalid-argument", `There is no folder ${folder}: make it first, or name another place.`);
  }
  return new DiskSink(place, overwrite);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Finds files again after a restart. */
export const nodeFiles: FilePort = {
  source: openFileSource,
  sink: async (location) => {
    const overwrite = location.startsWith(OVERWRITE);
    const sink = fileSink(overwrite ? location.slice(OVERWRITE.length) : location, { overwrite });
    if (sink.size === 0) throw new Error(`${location}.part is not there`);
    return sink;
  },
};

/** Before the path in a `location`; no absolute path begins with it. */
const OVERWRITE = "overwrite:";

class DiskSink implements FileSink {
  readonly location: string;
  readonly #path: string;
  readonly #part: string;
  readonly #overwrite: boolean;
  #handle: FileHandle | undefined;

  constructor(path: string, overwrite: boolean) {
    this.#path = path;
    this.#part = `${path}.part`;
    this.#overwrite = overwrite;
    this.location = overwrite ? OVERWRITE + path : path;
  }

  get size(): number {
    return statSync(this.#part, { throwIfNoEntry: false })?.size ?? 0;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const handle = this.#handle ?? (await this.#open(offset));
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, offset + at);
      at += bytesWritten;
    }
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const handle = this.#handle ?? (await this.#open(this.size));
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafeSlow(length), 0, length, offset);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, bytesRead);
  }

  async close(): Promise<void> {
    const handle = this.#handle ?? (await this.#open(0));
    await handle.sync();
    await this.#closeHandle();
    if (this.#overwrite) await rename(this.#part, this.#path);
    else await renameToNew(this.#part, this.#path);
  }

  async abort(): Promise<void> {
    if (this.#handle === undefined) return; // what is there is not ours
    await this.#closeHandle();
    await unlink(this.#part);
  }

  async suspend(): Promise<void> {
    await this.#closeHandle();
  }

  /** What stands behind `offset` is of no use. */
  async #open(offset: number): Promise<FileHandle> {
    if (!this.#overwrite && (await exists(this.#path))) throw fileExists(this.#path);
    const handle = await open(this.#part, offset === 0 ? "w+" : "r+");
    this.#handle = handle;
    await handle.truncate(offset);
    return handle;
  }

  async #closeHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}

/** `rename` would replace a file that came there meanwhile; a link does not. Some disks have no links. */
async function renameToNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw error;
    if (await exists(to)) throw fileExists(to);
    await rename(from, to);
    return;
  }
  await unlink(from);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function fileExists(path: string): Error {
  return Object.assign(new Error(`${path} is there already`), { code: "EEXIST" });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
