import type { Clock } from "../env/clock.ts";
import type { FileTransfer } from "../friend/friend.ts";

/** Files of one friend that are remembered; the oldest are forgotten. */
const MAX_REMEMBERED = 64;
/** A sender who has not heard that all came gives the session up after 32 s, and begins a new one. */
const REMEMBERED_MS = 120_000;

interface FinishedFile {
  readonly at: number;
  /** What came. */
  readonly size: number;
  inDoubt: boolean;
}

/**
 * Files that came whole shortly before the session ended. The sender may not know, and offers them again: that is no new
 * offer. What is offered again while the session lives, or long after, is.
 */
export class FinishedFiles {
  readonly #clock: Clock;
  readonly #finished = new Map<string, FinishedFile>(); // MAX_REMEMBERED

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add({ fileId, bytes: size }: FileTransfer): void {
    this.#finished.delete(fileId);
    this.#finished.set(fileId, { at: this.#clock.monotonic(), size, inDoubt: false });
    if (this.#finished.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#finished.keys()) {
      this.#finished.delete(oldest);
      break;
    }
  }

  sessionLost(): void {
    for (const [fileId, file] of this.#finished) {
      if (file.inDoubt) this.#finished.delete(fileId);
      else file.inDoubt = true;
    }
  }

  /** `size`: as it is offered now, if that is said. */
  find(fileId: string, size: number | undefined): FinishedFile | undefined {
    const file = this.#finished.get(fileId);
    if (file === undefined || !file.inDoubt || this.#clock.monotonic() - file.at > REMEMBERED_MS) return undefined;
    return size === undefined || file.size === size ? file : undefined;
  }
}
