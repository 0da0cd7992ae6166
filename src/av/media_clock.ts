import { ToxError } from "../util/tox_error.ts";

/** An app's timestamps that are further than this from now, in ms, are on another clock than before. */
const FURTHEST = 10_000;

/** Throws `invalid-argument`. */
export function expectTimestamp(timestamp: number | undefined): void {
  if (timestamp === undefined || Number.isFinite(timestamp)) return;
  throw new ToxError("invalid-argument", `Give a timestamp in ms, or none, not ${timestamp}.`);
}

/** Turns the timestamps of an app into those of the wire: ms since the call began, for both tracks alike. */
export class MediaClock {
  readonly #startedAt: number;
  #offset: number | undefined;

  constructor(now: number) {
    this.#startedAt = now;
  }

  /** `timestamp`: the app's, in ms; now when it gives none. Not below `last`. */
  wire(timestamp: number | undefined, now: number, last: number): number {
    const elapsed = now - this.#startedAt;
    let time = elapsed;
    if (timestamp !== undefined) {
      if (this.#offset === undefined || Math.abs(timestamp + this.#offset - elapsed) > FURTHEST) {
        this.#offset = elapsed - timestamp;
      }
      time = timestamp + this.#offset;
    }
    return Math.max(last, Math.round(time), 0);
  }
}
