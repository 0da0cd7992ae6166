import { TokenBucket } from "../util/token_bucket.ts";
import { MAX_MISSING_PIECES, type MissingPiece } from "../wire/av/call_feedback.ts";
import { MAX_PIECE_SIZE } from "../wire/av/rtp.ts";

/** Frames back from the newest that repairs are asked for. */
const REPAIRED_FRAMES = 16;
/** A frame is asked for so many times … */
const TIMES_ASKED = 3;
/** … and no sooner again than this, in ms. */
const ASK_AGAIN_AT_LEAST = 30;
/** Requests at once, and how often in the long run, in ms: frames that are never finished would have us ask with each packet. */
const REQUESTS = 20;
const REQUEST_MS = 10;

/** What has come of frames. */
export interface FramesSoFar {
  /** Whether the frame is whole. */
  has(number: number): boolean;
  /** Offsets of its pieces that have not come; undefined: none has. */
  missing(number: number): readonly number[] | undefined;
}

/** Which pieces of pictures are asked for again, and when. */
export class RepairRequests {
  readonly #asked = new Map<number, { at: number; times: number }>(); // by frame, REPAIRED_FRAMES at most
  readonly #requests = new TokenBucket(REQUESTS, REQUEST_MS);

  /** What to ask for now, of the frames from `next` on and before `newest`. */
  take(next: number, newest: number, frames: FramesSoFar, now: number, roundTripMs = 0): MissingPiece[] {
    const from = Math.max(next, newest - REPAIRED_FRAMES);
    const due = this.#due(from, newest, frames, now, Math.max(ASK_AGAIN_AT_LEAST, 1.2 * roundTripMs));
    if (due.length === 0 || !this.#requests.take(now)) return [];
    for (const known of this.#asked.keys()) if (known < from) this.#asked.delete(known);
    const missing: MissingPiece[] = [];
    for (const number of due) {
      if (missing.length >= MAX_MISSING_PIECES) break;
      const sequence = number & 0xffff;
      const offsets = frames.missing(number);
      if (offsets === undefined) missing.push({ sequence, piece: undefined });
      else for (const offset of offsets) missing.push({ sequence, piece: offset / MAX_PIECE_SIZE });
      this.#asked.set(number, { at: now, times: (this.#asked.get(number)?.times ?? 0) + 1 });
    }
    return missing.slice(0, MAX_MISSING_PIECES);
  }

  clear(): void {
    this.#asked.clear();
  }

  #due(from: number, newest: number, frames: FramesSoFar, now: number, pause: number): number[] {
    const due: number[] = [];
    for (let number = from; number < newest; number++) {
      if (frames.has(number)) continue;
      const asked = this.#asked.get(number);
      if (asked === undefined || (asked.times < TIMES_ASKED && now - asked.at >= pause)) due.push(number);
    }
    return due;
  }
}
