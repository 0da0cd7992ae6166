import type { FileSink, FileSource } from "../env/file.ts";

/** Bytes as something to send. They must not change. */
export function bytesSource(bytes: Uint8Array, name: string): FileSource {
  return {
    name,
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

/** Keeps what comes in memory, for files that are known to be small. */
export class BytesSink implements FileSink {
  #bytes = new Uint8Array(0); // as large as the accepted offer says at most

  /** What has come. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    const whole = new Uint8Array(offset + bytes.length);
    whole.set(this.#bytes.subarray(0, offset));
    whole.set(bytes, offset);
    this.#bytes = whole;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  abort(): Promise<void> {
    this.#bytes = new Uint8Array(0);
    return Promise.resolve();
  }
}

/** Keeps nothing. */
export const nowhere: FileSink = {
  write: () => Promise.resolve(),
  close: () => Promise.resolve(),
  abort: () => Promise.resolve(),
};
