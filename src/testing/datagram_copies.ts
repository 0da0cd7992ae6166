const SLAB_SIZE = 32 * 1024;

/** Copies of datagrams, many in one array buffer, as real sockets give them too: to make one each is slow. */
export class DatagramCopies {
  #slab = new Uint8Array(0);
  #used = 0;

  copy(bytes: Uint8Array, length: number): Uint8Array {
    if (this.#used + length > this.#slab.length) {
      this.#slab = new Uint8Array(Math.max(SLAB_SIZE, length));
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    const copy = this.#slab.subarray(start, this.#used);
    copy.set(length === bytes.length ? bytes : bytes.subarray(0, length));
    return copy;
  }
}
