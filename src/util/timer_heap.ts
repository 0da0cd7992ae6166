import type { Cancel } from "../env/clock.ts";

interface Timer {
  readonly time: number;
  /** Timers due at the same time fire in the order they were set. */
  readonly order: number;
  fn: (() => void) | undefined;
}

/** Timers by due time. Clocks keep one each: real ones arm a single system timer for `nextTime()`. */
export class TimerHeap {
  readonly #heap: Timer[] = []; // bounded by the timers the core sets: a few for each peer it has a place for
  #order = 0;
  #cancelled = 0;

  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  add(time: number, fn: () => void): Cancel {
    const timer: Timer = { time, order: this.#order++, fn };
    this.#heap.push(timer);
    this.#siftUp(this.#heap.length - 1);
    return () => {
      if (timer.fn === undefined) return;
      timer.fn = undefined;
      this.#cancelled++;
      this.#compact();
    };
  }

  /** When the earliest timer is due, or undefined when there is none. */
  nextTime(): number | undefined {
    this.#dropCancelledHead();
    return this.#heap[0]?.time;
  }

  /** Takes the earliest timer that is due at `now`, if any. */
  takeDue(now: number): (() => void) | undefined {
    this.#dropCancelledHead();
    const head = this.#heap[0];
    if (head === undefined || head.time > now) return undefined;
    this.#removeHead();
    const fn = head.fn;
    head.fn = undefined;
    return fn;
  }

  clear(): void {
    for (const timer of this.#heap) timer.fn = undefined;
    this.#heap.length = 0;
    this.#cancelled = 0;
  }

  #dropCancelledHead(): void {
    while (this.#heap.length > 0 && this.#heap[0]?.fn === undefined) {
      this.#removeHead();
      this.#cancelled--;
    }
  }

  #removeHead(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#siftDown(0);
  }

  /** Cancelled timers far in the future must not pile up: rebuilt once they are the greater part. */
  #compact(): void {
    if (this.#cancelled < 64 || this.#cancelled * 2 < this.#heap.length) return;
    const living = this.#heap.filter((timer) => timer.fn !== undefined);
    this.#heap.length = 0;
    this.#cancelled = 0;
    for (const timer of living) {
      this.#heap.push(timer);
      this.#siftUp(this.#heap.length - 1);
    }
  }

  #siftUp(at: number): void {
    const heap = this.#heap;
    const timer = heap[at] as Timer;
    let index = at;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Timer;
      if (!before(timer, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = timer;
  }

  #siftDown(at: number): void {
    const heap = this.#heap;
    const timer = heap[at] as Timer;
    let index = at;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= heap.length) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && before(right, heap[childIndex] as Timer)) childIndex++;
      const child = heap[childIndex] as Timer;
      if (!before(child, timer)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = timer;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
