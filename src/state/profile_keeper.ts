import type { Cancel, Clock } from "../env/clock.ts";
import type { Logger } from "../env/logger.ts";
import type { Store } from "../env/store.ts";
import { PROFILE_RECORD } from "./profile.ts";

/** What our person does is written so many ms later, together with what he does meanwhile. */
const SOON_MS = 200;
/** What friends tell of themselves, and which nodes there are, is not worth a write each. */
const LATER_MS = 60_000;
/** Which nodes there are changes all the time, and nobody says so. */
const WATCH_MS = 600_000;
/** The first time is sooner: who is killed after a minute shall find the network again by himself. */
const FIRST_WATCH_MS = 10_000;
/** After a failure it is tried again, with pauses that double. */
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 300_000;

export interface ProfileKeeperOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The profile as it is now. */
  readonly snapshot: () => Uint8Array;
  /** Whether the nodes in it are being replaced by others: asked now and then. */
  readonly isDrifting: () => boolean;
}

/** Writes the profile whenever it has changed. What cannot be written is kept in memory, and tried again. */
export class ProfileKeeper {
  readonly #options: ProfileKeeperOptions;
  #dirty = false;
  #dueAt = Number.POSITIVE_INFINITY;
  #timer: Cancel | undefined;
  #watch: Cancel | undefined;
  #failures = 0;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(options: ProfileKeeperOptions) {
    this.#options = options;
    this.#watchOn(FIRST_WATCH_MS);
  }

  /** Our person has changed something. */
  changed(): void {
    this.#writeWithin(SOON_MS);
  }

  /** Something has changed by itself. */
  drifted(): void {
    this.#writeWithin(LATER_MS);
  }

  /** Writes what has changed, now. Rejects with what the store says; it is tried again all the same. */
  async save(): Promise<void> {
    while (this.#writing) await this.#writing.catch(() => {});
    if (this.#dirty) await this.#write();
  }

  /** Writes for the last time. Rejects as `save` does. */
  async close(): Promise<void> {
    if (this.#options.isDrifting()) this.#dirty = true;
    this.abandon();
    await this.save();
  }

  /** Writes no more. */
  abandon(): void {
    this.#closed = true;
    this.#watch?.();
    this.#disarm();
  }

  #watchOn(ms: number): void {
    const { clock, isDrifting } = this.#options;
    this.#watch = clock.at(clock.monotonic() + ms, () => {
      if (isDrifting()) this.changed();
      this.#watchOn(WATCH_MS);
    });
  }

  #writeWithin(ms: number): void {
    this.#dirty = true;
    if (this.#failures === 0) this.#arm(ms);
  }

  #arm(ms: number): void {
    const { clock } = this.#options;
    const dueAt = clock.monotonic() + ms;
    if (this.#closed || dueAt >= this.#dueAt) return;
    this.#disarm();
    this.#dueAt = dueAt;
    this.#timer = clock.at(dueAt, () => {
      this.#disarm();
      this.save().catch(() => {}); // logged already
    });
  }

  #disarm(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#dueAt = Number.POSITIVE_INFINITY;
  }

  #write(): Promise<void> {
    const { store, logger, snapshot } = this.#options;
    this.#disarm();
    this.#dirty = false;
    const writing = store.write(PROFILE_RECORD, snapshot()).then(
      () => {
        this.#failures = 0;
        if (this.#dirty) this.#arm(SOON_MS);
      },
      (error: unknown) => {
        this.#dirty = true;
        const pause = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures++);
        logger.error("the profile could not be written", { reason: String(error), again: `in ${pause / 1000} s` });
        this.#arm(pause);
        throw error;
      },
    );
    this.#writing = writing.finally(() => {
      this.#writing = undefined;
    });
    this.#writing.catch(() => {}); // whoever waits hears of it
    return this.#writing;
  }
}
