import { lstatSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { FilePort, FileSink } from "../env/file.ts";
import { ToxError } from "../util/tox_error.ts";
import { openFileSource } from "./file_source.ts";
import { exists, fileExists, PartFile } from "./part_file.ts";

export interface FileSinkOptions {
  /** Replaces what has that name. False when left out: then the transfer fails with `file-exists`. */
  readonly overwrite?: boolean;
}

/**
 * Where a received file goes: as `path.part` until it is whole, or `path.2.part` where that is there already. It stays when the
 * instance is closed, so that the transfer can go on later, and goes when it is cancelled or fails. One transfer at a time may
 * write there: a second one fails with `file-exists`. Throws `invalid-argument` where there is no such folder.
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
    const [, overwrite, digit, path = ""] = LOCATION.exec(location) ?? [];
    const number = Number(digit ?? 1);
    const part = await PartFile.find(partOf(resolve(path), number));
    if ((await part.size()) > 0) return new DiskSink(resolve(path), overwrite !== undefined, { part, number });
    await part.keep();
    throw new Error(`${part.path} is empty`);
  },
};

/** No absolute path begins with what may stand before one here. */
const LOCATION = /^(overwrite:)?(?:part([2-9]):)?(.*)$/s;
/** Whoever has so many half-done files of one name has to clear up first. */
const MAX_PARTS = 9;

class DiskSink implements FileSink {
  readonly #path: string;
  readonly #overwrite: boolean;
  #part: PartFile | undefined;
  #number = 1;
  /** Something was written, or read back. */
  #begun: Promise<PartFile> | undefined;
  #ended = false;

  /** `found`: what an earlier run has left. */
  constructor(path: string, overwrite: boolean, found?: { part: PartFile; number: number }) {
    this.#path = path;
    this.#overwrite = overwrite;
    this.#part = found?.part;
    this.#number = found?.number ?? 1;
  }

  get location(): string {
    const part = this.#number === 1 ? "" : `part${this.#number}:`;
    return `${this.#overwrite ? "overwrite:" : ""}${part}${this.#path}`;
  }

  get size(): number {
    const facts = lstatSync(partOf(this.#path, this.#number), { throwIfNoEntry: false });
    return facts?.isFile() ? facts.size : 0;
  }

  get version(): string | undefined {
    return this.#part?.version;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    await (await this.#begin(offset)).write(offset, bytes);
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    return await (await this.#begin(this.size)).read(offset, length);
  }

  async close(): Promise<void> {
    const part = await this.#begin(0);
    this.#ended = true;
    await part.finish(this.#path, this.#overwrite);
  }

  /** What is there and was not opened is not ours. */
  async abort(): Promise<void> {
    await (await this.#letGo())?.remove();
  }

  async suspend(): Promise<void> {
    await (await this.#letGo())?.keep();
  }

  async #letGo(): Promise<PartFile | undefined> {
    await this.#begun?.catch(() => {});
    if (this.#ended) return undefined;
    this.#ended = true;
    return this.#part;
  }

  #begin(offset: number): Promise<PartFile> {
    this.#begun ??= this.#open(offset);
    return this.#begun;
  }

  async #open(offset: number): Promise<PartFile> {
    if (!this.#overwrite && (await exists(this.#path))) throw fileExists(`${this.#path} is there already`);
    this.#part ??= offset === 0 ? await this.#create() : await PartFile.find(partOf(this.#path));
    await this.#part.cutOff(offset);
    return this.#part;
  }

  async #create(): Promise<PartFile> {
    for (let number = 1; number <= MAX_PARTS; number++) {
      const part = await PartFile.create(partOf(this.#path, number));
      if (part === undefined) continue;
      this.#number = number;
      return part;
    }
    throw fileExists(`${partOf(this.#path)} and others are there already: clear up`);
  }
}

function partOf(path: string, number = 1): string {
  return number === 1 ? `${path}.part` : `${path}.${number}.part`;
}
