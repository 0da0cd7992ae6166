import { monotonicMs } from "./protocol.ts";

/** What has fallen behind further than this is left out instead of being made up for, ms. */
const MOST_BEHIND_MS = 500;

/** Calls `tick` every `periodMs` on average, however late the timers are, from one period after now on. */
export class Pace {
  readonly #periodMs: number;
  readonly #tick: () => void;
  #due: number;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(periodMs: number, tick: () => void) {
    this.#periodMs = periodMs;
    this.#tick = tick;
    this.#due = monotonicMs() + periodMs;
    this.#run();
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #run(): void {
    const now = monotonicMs();
    if (now - this.#due > MOST_BEHIND_MS) this.#due = now;
    while (this.#due <= now && !this.#stopped) {
      this.#due += this.#periodMs;
      this.#tick();
    }
    if (!this.#stopped) this.#timer = setTimeout(() => this.#run(), Math.max(1, this.#due - monotonicMs()));
  }
}
