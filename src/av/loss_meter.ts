/** The biggest step of the peer's sequence numbers that counts as loss. */
const LARGEST_GAP = 500;
/** Frames back to which one that comes late still counts as received. */
const REMEMBERED = 1024;

/**
 * Counts what came and what did not, in pieces and in bytes, by the numbers of frames and the pieces each has. A frame that does
 * not come at all counts as long as those did on average. What comes twice counts once, and of the newest frame nothing is lost:
 * the rest of it is on its way.
 */
export class LossMeter {
  #received = 0;
  #receivedBytes = 0;
  /** Pieces that should have come, as far as the highest frame goes. */
  #expected = 0;
  /** Of those received, what was lost behind here. */
  #lostBehind = 0;
  #receivedAtLastLoss = 0;
  #highest: number | undefined;
  /** Pieces that have not come of frames that some of came: they are expected already. */
  readonly #missing = new Map<number, number>(); // REMEMBERED at most
  #averagePieces = 1;

  /** A piece has come, of a frame that has so many. */
  add(number: number, pieces: number, bytes: number): void {
    const missing = this.#missing.get(number) ?? this.#begin(number, pieces);
    if (missing === 0) return; // it came twice
    this.#missing.set(number, missing - 1);
    this.#received++;
    this.#receivedBytes += bytes;
  }

  /** The numbers begin anew, or nothing came for a reason of its own. */
  restart(): void {
    this.#expected -= this.#onTheWay;
    this.#highest = undefined;
    this.#missing.clear();
  }

  /** Of what came since the last time, such a share (0 to 1) was lost on its further way. */
  loseBehind(share: number): void {
    this.#lostBehind += Math.round((this.#received - this.#receivedAtLastLoss) * share);
    this.#receivedAtLastLoss = this.#received;
  }

  /** Pieces, whole. */
  get received(): number {
    return this.#received - this.#lostBehind;
  }

  get lost(): number {
    return Math.max(0, Math.round(this.#expected - this.#received - this.#onTheWay)) + this.#lostBehind;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** As many as the lost pieces have, if they are like the others. */
  get lostBytes(): number {
    return this.#received === 0 ? 0 : Math.round((this.lost * this.#receivedBytes) / this.#received);
  }

  get #onTheWay(): number {
    return this.#highest === undefined ? 0 : (this.#missing.get(this.#highest) ?? 0);
  }

  #begin(number: number, pieces: number): number {
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
    this.#missing.set(number, pieces);
    if (this.#missing.size > REMEMBERED) this.#missing.delete(this.#missing.keys().next().value as number);
    return pieces;
  }
}
