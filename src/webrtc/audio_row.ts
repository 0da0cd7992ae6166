import type { NumberedFrame } from "./page_media.ts";

/** In 1/48,000 s: RTP counts Opus so, whatever it was recorded with. */
const PER_MS = 48;
/** Further apart than by what they are long, in ms: the friend was silent in between. */
const SILENCE = 60;
/**
 * A bigger step of his numbers is a new beginning. Between one that is so late and the next, there are less than 100: further, werift's SRTP
 * does not see that its numbers of 16 bits went round, and the page can decrypt nothing any more.
 */
const LARGEST_STEP = 48;
/** Those that are late have their place before the first without going round. */
export const FIRST_SEQUENCE = 100;

export interface RowPlace {
  /** 16 bits. */
  readonly sequence: number;
  /** 32 bits. */
  readonly timestamp: number;
}

/**
 * Where each frame stands in a stream of RTP. Frames that follow each other do so without a gap there, whatever the friend's clock says: a
 * browser would conceal a gap of a single sample. How his clock goes is told by the reports.
 */
export class AudioRow {
  #last: (RowPlace & { readonly number: number; readonly time: number }) | undefined;
  readonly #first: RowPlace;

  constructor(first: RowPlace) {
    this.#first = first;
  }

  placeOf({ number, timestamp: time, duration }: NumberedFrame): RowPlace {
    const last = this.#last;
    if (last === undefined) return this.#note(number, time, this.#first);
    const step = number - last.number;
    if (Math.abs(step) > LARGEST_STEP) {
      const pause = Math.max(duration, Math.min(1_000, time - last.time));
      return this.#note(number, time, place(last.sequence + 1, last.timestamp + pause * PER_MS));
    }
    const off = time - last.time - step * duration;
    const samples = step * duration * PER_MS + (Math.abs(off) > SILENCE ? Math.round(off * PER_MS) : 0);
    const found = place(last.sequence + step, last.timestamp + samples);
    return step > 0 ? this.#note(number, time, found) : found;
  }

  #note(number: number, time: number, found: RowPlace): RowPlace {
    this.#last = { ...found, number, time };
    return found;
  }
}

function place(sequence: number, timestamp: number): RowPlace {
  return { sequence: sequence & 0xffff, timestamp: Math.round(timestamp) >>> 0 };
}
