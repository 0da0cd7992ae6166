/** The biggest step of the peer's sequence numbers that counts as loss. */
const LARGEST_GAP = 500;
/** Frames back to which one that comes late still counts as received. */
const REMEMBERED = 1024;

/**
 * Counts what came and what did not, in pieces and in bytes, by the numbers of frames and the pieces each has. A frame that does
 * not come at all counts as long as those did on average.
 */
export class LossMeter {
  #received = 0;
  #receivedBytes = 0;
  /** Pieces that should have come, as far as the highest frame goes. */
  #expected = 0;
  #highest: number | undefined;
  /** Pieces of frames that some of came: they are expected already. */
  readonly #known = new Map<number, number>(); // REMEMBERED at most
  #averagePieces = 1;

  /** A piece has come, of a frame that has so many. */
  add(number: number, pieces: number, bytes: number): void {
    this.#received++;
    this.#receivedBytes += bytes;
    if (this.#known.has(number)) return;
    this.#averagePieces += (pieces - this.#averagePieces) / 16;
    const highest = this.#highest;
    if (highest === undefined || Math.abs(number - highest) > LARGEST_GAP) {
      this.#expected += pieces;
      this.#highest = number;
    } else if (number > highest) {
      this.#expected += pieces + (number - highest - 1) * this.#averagePieces;
      this.#highest = number;
    } else {
      this.#expected += pieces - this.#averagePieces; // it was taken for lost
    }
    this.#known.set(number, pieces);
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.keys().next().value as number);
  }

  /** The numbers begin anew, or nothing came for a reason of its own. */
  restart(): void {
    this.#highest = undefined;
    this.#known.clear();
  }

  /** Pieces, whole. */
  get received(): number {
    return this.#received;
  }

  get lost(): number {
    return Math.max(0, Math.round(this.#expected - this.#received));
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** As many as the lost pieces have, if they are like the others. */
  get lostBytes(): number {
    return this.#received === 0 ? 0 : Math.round((this.lost * this.#receivedBytes) / this.#received);
  }
}
