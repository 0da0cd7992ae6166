import { lstatSync } from "node:fs";
import { resolve } from "node:path";
import type { FilePort, FileSink } from "../env/file.ts";
import { openFileSource } from "./file_source.ts";
import { exists, fileExists, PartFile } from "./part_file.ts";

export interface FileSinkOptions {
  /** Replaces what has that name. False when left out: then the transfer fails with `file-exists`. */
  readonly overwrite?: boolean;
}

/**
 * Where a received file goes: as `path.part` until it is whole, which stays when the instance is closed, so that the transfer
 * can go on later, and goes when it is cancelled or fails. One transfer at a time may write there: a second one fails with
 * `file-exists`.
 */
export function fileSink(path: string, { overwrite = false }: FileSinkOptions = {}): FileSink {
  return new DiskSink(resolve(path), overwrite, undefined);
}

/** Finds files again after a restart. */
export const nodeFiles: FilePort = {
  source: openFileSource,
  sink: async (location) => {
    const overwrite = location.startsWith(OVERWRITE);
    const path = resolve(overwrite ? location.slice(OVERWRITE.length) : location);
    const part = await PartFile.find(partOf(path));
    if ((await part.size()) > 0) return new DiskSink(path, overwrite, part);
    await part.keep();
    throw new Error(`${partOf(path)} is empty`);
  },
};

/** Before the path in a `location`; no absolute path begins with it. */
const OVERWRITE = "overwrite:";

class DiskSink implements FileSink {
  readonly location: string;
  readonly #path: string;
  readonly #overwrite: boolean;
  #part: PartFile | undefined;
  /** Something was written, or read back. */
  #begun: Promise<PartFile> | undefined;
  #ended = false;

  /** `part`: what an earlier run has left. */
  constructor(path: string, overwrite: boolean, part: PartFile | undefined) {
    this.#path = path;
    this.#overwrite = overwrite;
    this.#part = part;
    this.location = overwrite ? OVERWRITE + path : path;
  }

  get size(): number {
    const facts = lstatSync(partOf(this.#path), { throwIfNoEntry: false });
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
    const path = partOf(this.#path);
    this.#part ??= await (offset === 0 ? PartFile.create(path) : PartFile.find(path));
    await this.#part.cutOff(offset);
    return this.#part;
  }
}

function partOf(path: string): string {
  return `${path}.part`;
}
