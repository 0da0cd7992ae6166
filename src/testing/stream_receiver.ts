import { RECEIVE_WINDOW, type Segment } from "./segment.ts";

/** What a receiver asks of the stream it belongs to. */
export interface ReceiverOwner {
  /** Takes data that are next in order. */
  deliver(bytes: Uint8Array): void;
  /** The other side has finished, and all it sent has been delivered. */
  finished(): void;
}

/** One side's receiving half of a stream: puts segments in order and holds them while the reader does not read. */
export class StreamReceiver {
  readonly #owner: ReceiverOwner;
  readonly #early = new Map<number, Segment>(); // by number; bounded by the receive window
  readonly #ready: Segment[] = []; // in order, not read yet; bounded by the receive window
  #next = 0;
  #read = 0;
  #draining = false;
  paused = false;

  constructor(owner: ReceiverOwner) {
    this.#owner = owner;
  }

  /** How many bytes in all, from the first on, there is room for. */
  get limit(): number {
    return this.#read + RECEIVE_WINDOW;
  }

  /** Whether data wait for the reader. */
  get holding(): boolean {
    return this.#ready.length > 0;
  }

  /** Takes a numbered segment, in whatever order and however often it comes. */
  receive(segment: Segment): void {
    if (segment.number < this.#next || this.#early.has(segment.number)) return;
    this.#early.set(segment.number, segment);
    for (;;) {
      const next = this.#early.get(this.#next);
      if (next === undefined) break;
      this.#early.delete(this.#next++);
      if (next.kind === "data" || next.kind === "finish") this.#ready.push(next);
    }
    this.drain();
  }

  /** Hands on what is ready, unless paused. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      while (!this.paused) {
        const segment = this.#ready.shift();
        if (segment === undefined) break;
        this.#read += segment.bytes.length;
        if (segment.kind === "finish") this.#owner.finished();
        else this.#owner.deliver(segment.bytes);
      }
    } finally {
      this.#draining = false;
    }
  }
}
