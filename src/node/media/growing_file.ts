import { type FileHandle, open } from "node:fs/promises";
import { ToxError } from "../../util/tox_error.ts";
import { diskError, errorCode } from "../file_store/disk_error.ts";
import { Serial } from "../file_store/serial.ts";

export interface RecordingOptions {
  /** Replaces what has that name. False when left out. */
  readonly overwrite?: boolean;
}

/** Bytes that wait for the disk. More are left out of the recording: a call does not wait for it. */
const MAX_WAITING = 8 << 20;
/** The header is put right each time so many bytes have come, so that a killed program leaves a file that plays. */
const HEADER_INTERVAL = 96_000;

/** A file that grows behind a header that says how far. */
export class GrowingFile {
  readonly #handle: FileHandle;
  readonly #path: string;
  /** What stands in front of so many bytes; always of the same length. */
  readonly #header: (bodyBytes: number) => Uint8Array;
  readonly #serial = new Serial();
  #end: number;
  #headerSize: number;
  /** Bytes of the body that the header on disk knows of. */
  #told = 0;
  #waiting = 0;
  #failure: ToxError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(handle: FileHandle, path: string, header: (bodyBytes: number) => Uint8Array) {
    this.#handle = handle;
    this.#path = path;
    this.#header = header;
    this.#headerSize = header(0).length;
    this.#end = this.#headerSize;
    this.#writeHeader();
  }

  /** Rejects with `invalid-argument` when the file is there already, otherwise with `disk-full` or `store-unavailable`. */
  static async create(
    path: string,
    { overwrite = false }: RecordingOptions,
    header: (bodyBytes: number) => Uint8Array,
  ): Promise<GrowingFile> {
    try {
      return new GrowingFile(await open(path, overwrite ? "w" : "wx"), path, header);
    } catch (error) {
      if (errorCode(error) === "EEXIST") throw new ToxError("invalid-argument", `${path} is there already.`);
      throw diskError(error, `write ${path}`);
    }
  }

  /** Takes the bytes over. All of them, or none when too many wait. */
  append(bytes: Uint8Array): void {
    if (this.#closing || this.#failure) return;
    if (this.#waiting + bytes.length > MAX_WAITING) {
      this.#failure = new ToxError("store-unavailable", `The disk is too slow to write ${this.#path}.`);
      return;
    }
    const at = this.#end;
    this.#end += bytes.length;
    this.#waiting += bytes.length;
    void this.#serial.run(async () => {
      await this.#write(bytes, at);
      this.#waiting -= bytes.length;
    });
    if (this.#end - this.#headerSize - this.#told >= HEADER_INTERVAL) this.#writeHeader();
  }

  /** Rejects with what went wrong, then or before. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#writeHeader();
    await this.#serial.idle();
    await this.#handle.close().catch((error: unknown) => {
      this.#failure ??= diskError(error, `write ${this.#path}`);
    });
    if (this.#failure) throw this.#failure;
  }

  #writeHeader(): void {
    this.#told = this.#end - this.#headerSize;
    const header = this.#header(this.#told);
    void this.#serial.run(() => this.#write(header, 0));
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    try {
      for (let at = 0; at < bytes.length && !this.#failure; ) {
        at += (await this.#handle.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
      }
    } catch (error) {
      this.#failure ??= diskError(error, `write ${this.#path}`);
    }
  }
}
