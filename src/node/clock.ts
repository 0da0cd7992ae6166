import type { Cancel, Clock } from "../env/clock.ts";
import { TimerHeap } from "../util/timer_heap.ts";

export interface NodeClock extends Clock {
  /** Ends all timers; those set afterwards never fire. */
  close(): void;
}

/**
 * A clock for one instance. However many timers are set, the system knows of one: the next. Timers do not keep the process
 * alive; sockets do.
 */
export function nodeClock(): NodeClock {
  return new SystemClock();
}

/** setTimeout takes longer delays for 1 ms. */
const LONGEST_DELAY = 0x7fff_ffff;

class SystemClock implements NodeClock {
  readonly #timers = new TimerHeap();
  #armed: NodeJS.Timeout | undefined;
  #armedFor = Number.POSITIVE_INFINITY;
  #closed = false;

  monotonic(): number {
    return performance.now();
  }

  wall(): number {
    return Math.floor(Date.now() / 1000);
  }

  at(time: number, fn: () => void): Cancel {
    if (this.#closed) return () => {};
    const cancel = this.#timers.add(time, fn);
    this.#arm();
    return cancel;
  }

  close(): void {
    this.#closed = true;
    this.#timers.clear();
    this.#disarm();
  }

  #arm(): void {
    const next = this.#timers.nextTime();
    if (next === undefined || next >= this.#armedFor) return;
    this.#disarm();
    const delay = Math.min(Math.max(Math.ceil(next - performance.now()), 1), LONGEST_DELAY);
    this.#armedFor = next;
    this.#armed = setTimeout(this.#fire, delay);
    this.#armed.unref();
  }

  #disarm(): void {
    clearTimeout(this.#armed);
    this.#armed = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  /** The system may wake us up to 1 ms early: then nothing is due yet, and we go to sleep for the rest. */
  readonly #fire = (): void => {
    this.#disarm();
    const now = performance.now();
    // Timers set for the past by those that run here wait for the next turn, so that sockets get theirs.
    let left = this.#timers.size;
    try {
      for (; left > 0; left--) {
        const fn = this.#timers.takeDue(now);
        if (fn === undefined) break;
        fn();
      }
    } finally {
      this.#arm();
    }
  };
}
