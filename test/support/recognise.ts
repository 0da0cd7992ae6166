/** Finds again in sound and pictures what a test has put into them, after codecs and networks have been at it. */
import type { Picture } from "../../src/env/codec.ts";

/** One channel of interleaved samples. */
export function channelOf(pcm: Int16Array, channel: number, channels: number): Int16Array {
  return Int16Array.from({ length: Math.floor(pcm.length / channels) }, (_, i) => pcm[i * channels + channel] ?? 0);
}

/** The strongest frequency of one channel, in Hz, to a few; 0 for silence. Looks at the middle of what is longer than a third of a second. */
export function dominantFrequency(pcm: Int16Array, sampleRate: number): number {
  const power = spectrum(pcm);
  let best = 0;
  for (let bin = 1; bin < power.length; bin++) if ((power[bin] ?? 0) > (power[best] ?? 0)) best = bin;
  if (best === 0) return 0;
  // the top of the parabola through the logarithms of the three highest
  const [left = 0, middle = 0, right = 0] = [-1, 0, 1].map((step) => Math.log((power[best + step] ?? 0) + 1e-9));
  const offset = (left - right) / (2 * (left - 2 * middle + right)) || 0;
  return ((best + offset) * sampleRate) / (2 * power.length);
}

/** How much of one channel's power lies within 20 Hz of a tone, and how much does not, in dB. */
export function toneToNoise(pcm: Int16Array, sampleRate: number, hertz: number): number {
  const power = spectrum(pcm);
  const width = sampleRate / (2 * power.length);
  let [tone, noise] = [0, 1e-9];
  power.forEach((value, bin) => {
    if (Math.abs(bin * width - hertz) <= Math.max(20, 3 * width)) tone += value;
    else if (bin > 0) noise += value;
  });
  return 10 * Math.log10(tone / noise);
}

/** The longest stretch of one channel that stays below a level (of 32767), in ms. */
export function longestGap(pcm: Int16Array, sampleRate: number, level = 500): number {
  let [longest, current] = [0, 0];
  for (const sample of pcm) {
    current = Math.abs(sample) < level ? current + 1 : 0;
    longest = Math.max(longest, current);
  }
  return (longest * 1000) / sampleRate;
}

export function meanLuma({ y }: Picture): number {
  return y.reduce((sum, value) => sum + value, 0) / y.length;
}

/** Where the bar of `testPicture` has its middle, as a share of the width: 0 to 1. */
export function barPosition({ width, height, y }: Picture): number {
  const columns = new Float64Array(width);
  y.forEach((value, at) => {
    columns[at % width] = (columns[at % width] ?? 0) + value;
  });
  // it may hang over the edge: its middle is a direction on a circle
  const ground = columns.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY) + 20 * height;
  let [sine, cosine] = [0, 0];
  columns.forEach((value, column) => {
    const angle = (2 * Math.PI * (column + 0.5)) / width;
    sine += Math.max(0, value - ground) * Math.sin(angle);
    cosine += Math.max(0, value - ground) * Math.cos(angle);
  });
  return (Math.atan2(sine, cosine) / (2 * Math.PI) + 1) % 1;
}

/** How far the bar has moved to the right between two pictures, as a share of the width: -0.5 to 0.5. */
export function movement(before: Picture, after: Picture): number {
  const way = barPosition(after) - barPosition(before);
  return way - Math.round(way);
}

/** The power in each of equal bands from 0 to half of the sample rate, under Hann's window. */
function spectrum(pcm: Int16Array): Float64Array {
  const size = Math.min(1 << 14, 2 ** Math.floor(Math.log2(pcm.length)));
  if (pcm.length < 64) throw new Error("That is too short to hear anything in it.");
  const start = Math.floor((pcm.length - size) / 2);
  const real = Float64Array.from(
    { length: size },
    (_, i) => (pcm[start + i] ?? 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size)),
  );
  const imaginary = new Float64Array(size);
  transform(real, imaginary);
  return Float64Array.from({ length: size / 2 }, (_, i) => (real[i] ?? 0) ** 2 + (imaginary[i] ?? 0) ** 2);
}

/** Fourier's transform in place, of a power of two. */
function transform(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length;
  if (size === 1) return;
  const half = size / 2;
  const part = (from: Float64Array, odd: number) =>
    Float64Array.from({ length: half }, (_, i) => from[2 * i + odd] ?? 0);
  const [evenReal, evenImaginary, oddReal, oddImaginary] = [
    part(real, 0),
    part(imaginary, 0),
    part(real, 1),
    part(imaginary, 1),
  ];
  transform(evenReal, evenImaginary);
  transform(oddReal, oddImaginary);
  for (let i = 0; i < half; i++) {
    const [cosine, sine] = [Math.cos((-2 * Math.PI * i) / size), Math.sin((-2 * Math.PI * i) / size)];
    const [a, b] = [oddReal[i] ?? 0, oddImaginary[i] ?? 0];
    const [turnedReal, turnedImaginary] = [a * cosine - b * sine, a * sine + b * cosine];
    real[i] = (evenReal[i] ?? 0) + turnedReal;
    imaginary[i] = (evenImaginary[i] ?? 0) + turnedImaginary;
    real[i + half] = (evenReal[i] ?? 0) - turnedReal;
    imaginary[i + half] = (evenImaginary[i] ?? 0) - turnedImaginary;
  }
}
