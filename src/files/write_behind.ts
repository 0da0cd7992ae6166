import type { FileSink } from "../env/file.ts";

const SMALLEST_BLOCK = 16 * 1024;
const LARGEST_BLOCK = 256 * 1024;

export interface WriteBehindListener {
  /** Everything before `position` is written. */
  onWritten(position: number): void;
  onError(error: unknown): void;
}

/** Hands what comes to a sink, in blocks: one write at a time, and what comes meanwhile together in the next. */
export class WriteBehind {
  readonly #sink: FileSink;
  readonly #listener: WriteBehindListener;
  readonly #blocks: Uint8Array[] = []; // full ones; bounded by the receiver, who pauses the sender
  #block = new Uint8Array(0);
  #filled = 0;
  #position: number;
  #pending = 0;
  #blockSize = SMALLEST_BLOCK;
  #writing = false;
  #stopped = false;
  #idle: (() => void) | undefined;

  constructor(sink: FileSink, position: number, listener: WriteBehindListener) {
    this.#sink = sink;
    this.#position = position;
    this.#listener = listener;
  }

  /** Bytes that came and are not written yet. */
  get pending(): number {
    return this.#pending;
  }

  /** Everything before this is written. */
  get position(): number {
    return this.#position;
  }

  /** Copies the bytes. */
  add(data: Uint8Array): void {
    this.#pending += data.length;
    for (let at = 0; at < data.length; ) {
      if (this.#filled === this.#block.length) this.#newBlock();
      const count = Math.min(data.length - at, this.#block.length - this.#filled);
      this.#block.set(count === data.length ? data : data.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
    }
    this.#write();
  }

  /** Resolves once nothing is pending, or writing has ended otherwise. */
  settled(): Promise<void> {
    if (!this.#writing) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  /** Nothing more is written than what is being written now. */
  stop(): void {
    this.#stopped = true;
    this.#blocks.length = 0;
    this.#block = new Uint8Array(0);
    this.#filled = 0;
    this.#pending = 0;
  }

  #newBlock(): void {
    if (this.#filled > 0) {
      this.#blocks.push(this.#block);
      this.#blockSize = Math.min(2 * this.#blockSize, LARGEST_BLOCK);
    }
    this.#block = new Uint8Array(this.#blockSize);
    this.#filled = 0;
  }

  #write(): void {
    if (this.#writing || this.#stopped) return;
    const block = this.#takeBlock();
    if (block === undefined) {
      this.#idle?.();
      return;
    }
    this.#writing = true;
    this.#hand(block).then(
      () => {
        this.#writing = false;
        this.#pending = Math.max(0, this.#pending - block.length);
        this.#position += block.length;
        if (this.#stopped) this.#idle?.();
        else this.#listener.onWritten(this.#position);
        this.#write();
      },
      (error: unknown) => {
        this.#writing = false;
        const wasStopped = this.#stopped;
        this.stop();
        this.#idle?.();
        if (!wasStopped) this.#listener.onError(error);
      },
    );
  }

  /** Whatever a sink does, even throw, comes out of the promise. */
  async #hand(block: Uint8Array): Promise<void> {
    await this.#sink.write(this.#position, block);
  }

  /** Small files and slow senders get small blocks, fast ones large ones. */
  #takeBlock(): Uint8Array | undefined {
    const full = this.#blocks.shift();
    if (full !== undefined) return full;
    if (this.#filled === 0) return undefined;
    const block = this.#block.subarray(0, this.#filled);
    if (this.#filled < this.#block.length / 4) this.#blockSize = Math.max(this.#blockSize / 2, SMALLEST_BLOCK);
    this.#block = new Uint8Array(0);
    this.#filled = 0;
    return block;
  }
}
