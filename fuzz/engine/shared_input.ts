import { MAX_INPUT_SIZE } from "./campaign.ts";

const SEQUENCE = 0;
const LENGTH = 1;
const HEADER_SIZE = 8;

/** The input that a worker is at, in memory that is still readable when the worker is stuck. */
export class SharedInput {
  readonly memory: SharedArrayBuffer;
  readonly #header: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory = new SharedArrayBuffer(HEADER_SIZE + MAX_INPUT_SIZE)) {
    this.memory = memory;
    this.#header = new Int32Array(memory, 0, 2);
    this.#bytes = new Uint8Array(memory, HEADER_SIZE);
  }

  /** Says that this input begins. */
  begin(input: Uint8Array): void {
    this.#bytes.set(input.subarray(0, MAX_INPUT_SIZE));
    Atomics.store(this.#header, LENGTH, Math.min(input.length, MAX_INPUT_SIZE));
    Atomics.add(this.#header, SEQUENCE, 1);
  }

  /** Grows with each input; 0 before the first. */
  get sequence(): number {
    return Atomics.load(this.#header, SEQUENCE);
  }

  current(): Uint8Array {
    return this.#bytes.slice(0, Atomics.load(this.#header, LENGTH));
  }
}
