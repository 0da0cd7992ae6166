import type { SeenPicture } from "./protocol.ts";
import { numberOf } from "./rich_picture.ts";

/** The picture's brightness goes from the one to the other and back, in steps a frame. */
const DARKEST = 60;
const BRIGHTEST = 180;
const STEP = 4;
const NEUTRAL = 128;
/** Of the pixels that are looked at, one in so many of each row and of each column. */
const GRID = 4;
/** Above this mean difference of a pixel from one picture to the next, something moves in it. */
const STILL = 1;

/**
 * Pictures of one brightness with a bar in them that walks to the right. In the bar, a twelfth of the width, pixels are 40
 * brighter, so that the mean lies about 3 above the brightness, which walks from 60 to 180 and back in steps of 4.
 */
export class MovingPicture {
  readonly width: number;
  readonly height: number;
  readonly y: Uint8Array;
  readonly u: Uint8Array;
  readonly v: Uint8Array;
  #count = 0;

  /** Even sizes. */
  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.y = new Uint8Array(width * height);
    this.u = new Uint8Array((width / 2) * (height / 2)).fill(NEUTRAL);
    this.v = new Uint8Array((width / 2) * (height / 2)).fill(NEUTRAL);
  }

  /** Draws the next picture into the planes. */
  draw(): void {
    const steps = (BRIGHTEST - DARKEST) / STEP;
    const phase = this.#count % (2 * steps);
    const brightness = DARKEST + STEP * (phase < steps ? phase : 2 * steps - phase);
    const bar = Math.ceil(this.width / 12);
    const left = (this.#count * 4) % (this.width - bar);
    this.y.fill(brightness);
    for (let row = 0; row < this.height; row++) {
      this.y.fill(brightness + 40, row * this.width + left, row * this.width + left + bar);
    }
    this.#count++;
  }
}

/** What came in of one friend's pictures. */
export class Eye {
  #frames = 0;
  readonly #numbers = new Set<number>(); // of 12 bits
  #width = 0;
  #height = 0;
  #luma = 0;
  #darkest = 255;
  #brightest = 0;
  #moving = false;
  #firstAt: number | null = null;
  #lastAt = 0;
  #longestGapMs = 0;
  #grid = new Uint8Array(0);

  /** The brightness of each pixel; rows are `stride` bytes apart. `at` in ms. */
  see(y: Uint8Array, width: number, height: number, stride: number, at: number): void {
    const columns = Math.ceil(width / GRID);
    const rows = Math.ceil(height / GRID);
    const known = width === this.#width && height === this.#height;
    if (!known) this.#grid = new Uint8Array(columns * rows);
    this.#width = width;
    this.#height = height;
    let [sum, difference] = [0, 0];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const value = y[row * GRID * stride + column * GRID] ?? 0;
        sum += value;
        difference += Math.abs(value - (this.#grid[row * columns + column] ?? 0));
        this.#grid[row * columns + column] = value;
      }
    }
    this.#luma = sum / this.#grid.length;
    this.#darkest = Math.min(this.#darkest, this.#luma);
    this.#brightest = Math.max(this.#brightest, this.#luma);
    this.#moving = known && difference / this.#grid.length > STILL;
    this.count(at);
    const number = numberOf(y, width, height, stride);
    if (number !== undefined) this.#numbers.add(number);
  }

  /** One more picture, whatever is in it. */
  count(at: number): void {
    if (this.#firstAt === null) this.#firstAt = at;
    else this.#longestGapMs = Math.max(this.#longestGapMs, at - this.#lastAt);
    this.#lastAt = at;
    this.#frames++;
  }

  seen(): SeenPicture {
    return {
      frames: this.#frames,
      numbers: this.#numbers.size,
      width: this.#width,
      height: this.#height,
      luma: this.#luma,
      darkest: this.#frames === 0 ? 0 : this.#darkest,
      brightest: this.#brightest,
      moving: this.#moving,
      longestGapMs: this.#longestGapMs,
      firstAt: this.#firstAt,
    };
  }
}
