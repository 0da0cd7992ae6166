import { SeededRandom } from "../../../src/testing/index.ts";

/** A seeded source of everything that is left to chance. */
export class Dice extends SeededRandom {
  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)] as T;
  }

  /** A whole number, both ends included. */
  whole(min: number, max: number): number {
    return Math.floor(this.between(min, max + 1));
  }
}
