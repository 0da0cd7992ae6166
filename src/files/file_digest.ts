import type { CryptoProvider, HashStream } from "../crypto/provider.ts";

/** One read of what has to be read again for its hash. */
const READ_SIZE = 256 * 1024;

/** The hash of a file, from what passes by where that is all of it, else from reading it once more. */
export class FileDigest {
  readonly #provider: CryptoProvider;
  #stream: HashStream | undefined;
  #hashed = 0;

  constructor(provider: CryptoProvider) {
    this.#provider = provider;
    this.#stream = provider.sha256Stream();
  }

  /** Bytes pass by that stand at `offset`. */
  take(offset: number, bytes: Uint8Array): void {
    if (this.#stream === undefined) return;
    if (offset !== this.#hashed) {
      this.#stream = undefined;
      return;
    }
    this.#stream.update(bytes);
    this.#hashed += bytes.length;
  }

  /** Of the first `size` bytes. Undefined where they did not pass by and cannot be read. `read` may give more than it is asked for. */
  async finish(
    size: number,
    read: ((offset: number, length: number) => Promise<Uint8Array>) | undefined,
  ): Promise<Uint8Array | undefined> {
    const passed = this.#stream;
    this.#stream = undefined; // what is read from here on is no part of it
    if (passed !== undefined && this.#hashed === size) return passed.digest();
    if (read === undefined) return undefined;
    const stream = this.#provider.sha256Stream();
    for (let offset = 0; offset < size; ) {
      const bytes = await read(offset, Math.min(READ_SIZE, size - offset));
      if (bytes.length === 0) return undefined;
      stream.update(bytes.length > size - offset ? bytes.subarray(0, size - offset) : bytes);
      offset += bytes.length;
    }
    return stream.digest();
  }
}
