/** Cells of the strip on top, each a bit of the picture's number. */
const BITS = 12;
const STRIP_SHARE = 12;
const DARK = 48;
const BRIGHT = 208;
/** Of the noise below, around grey; in squares of so many pixels. */
const NOISE = 36;
const SQUARE = 4;
const NEUTRAL = 128;

/** Pictures in which nearly everything is new each time, so that an encoder takes all the bits it is given. They bear numbers. */
export class RichPicture {
  readonly width: number;
  readonly height: number;
  readonly y: Uint8Array;
  readonly u: Uint8Array;
  readonly v: Uint8Array;
  readonly #noise: Uint8Array;
  #count = 0;

  /** Even sizes. */
  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.y = new Uint8Array(width * height);
    this.u = new Uint8Array((width / 2) * (height / 2)).fill(NEUTRAL);
    this.v = new Uint8Array((width / 2) * (height / 2)).fill(NEUTRAL);
    this.#noise = noise(width, 2 * height);
  }

  /** Draws the next picture into the planes. */
  draw(): void {
    const { width, height, y } = this;
    const strip = stripHeight(height);
    const number = this.#count++;
    for (let x = 0; x < width; x++) {
      const bit = Math.floor((x * BITS) / width);
      y[x] = (number >> bit) & 1 ? BRIGHT : DARK;
    }
    for (let row = 1; row < strip; row++) y.copyWithin(row * width, 0, width);
    const start = Math.floor(Math.random() * width * height);
    y.set(this.#noise.subarray(start, start + (height - strip) * width), strip * width);
  }
}

/** The number of a picture, below 4,096; undefined where it cannot be read. Rows are `stride` bytes apart. */
export function numberOf(y: Uint8Array, width: number, height: number, stride: number): number | undefined {
  const row = Math.floor(stripHeight(height) / 2) * stride;
  let number = 0;
  for (let bit = 0; bit < BITS; bit++) {
    const value = y[row + Math.floor(((bit + 0.5) * width) / BITS)] ?? 0;
    if (Math.abs(value - NEUTRAL) < 30) return undefined;
    if (value > NEUTRAL) number |= 1 << bit;
  }
  return number;
}

function stripHeight(height: number): number {
  return Math.floor(height / STRIP_SHARE);
}

function noise(width: number, height: number): Uint8Array {
  const plane = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    if (row % SQUARE > 0) {
      plane.copyWithin(row * width, (row - 1) * width, row * width);
      continue;
    }
    for (let x = 0; x < width; x += SQUARE) {
      plane.fill(NEUTRAL + (2 * Math.random() - 1) * NOISE, row * width + x, row * width + x + SQUARE);
    }
  }
  return plane;
}
