import { type FileHandle, open } from "node:fs/promises";
import { ToxError } from "../../util/tox_error.ts";

const READ_AHEAD = 1 << 16;

/** A file that is read from front to end, a piece at a time. */
export class SequentialFile {
  readonly #handle: FileHandle;
  readonly #path: string;
  #buffer: Uint8Array = new Uint8Array(0);
  /** Of the first byte behind the buffer. */
  #offset = 0;
  #closed = false;

  private constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.#path = path;
  }

  /** Rejects with `invalid-argument` when it cannot be read. */
  static async open(path: string): Promise<SequentialFile> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, "r");
      if (!(await handle.stat()).isFile()) throw new Error("it is no file");
      return new SequentialFile(handle, path);
    } catch (error) {
      await handle?.close();
      throw cannotRead(path, error);
    }
  }

  /** As many bytes, or fewer at the end, or when it is closed. They are the caller's. */
  async take(length: number): Promise<Uint8Array> {
    if (this.#buffer.length < length) await this.#fill(length);
    const taken = this.#buffer.slice(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return taken;
  }

  skip(length: number): void {
    const buffered = Math.min(length, this.#buffer.length);
    this.#buffer = this.#buffer.subarray(buffered);
    this.#offset += length - buffered;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }

  async #fill(length: number): Promise<void> {
    const bytes = new Uint8Array(Math.max(length, READ_AHEAD));
    bytes.set(this.#buffer);
    let filled = this.#buffer.length;
    while (filled < length && !this.#closed) {
      const read = await this.#read(bytes, filled);
      if (read === 0) break;
      filled += read;
      this.#offset += read;
    }
    this.#buffer = bytes.subarray(0, filled);
  }

  async #read(bytes: Uint8Array, at: number): Promise<number> {
    try {
      return (await this.#handle.read(bytes, at, bytes.length - at, this.#offset)).bytesRead;
    } catch (error) {
      if (this.#closed) return 0;
      throw cannotRead(this.#path, error);
    }
  }
}

function cannotRead(path: string, error: unknown): ToxError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ToxError("invalid-argument", `The file ${path} cannot be read: ${reason}.`, { cause: error });
}
