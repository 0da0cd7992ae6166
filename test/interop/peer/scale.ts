/** Notes in turn, so that who hears them knows which frames came. In Hz; far enough apart for 10 ms of them. */
const NOTES = [400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000, 2200, 2400, 2600];
export const NOTE_COUNT = NOTES.length;
const AMPLITUDE = 8000;
/** What a note must have of the power in what is looked at: less is a mixture, or silence. */
const CLEAR = 0.3;
/** Root mean square below which it is silence. */
const SILENCE = 300;
const LOOKED_AT_MS = 10;

/** Frames of sound, each with a note of its own. */
export class Scale {
  readonly #sampleRate: number;
  readonly #frame: Int16Array;
  #at = 0;
  #note = 0;

  constructor(sampleRate: number, samplesPerFrame: number) {
    this.#sampleRate = sampleRate;
    this.#frame = new Int16Array(samplesPerFrame);
  }

  /** The next frame; valid until the one after it. */
  next(): Int16Array {
    const step = (2 * Math.PI * (NOTES[this.#note++ % NOTE_COUNT] ?? 0)) / this.#sampleRate;
    for (let i = 0; i < this.#frame.length; i++) this.#frame[i] = Math.round(AMPLITUDE * Math.sin(step * this.#at++));
    return this.#frame;
  }
}

export interface HeardNote {
  /** Below `NOTE_COUNT`. */
  readonly note: number;
  /** In ms. */
  readonly at: number;
}

/** Kept: five minutes. */
const MOST_NOTES = 15_000;

/**
 * Tells the notes of a scale apart. A frame that is concealed goes on with the note before it, or with none: so as many
 * frames of what was sent have come as there were changes.
 */
export class ScaleEar {
  readonly notes: HeardNote[] = []; // MOST_NOTES at most
  #last: number | undefined;

  /** One frame, of one channel; `at` in ms. Looks at its end: a codec's delay puts the frame before at its beginning. */
  hear(pcm: Int16Array, sampleRate: number, at: number): void {
    const note = noteOf(pcm.subarray(-Math.round((sampleRate * LOOKED_AT_MS) / 1000)), sampleRate);
    if (note === undefined || note === this.#last) return;
    this.#last = note;
    if (this.notes.length < MOST_NOTES) this.notes.push({ note, at });
  }
}

function noteOf(pcm: Int16Array, sampleRate: number): number | undefined {
  let energy = 0;
  for (const sample of pcm) energy += sample * sample;
  if (Math.sqrt(energy / pcm.length) < SILENCE) return undefined;
  const shares = NOTES.map((hertz) => power(pcm, hertz / sampleRate) / (energy * pcm.length * 0.5));
  const best = shares.indexOf(Math.max(...shares));
  return (shares[best] ?? 0) > CLEAR ? best : undefined;
}

/** Goertzel: the power at so many cycles a sample. */
function power(samples: Int16Array, cycles: number): number {
  const coefficient = 2 * Math.cos(2 * Math.PI * cycles);
  let [last, before] = [0, 0];
  for (const sample of samples) [last, before] = [sample + coefficient * last - before, last];
  return last * last + before * before - coefficient * last * before;
}
