import type { Cancel, Clock } from "../env/clock.ts";
import type { WholeFrame } from "./frame_assembly.ts";

/** Frames that wait for an earlier one, at most. */
const CAPACITY = 64;
/** Numbers that jump by more than so many begin anew. */
export const LARGEST_JUMP = 500;

export interface VideoOutput {
  frame(frame: WholeFrame): void;
  /** So many frames will not come. */
  lost(frames: number): void;
}

/**
 * Gives out pictures in the order of their numbers, each as soon as it is whole. Where one is missing the others wait a little
 * for it; a key frame waits for nothing.
 */
export class VideoOrder {
  readonly #clock: Clock;
  readonly #output: VideoOutput;
  /** How long a missing frame is waited for, in ms. */
  readonly #patience: () => number;
  readonly #waiting = new Map<number, WholeFrame>(); // by number, at most CAPACITY
  #next: number | undefined;
  #timer: Cancel | undefined;

  constructor(clock: Clock, patience: () => number, output: VideoOutput) {
    this.#clock = clock;
    this.#patience = patience;
    this.#output = output;
  }

  /** Something of this frame has come. Answers the number that is given out next: this one, if it is the first. */
  begin(number: number): number {
    this.#next ??= number;
    return this.#next;
  }

  /** The number that is given out next; undefined before the first. */
  get next(): number | undefined {
    return this.#next;
  }

  /** Whether a later frame waits for an earlier one. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  has(number: number): boolean {
    return this.#waiting.has(number);
  }

  add(frame: WholeFrame): void {
    const { number } = frame;
    if (this.#next !== undefined && Math.abs(number - this.#next) > LARGEST_JUMP) this.reset();
    if (this.#next === undefined) this.#next = number;
    if (number < this.#next || this.#waiting.has(number)) return;
    this.#waiting.set(number, frame);
    if (frame.keyFrame || this.#waiting.size > CAPACITY) this.#skipTo(number);
    this.#giveOut();
  }

  reset(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#waiting.clear();
    this.#next = undefined;
  }

  #giveOut(): void {
    for (;;) {
      const frame = this.#waiting.get(this.#next as number);
      if (frame === undefined) break;
      this.#waiting.delete(frame.number);
      this.#next = frame.number + 1;
      this.#restartTimer();
      this.#output.frame(frame);
    }
    if (this.#waiting.size > 0 && this.#timer === undefined) {
      this.#timer = this.#clock.at(this.#clock.monotonic() + this.#patience(), () => this.#giveUp());
    }
  }

  #restartTimer(): void {
    this.#timer?.();
    this.#timer = undefined;
  }

  #giveUp(): void {
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    this.#skipTo(Math.min(...this.#waiting.keys()));
    this.#giveOut();
  }

  /** What is missing before this frame is lost; what waits there is given out. Ends when a listener has us begin anew. */
  #skipTo(number: number): void {
    for (let at = this.#next as number; at < number; ) {
      const frame = this.#waiting.get(at);
      if (frame !== undefined) {
        this.#waiting.delete(at);
        this.#next = ++at;
        this.#output.frame(frame);
        if (this.#next !== at) return;
        continue;
      }
      const from = at;
      while (at < number && !this.#waiting.has(at)) at++;
      this.#next = at;
      this.#output.lost(at - from);
      if (this.#next !== at) return;
    }
    this.#restartTimer();
  }
}
