import type { OpusSampleRate } from "../../env/codec.ts";
import { ToxError } from "../../util/tox_error.ts";
import type { AudioShape, AudioSource } from "./media.ts";

export interface ToneOptions extends Partial<AudioShape> {
  /** Of full scale, 0 to 1; 0.25 when left out. */
  readonly level?: number;
}

/** A tone without an end: 48,000 samples a second on one channel unless said otherwise. Throws `invalid-argument`. */
export function toneSource(hertz: number, options: ToneOptions = {}): AudioSource {
  const { sampleRate = 48_000 as OpusSampleRate, channels = 1, level = 0.25 } = options;
  if (!(hertz > 0 && hertz < sampleRate / 2)) {
    throw new ToxError("invalid-argument", `A tone lies above 0 and below ${sampleRate / 2} Hz.`);
  }
  const step = (2 * Math.PI * hertz) / sampleRate;
  let phase = 0;
  return {
    ...{ sampleRate, channels },
    async read(samples) {
      const pcm = new Int16Array(samples * channels);
      for (let at = 0; at < pcm.length; ) {
        const sample = Math.round(Math.sin(phase) * level * 0x7fff);
        for (let channel = 0; channel < channels; channel++) pcm[at++] = sample;
        phase = (phase + step) % (2 * Math.PI);
      }
      return pcm;
    },
  };
}
