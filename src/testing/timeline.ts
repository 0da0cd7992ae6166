import type { Cancel } from "../env/clock.ts";
import { TimerHeap } from "../util/timer_heap.ts";

/** The one virtual time of a universe, in ms from 0, and everything that is due in it. */
export class Timeline {
  readonly #events = new TimerHeap();
  #now = 0;

  get now(): number {
    return this.#now;
  }

  /** How many events wait. */
  get size(): number {
    return this.#events.size;
  }

  /** Runs `fn` when the time has come; what is overdue runs next, after what was due before. */
  schedule(time: number, fn: () => void): Cancel {
    return this.#events.add(Math.max(time, this.#now), fn);
  }

  /** Runs the next event that is due by `end`, at its time. False when there is none; time then stands still. */
  step(end: number): boolean {
    const time = this.#events.nextTime();
    if (time === undefined || time > end) return false;
    if (time > this.#now) this.#now = time;
    this.#events.takeDue(this.#now)?.();
    return true;
  }

  /** Lets time pass up to `time`, with nothing due on the way. */
  advance(time: number): void {
    if (time > this.#now) this.#now = time;
  }
}
