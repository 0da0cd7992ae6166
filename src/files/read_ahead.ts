import type { FileSource } from "../env/file.ts";
import { MAX_FILE_DATA_SIZE } from "../wire/friend/file_data.ts";

/** One read: whole packets. */
const READ_SIZE = 192 * MAX_FILE_DATA_SIZE;
/** Another read begins as long as no more than this is there: 770 KiB at most are held. */
const LOW_WATER = 2 * READ_SIZE;

export interface ReadAheadListener {
  /** Every piece, as it was read. */
  onRead(offset: number, bytes: Uint8Array): void;
  /** More can be taken than before, or the end is known. */
  onReady(): void;
  onError(error: unknown): void;
}

/** Reads a source a little ahead of what is sent. */
export class ReadAhead {
  readonly #source: FileSource;
  readonly #listener: ReadAheadListener;
  readonly #pieces: Uint8Array[] = []; // bounded by LOW_WATER + READ_SIZE
  #first = 0;
  #buffered = 0;
  #position: number;
  #reading = false;
  #ended = false;
  #stopped = false;

  constructor(source: FileSource, offset: number, listener: ReadAheadListener) {
    this.#source = source;
    this.#position = offset;
    this.#listener = listener;
  }

  /** Bytes that can be taken now. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Nothing comes behind what is buffered. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Takes the next `length` bytes, which are there, into `target`. */
  take(target: Uint8Array, at: number, length: number): void {
    this.#buffered -= length;
    while (length > 0) {
      const piece = this.#pieces[0] as Uint8Array;
      const count = Math.min(length, piece.length - this.#first);
      target.set(count === piece.length ? piece : piece.subarray(this.#first, this.#first + count), at);
      at += count;
      length -= count;
      this.#first += count;
      if (this.#first < piece.length) break;
      this.#pieces.shift();
      this.#first = 0;
    }
    this.fill();
  }

  /** Begins to read where there is room for it. */
  fill(): void {
    if (this.#reading || this.#ended || this.#stopped || this.#buffered > LOW_WATER) return;
    this.#reading = true;
    this.#read().then(
      (bytes) => this.#took(bytes),
      (error: unknown) => this.#failed(error),
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#pieces.length = 0;
    this.#buffered = 0;
  }

  /** Whatever a source does, even throw, comes out of the promise. */
  async #read(): Promise<Uint8Array> {
    const size = this.#source.size ?? Number.POSITIVE_INFINITY;
    const wanted = Math.min(READ_SIZE, size - this.#position);
    if (wanted <= 0) return new Uint8Array(0);
    const bytes = await this.#source.read(this.#position, wanted);
    return bytes.length > wanted ? bytes.subarray(0, wanted) : bytes;
  }

  #took(bytes: Uint8Array): void {
    this.#reading = false;
    if (this.#stopped) return;
    if (bytes.length === 0) this.#ended = true;
    else this.#pieces.push(bytes);
    this.#listener.onRead(this.#position, bytes);
    this.#buffered += bytes.length;
    this.#position += bytes.length;
    if (this.#source.size !== undefined && this.#position >= this.#source.size) this.#ended = true;
    this.fill();
    this.#listener.onReady();
  }

  #failed(error: unknown): void {
    this.#reading = false;
    if (!this.#stopped) this.#listener.onError(error);
  }
}
