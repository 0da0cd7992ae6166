import type { FileOutcome, FileSink, FileTransfer, ToxEvents } from "../../src/core.ts";
import { SeededRandom } from "../../src/testing/seeded_random.ts";
import type { Person } from "./people.ts";

export type FileOffer = ToxEvents["fileOffer"];

/** Bytes of which no two pieces are the same. */
export function fileBytes(size: number, seed: number | string = 1): Uint8Array {
  const bytes = new Uint8Array(size);
  new SeededRandom(seed).fill(bytes);
  return bytes;
}

/** A sink that keeps all, and checks how it is called. */
export class TestSink implements FileSink {
  readonly writes: { readonly offset: number; readonly length: number }[] = [];
  ended: "closed" | "aborted" | "suspended" | undefined;
  bytes: Uint8Array;
  #writing = false;

  constructor(before: Uint8Array = new Uint8Array(0)) {
    this.bytes = before.slice();
  }

  get size(): number {
    return this.bytes.length;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (this.#writing) throw new Error("two writes at once");
    if (this.ended) throw new Error(`a write after it was ${this.ended}`);
    const last = this.writes.at(-1);
    if (last !== undefined && offset !== last.offset + last.length) throw new Error(`a write at ${offset}`);
    if (offset > this.bytes.length) throw new Error("a hole");
    this.#writing = true;
    await this.delay();
    this.#writing = false;
    this.writes.push({ offset, length: bytes.length });
    const whole = new Uint8Array(offset + bytes.length);
    whole.set(this.bytes.subarray(0, offset));
    whole.set(bytes, offset);
    this.bytes = whole;
  }

  async close(): Promise<void> {
    this.ended = "closed";
  }

  async abort(): Promise<void> {
    this.ended = "aborted";
  }

  async suspend(): Promise<void> {
    this.ended = "suspended";
  }

  protected async delay(): Promise<void> {}
}

/** The offers that the person gets from now on. */
export function offersTo(person: Person): FileOffer[] {
  const offers: FileOffer[] = [];
  person.tox.on("fileOffer", (offer) => void offers.push(offer));
  return offers;
}

/** How the transfer ended, once it has: to be looked at while time passes. */
export function outcomeOf(transfer: FileTransfer): { readonly value: FileOutcome | undefined } {
  const seen: { value: FileOutcome | undefined } = { value: undefined };
  void transfer.done.then((outcome) => {
    seen.value = outcome;
  });
  return seen;
}
