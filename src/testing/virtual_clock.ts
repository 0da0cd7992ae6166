import type { Cancel, Clock } from "../env/clock.ts";
import type { Timeline } from "./timeline.ts";

/** A host's clock: the universe's time, with a wall clock of its own and only its own timers. */
export class VirtualClock implements Clock {
  readonly #timeline: Timeline;
  readonly #timers = new Set<Cancel>(); // bounded by what the host's instance sets
  #wallStart: number;
  #fired = 0;

  /** `wallStart`: Unix time, in seconds, when the universe began. */
  constructor(timeline: Timeline, wallStart: number) {
    this.#timeline = timeline;
    this.#wallStart = wallStart;
  }

  monotonic(): number {
    return this.#timeline.now;
  }

  wall(): number {
    return Math.floor(this.#wallStart + this.#timeline.now / 1000);
  }

  at(time: number, fn: () => void): Cancel {
    const cancelEvent = this.#timeline.schedule(time, () => {
      this.#timers.delete(cancel);
      this.#fired++;
      fn();
    });
    const cancel = () => {
      if (this.#timers.delete(cancel)) cancelEvent();
    };
    this.#timers.add(cancel);
    return cancel;
  }

  /** How many timers wait: 0 after an instance has closed. */
  get pending(): number {
    return this.#timers.size;
  }

  /** How many timers have fired so far: hardly any in an idle instance. */
  get fired(): number {
    return this.#fired;
  }

  /** Sets the wall clock forward, or back, as a person or NTP would. */
  jumpWall(seconds: number): void {
    this.#wallStart += seconds;
  }

  /** Cancels every timer. */
  clear(): void {
    for (const cancel of [...this.#timers]) cancel();
  }
}
