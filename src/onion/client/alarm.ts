import type { Cancel, Clock } from "../../env/clock.ts";

/** One timer that is moved rather than piled up. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #time: number | undefined;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Whether it is set. */
  get pending(): boolean {
    return this.#time !== undefined;
  }

  /** Rings once at `time` and no more at an earlier setting; undefined: not at all. */
  set(time: number | undefined): void {
    if (time === this.#time) return;
    this.#cancel?.();
    this.#time = time;
    this.#cancel = undefined;
    if (time === undefined) return;
    this.#cancel = this.#clock.at(time, () => {
      this.#time = undefined;
      this.#cancel = undefined;
      this.#ring();
    });
  }
}
