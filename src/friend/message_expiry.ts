import type { Clock } from "../env/clock.ts";
import { ToxError } from "../util/tox_error.ts";
import type { OutboxEntry } from "./message.ts";

/** The wall clock may be set while we wait: it is looked at this often. */
const LOOK_EVERY_MS = 3_600_000;

export interface ExpiryOptions {
  /** Seconds that the message waits at most. */
  readonly ttl?: number | undefined;
  /** Unix seconds from which on it is not sent any more. */
  readonly expiresAt?: number | undefined;
}

/** When a message expires, in whole Unix seconds; undefined: never. Throws `invalid-argument`. */
export function expiryOf({ ttl, expiresAt }: ExpiryOptions, clock: Clock): number | undefined {
  if (ttl === undefined && expiresAt === undefined) return undefined;
  if (ttl !== undefined && expiresAt !== undefined) {
    throw new ToxError("invalid-argument", "Give `ttl` or `expiresAt`, not both.");
  }
  if (ttl !== undefined && !(ttl > 0)) throw new ToxError("invalid-argument", "Give a `ttl` of more than 0 seconds.");
  const at = Math.ceil(expiresAt ?? clock.wall() + (ttl ?? 0));
  if (Number.isSafeInteger(at) && at >= 0) return at;
  throw new ToxError("invalid-argument", "Give `expiresAt` in seconds since 1970, or a `ttl` in seconds.");
}

/** Watches over messages that are not to be sent after a time. One timer for each; only the app can grow them. */
export class MessageExpiry {
  readonly #clock: Clock;
  readonly #onDue: (entry: OutboxEntry) => void;

  constructor(clock: Clock, onDue: (entry: OutboxEntry) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  isOver(entry: OutboxEntry): boolean {
    return entry.expiresAt !== undefined && this.#clock.wall() >= entry.expiresAt;
  }

  /** Calls back in a later turn, once it is over. Settling the message ends that. */
  watch(entry: OutboxEntry): void {
    entry.cancelExpiry?.();
    if (entry.expiresAt === undefined) return;
    const left = (entry.expiresAt - this.#clock.wall()) * 1000;
    const due = this.#clock.monotonic() + Math.min(Math.max(left, 0), LOOK_EVERY_MS);
    entry.cancelExpiry = this.#clock.at(due, () => {
      if (this.isOver(entry)) this.#onDue(entry);
      else this.watch(entry);
    });
  }
}
