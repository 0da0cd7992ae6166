import { READ_SIZE, type SourceReader } from "./shared_reads.ts";

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
  readonly #reader: SourceReader;
  readonly #listener: ReadAheadListener;
  readonly #pieces: Uint8Array[] = []; // bounded by LOW_WATER + READ_SIZE
  #first = 0;
  #buffered = 0;
  #position: number;
  #reading = false;
  #ended = false;
  #stopped = false;

  constructor(reader: SourceReader, offset: number, listener: ReadAheadListener) {
    this.#reader = reader;
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
    this.#reader.read(this.#position).then(
      (bytes) => this.#took(bytes),
      (error: unknown) => this.#failed(error),
    );
  }

  stop(): void {
    if (!this.#stopped) this.#reader.rest();
    this.#stopped = true;
    this.#pieces.length = 0;
    this.#buffered = 0;
  }

  #took(bytes: Uint8Array): void {
    this.#reading = false;
    if (this.#stopped) return;
    if (bytes.length === 0) this.#ended = true;
    else this.#pieces.push(bytes);
    this.#listener.onRead(this.#position, bytes);
    this.#buffered += bytes.length;
    this.#position += bytes.length;
    if (this.#position >= (this.#reader.source.size ?? Number.POSITIVE_INFINITY)) this.#ended = true;
    this.fill();
    this.#listener.onReady();
  }

  #failed(error: unknown): void {
    this.#reading = false;
    if (!this.#stopped) this.#listener.onError(error);
  }
}
