/** How many samples of the input make one of the output. */
const TAPS = 32;
/** Places between two samples that filters are kept for; more are rounded to these. */
const MAX_PHASES = 1024;

/**
 * Sound at a higher rate, one channel of it: a windowed sinc, 16 samples to either side. The output has the input's pace from the
 * first sample on, and what is before the first and behind the last counts as silence.
 */
export class Resampler {
  readonly #from: number;
  readonly #to: number;
  readonly #phases: number;
  readonly #filters: Float32Array;
  /** Input that is still needed. The first `TAPS / 2 - 1` samples lie before the first that is asked for. */
  #held: Float32Array = new Float32Array(TAPS / 2 - 1);
  /** Where the next output lies behind `#held[TAPS / 2 - 1]`, in units of 1/`to` of an input sample. */
  #position = 0;

  /** Samples a second; `to` is not below `from`. */
  constructor(from: number, to: number) {
    const divisor = greatestCommonDivisor(from, to);
    this.#from = from / divisor;
    this.#to = to / divisor;
    this.#phases = Math.min(this.#to, MAX_PHASES);
    this.#filters = makeFilters(this.#phases);
  }

  /** All output that the input so far is enough for. */
  push(input: Float32Array): Float32Array {
    const held = new Float32Array(this.#held.length + input.length);
    held.set(this.#held);
    held.set(input, this.#held.length);
    const spare = held.length - TAPS;
    const output = new Float32Array(
      Math.max(0, Math.floor(((spare + 1) * this.#to - 1 - this.#position) / this.#from) + 1),
    );
    for (let i = 0; i < output.length; i++) {
      const at = Math.floor(this.#position / this.#to);
      output[i] = this.#at(held, at, this.#position - at * this.#to);
      this.#position += this.#from;
    }
    const passed = Math.min(Math.floor(this.#position / this.#to), held.length);
    this.#position -= passed * this.#to;
    this.#held = held.subarray(passed);
    return output;
  }

  /** What is left when there is no more input. */
  end(): Float32Array {
    return this.push(new Float32Array(TAPS / 2));
  }

  #at(held: Float32Array, start: number, part: number): number {
    const filter = Math.floor((part * this.#phases) / this.#to) * TAPS;
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap++) sum += (held[start + tap] ?? 0) * (this.#filters[filter + tap] ?? 0);
    return sum;
  }
}

/** For each phase the weights of the input's samples, which add up to one. */
function makeFilters(phases: number): Float32Array {
  const filters = new Float32Array(phases * TAPS);
  for (let phase = 0; phase < phases; phase++) {
    const weights = Array.from({ length: TAPS }, (_, tap) => weight(tap - (TAPS / 2 - 1) - phase / phases));
    const sum = weights.reduce((total, value) => total + value, 0);
    filters.set(
      weights.map((value) => value / sum),
      phase * TAPS,
    );
  }
  return filters;
}

/** The sinc under Hann's window, so far from its middle. */
function weight(distance: number): number {
  const x = Math.PI * distance;
  const sinc = distance === 0 ? 1 : Math.sin(x) / x;
  return sinc * (0.5 + 0.5 * Math.cos(x / (TAPS / 2)));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
