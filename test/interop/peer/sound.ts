import type { HeardSound } from "./protocol.ts";

/** Below this a sample, or the root mean square of many, counts as silence; a tone has `TONE_AMPLITUDE`. */
const SILENCE = 300;
const TONE_AMPLITUDE = 8000;
/** Frequencies that are looked for, Hz. */
const LOWEST = 50;
const HIGHEST = 3500;
/** What is analysed is brought down to about this rate, samples a second. */
const ANALYSED_RATE = 8000;

/** A sine as interleaved samples, the same in each channel, that goes on from frame to frame. */
export class Tone {
  readonly #step: number;
  readonly #channels: number;
  readonly #frame: Int16Array;
  #at = 0;

  constructor(hz: number, sampleRate: number, channels: number, samplesPerFrame: number) {
    this.#step = (2 * Math.PI * hz) / sampleRate;
    this.#channels = channels;
    this.#frame = new Int16Array(samplesPerFrame * channels);
  }

  /** The next frame; valid until the one after it. */
  next(): Int16Array {
    for (let i = 0; i < this.#frame.length; i += this.#channels) {
      this.#frame.fill(Math.round(TONE_AMPLITUDE * Math.sin(this.#step * this.#at++)), i, i + this.#channels);
    }
    return this.#frame;
  }
}

/** What came in of one friend's sound. */
export class Ear {
  #frames = 0;
  #samples = 0;
  #sampleRate = 0;
  #channels = 0;
  #firstAt: number | null = null;
  #firstSoundAt: number | null = null;
  #lastAt = 0;
  #longestGapMs = 0;
  /** Samples of the first channel: a ring of one second. */
  #second = new Int16Array(0);
  #silent = 0;
  #longestSilence = 0;

  /** Interleaved samples; `at` in ms. */
  hear(pcm: Int16Array, channels: number, sampleRate: number, at: number): void {
    if (sampleRate !== this.#sampleRate) this.#second = new Int16Array(sampleRate);
    this.#sampleRate = sampleRate;
    this.#channels = channels;
    this.count(at);
    for (let i = 0; i < pcm.length; i += channels) this.#take(pcm[i] ?? 0, at);
  }

  /** One more frame, whatever is in it. */
  count(at: number): void {
    if (this.#firstAt === null) this.#firstAt = at;
    else this.#longestGapMs = Math.max(this.#longestGapMs, at - this.#lastAt);
    this.#lastAt = at;
    this.#frames++;
  }

  heard(): HeardSound {
    const second = this.#lastSecond();
    const level = Math.round(rms(second));
    return {
      frames: this.#frames,
      samples: this.#samples,
      sampleRate: this.#sampleRate,
      channels: this.#channels,
      level,
      frequency: level < SILENCE ? 0 : dominant(second, this.#sampleRate),
      longestGapMs: this.#longestGapMs,
      longestSilenceMs: this.#sampleRate === 0 ? 0 : (this.#longestSilence * 1000) / this.#sampleRate,
      firstAt: this.#firstAt,
      firstSoundAt: this.#firstSoundAt,
    };
  }

  #take(sample: number, at: number): void {
    this.#second[this.#samples++ % this.#second.length] = sample;
    if (Math.abs(sample) >= SILENCE) {
      this.#firstSoundAt ??= at;
      this.#silent = 0;
    } else if (this.#firstSoundAt !== null) {
      this.#silent++;
      this.#longestSilence = Math.max(this.#longestSilence, this.#silent);
    }
  }

  #lastSecond(): Int16Array {
    const { length } = this.#second;
    if (this.#samples <= length) return this.#second.subarray(0, this.#samples);
    const oldest = this.#samples % length;
    const whole = new Int16Array(length);
    whole.set(this.#second.subarray(oldest));
    whole.set(this.#second.subarray(0, oldest), length - oldest);
    return whole;
  }
}

function rms(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length === 0 ? 0 : Math.sqrt(sum / samples.length);
}

/** The frequency with the most power, Hz: in steps of 10 over pieces of a tenth of a second, then in steps of 1 over all. */
function dominant(samples: Int16Array, sampleRate: number): number {
  const factor = Math.max(1, Math.round(sampleRate / ANALYSED_RATE));
  const rate = sampleRate / factor;
  const slow = decimated(samples, factor);
  const piece = Math.round(rate / 10);
  const pieces = Array.from({ length: Math.floor(slow.length / piece) }, (_, i) =>
    slow.subarray(i * piece, (i + 1) * piece),
  );
  const overPieces = (hz: number) => pieces.reduce((sum, each) => sum + power(each, hz / rate), 0);
  const near = strongest(LOWEST, HIGHEST, 10, overPieces);
  return strongest(near - 10, near + 10, 1, (hz) => power(slow, hz / rate));
}

function strongest(from: number, to: number, step: number, powerAt: (hz: number) => number): number {
  let best = { hz: from, power: 0 };
  for (let hz = from; hz <= to; hz += step) {
    const power = powerAt(hz);
    if (power > best.power) best = { hz, power };
  }
  return best.hz;
}

/** Means of so many samples each. */
function decimated(samples: Int16Array, factor: number): Float64Array {
  const slow = new Float64Array(Math.floor(samples.length / factor));
  for (let i = 0; i < slow.length * factor; i++) {
    const at = Math.floor(i / factor);
    slow[at] = (slow[at] ?? 0) + (samples[i] ?? 0) / factor;
  }
  return slow;
}

/** Goertzel: the power at so many cycles a sample. */
function power(samples: Float64Array, cycles: number): number {
  const coefficient = 2 * Math.cos(2 * Math.PI * cycles);
  let [last, before] = [0, 0];
  for (const sample of samples) [last, before] = [sample + coefficient * last - before, last];
  return last * last + before * before - coefficient * last * before;
}
