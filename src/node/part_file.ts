import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, link, lstat, open, rename, unlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** Windows has no such flags, nor links that strangers may make. */
const NO_FOLLOW = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW;
const GO_ON = constants.O_RDWR | NO_FOLLOW;

/** Of an instance that was closed a moment ago the next one finds files that are still being put away: so long (ms) it waits. */
const PATIENCE_MS = 500;

/** Which are being written, and when that is over. A disk is the whole process's, so instances cannot know otherwise. */
const inUse = new Map<string, PromiseWithResolvers<void>>(); // bounded by the files that a process may open

/** A file on the way to its name, which nobody else in this process writes meanwhile. */
export class PartFile {
  /** The same as long as the file is there, and no other's: its number may go to another once it is gone. */
  readonly version: string;
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #facts: BigIntStats;

  /** A new one; undefined where something has that name, which nobody can tell whose it is. Rejects with `EEXIST` where it is in use. */
  static async create(path: string): Promise<PartFile | undefined> {
    try {
      return await PartFile.#open(path, () => open(path, CREATE));
    } catch (error) {
      if (codeOf(error) === "EEXIST" && !inUse.has(path)) return undefined;
      throw error;
    }
  }

  /** The one that is there. Rejects where none is, and with `EEXIST` where it is in use. */
  static find(path: string): Promise<PartFile> {
    return PartFile.#open(path, () => open(path, GO_ON));
  }

  static async #open(path: string, opening: () => Promise<FileHandle>): Promise<PartFile> {
    await claim(path);
    try {
      const handle = await opening();
      try {
        const facts = await handle.stat({ bigint: true });
        if (!isPart(facts)) throw new Error(`${path} is no file of its own`);
        return new PartFile(path, handle, facts);
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      release(path);
      throw error;
    }
  }

  private constructor(path: string, handle: FileHandle, facts: BigIntStats) {
    this.path = path;
    this.#handle = handle;
    this.#facts = facts;
    this.version = `${facts.ino}-${facts.birthtimeNs}`;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  /** What stands behind `offset` is of no use. */
  async cutOff(offset: number): Promise<void> {
    if ((await this.size()) < offset) throw new Error(`${this.path} has become shorter`);
    await this.#handle.truncate(offset);
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, offset + at);
      at += bytesWritten;
    }
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const { buffer, bytesRead } = await this.#handle.read(Buffer.allocUnsafeSlow(length), 0, length, offset);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, bytesRead);
  }

  /** Gives it its name. Where that fails it is gone. */
  finish(path: string, overwrite: boolean): Promise<void> {
    return this.#end(async () => {
      try {
        await this.#handle.sync();
        await this.#handle.close();
        if (!(await this.#isThere())) throw new Error(`${this.path} is another file now`);
        if (overwrite) await rename(this.path, path);
        else await renameToNew(this.path, path);
      } catch (error) {
        await this.#remove().catch(() => {}); // what came before says more
        throw error;
      }
    });
  }

  remove(): Promise<void> {
    return this.#end(() => this.#remove());
  }

  keep(): Promise<void> {
    return this.#end(() => this.#handle.close());
  }

  async #remove(): Promise<void> {
    await this.#handle.close();
    if (await this.#isThere()) await unlink(this.path);
  }

  async #isThere(): Promise<boolean> {
    const facts = await lstat(this.path, { bigint: true }).catch(() => undefined);
    return facts?.ino === this.#facts.ino && facts.dev === this.#facts.dev;
  }

  #end(how: () => Promise<void>): Promise<void> {
    return how().finally(() => release(this.path));
  }
}

function isPart(facts: BigIntStats): boolean {
  return facts.isFile() && facts.nlink === 1n;
}

async function claim(path: string): Promise<void> {
  const patience = new AbortController();
  const end = delay(PATIENCE_MS, false, { signal: patience.signal }).catch(() => false);
  try {
    for (let other = inUse.get(path); other !== undefined; other = inUse.get(path)) {
      const isFree = await Promise.race([other.promise.then(() => true), end]);
      if (!isFree) throw fileExists(`${path} is being written by another transfer`);
    }
    inUse.set(path, Promise.withResolvers());
  } finally {
    patience.abort();
  }
}

function release(path: string): void {
  inUse.get(path)?.resolve();
  inUse.delete(path);
}

/** `rename` would replace a file that came there meanwhile; a link does not. Some disks have no links. */
async function renameToNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw error;
    if (await exists(to)) throw fileExists(`${to} is there already`);
    await rename(from, to);
    return;
  }
  await unlink(from);
}

/** Whatever it is, a link that leads nowhere included. */
export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

export function fileExists(message: string): Error {
  return Object.assign(new Error(message), { code: "EEXIST" });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
