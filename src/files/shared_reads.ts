import type { FileSource } from "../env/file.ts";
import { MAX_FILE_DATA_SIZE } from "../wire/friend/file_data.ts";

/** One read: whole packets. It ends where a multiple of this does, so that all come upon the same pieces. */
export const READ_SIZE = 192 * MAX_FILE_DATA_SIZE;
/** What is kept of one source for others who want it soon: 16 pieces. */
const KEPT_BYTES = 16 * READ_SIZE;

interface Piece {
  readonly offset: number;
  readonly bytes: Promise<Uint8Array>;
  /** Undefined while it is read. */
  length: number | undefined;
}

/**
 * The sources that are being sent. One that goes to many friends at once is read once for all who go about together; who
 * lags behind, or is ahead, reads for himself, and nobody waits for anybody.
 */
export class SharedSources {
  readonly #shared = new Map<FileSource, SharedReads>(); // bounded by the transfers that there are

  /** Bytes that are held for others. */
  get kept(): number {
    let sum = 0;
    for (const shared of this.#shared.values()) sum += shared.kept;
    return sum;
  }

  /** Whether somebody reads it. */
  has(source: FileSource): boolean {
    return this.#shared.has(source);
  }

  /** A reader of it. It is closed when the last one is. */
  open(source: FileSource): SourceReader {
    let shared = this.#shared.get(source);
    if (shared === undefined) {
      shared = new SharedReads(source, () => this.#shared.delete(source));
      this.#shared.set(source, shared);
    }
    return shared.open();
  }
}

/** One transfer's view of a source. */
export class SourceReader {
  readonly source: FileSource;
  readonly #shared: SharedReads;
  /** Where it reads next; undefined: not at all for now. */
  position: number | undefined;

  constructor(source: FileSource, shared: SharedReads) {
    this.source = source;
    this.#shared = shared;
  }

  /** As `FileSource.read`, in pieces of our choice. The bytes may be others' as well: they must not be changed. */
  read(offset: number): Promise<Uint8Array> {
    return this.#shared.read(this, offset);
  }

  /** Reads nothing for now. */
  rest(): void {
    this.position = undefined;
  }

  /** Resolves when the source is closed, if this was the last reader. */
  async close(): Promise<void> {
    await this.#shared.close(this);
  }
}

class SharedReads {
  readonly #source: FileSource;
  readonly #onClosed: () => void;
  readonly #readers = new Set<SourceReader>(); // one a transfer
  readonly #pieces = new Map<number, Piece>(); // by offset; what is being read, and KEPT_BYTES
  #kept = 0;

  constructor(source: FileSource, onClosed: () => void) {
    this.#source = source;
    this.#onClosed = onClosed;
  }

  get kept(): number {
    return this.#kept;
  }

  open(): SourceReader {
    const reader = new SourceReader(this.#source, this);
    this.#readers.add(reader);
    return reader;
  }

  async close(reader: SourceReader): Promise<void> {
    if (!this.#readers.delete(reader)) return;
    if (this.#readers.size > 0) {
      this.#forget();
      return;
    }
    this.#pieces.clear();
    this.#onClosed(); // whoever sends it again from here on opens it again
    await this.#source.close?.();
  }

  async read(reader: SourceReader, offset: number): Promise<Uint8Array> {
    const piece = this.#pieces.get(offset) ?? this.#begin(offset);
    reader.position = offset;
    const bytes = await piece.bytes;
    if (reader.position === offset) reader.position = offset + bytes.length;
    this.#forget();
    return bytes;
  }

  #begin(offset: number): Piece {
    const { size } = this.#source;
    const wanted = Math.min(READ_SIZE - (offset % READ_SIZE), (size ?? Number.POSITIVE_INFINITY) - offset);
    const piece: Piece = { offset, bytes: this.#ask(offset, wanted), length: undefined };
    this.#pieces.set(offset, piece);
    piece.bytes.then(
      ({ length }) => {
        if (this.#pieces.get(offset) !== piece) return;
        piece.length = length;
        this.#kept += length;
      },
      () => {
        if (this.#pieces.get(offset) === piece) this.#pieces.delete(offset); // whoever asks again may have more luck
      },
    );
    return piece;
  }

  /** Whatever a source does, even throw, comes out of the promise. */
  async #ask(offset: number, wanted: number): Promise<Uint8Array> {
    if (wanted <= 0) return new Uint8Array(0);
    const bytes: unknown = await this.#source.read(offset, wanted);
    if (!(bytes instanceof Uint8Array)) throw new TypeError("the source gave something else than a Uint8Array");
    return bytes.length > wanted ? bytes.subarray(0, wanted) : bytes;
  }

  /** Forgets what nobody wants soon, and of the rest what the fewest want, until it is little enough. */
  #forget(): void {
    for (const piece of this.#pieces.values()) if (this.#wanting(piece) === 0) this.#drop(piece);
    while (this.#kept > KEPT_BYTES) {
      let least: Piece | undefined;
      let fewest = Number.POSITIVE_INFINITY;
      for (const piece of this.#pieces.values()) {
        const wanting = this.#wanting(piece);
        if (piece.length === undefined || wanting >= fewest) continue;
        least = piece;
        fewest = wanting;
      }
      if (least === undefined) return;
      this.#drop(least);
    }
  }

  #drop({ offset, length }: Piece): void {
    if (length === undefined) return;
    this.#pieces.delete(offset);
    this.#kept -= length;
  }

  /** How many will come to it soon. */
  #wanting({ offset }: Piece): number {
    let count = 0;
    for (const { position } of this.#readers) {
      if (position !== undefined && position <= offset && offset - position < KEPT_BYTES) count++;
    }
    return count;
  }
}
