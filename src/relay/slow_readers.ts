import type { RelayConnection } from "./relay_connection.ts";

/** From so many bytes waiting on somebody reads slowly; less than this may wait for everybody. */
const SLOW_BYTES = 16 * 1024;

export interface SlowReaderLimits {
  /** Connections for which much may wait. */
  readonly slowReaders: number;
  /** Of one address. */
  readonly slowReadersPerAddress: number;
}

/**
 * Those for whom much waits. Each may have its queue full, but not all at once: that would be gigabytes. Who has read slowly for
 * longest is cut off when they become too many, in all or of one address.
 */
export class SlowReaders {
  readonly #limits: SlowReaderLimits;
  readonly #end: (connection: RelayConnection) => void;
  readonly #slow = new Set<RelayConnection>(); // the longest first; bounded by slowReaders

  constructor(limits: SlowReaderLimits, end: (connection: RelayConnection) => void) {
    this.#limits = limits;
    this.#end = end;
  }

  /** Something was sent to this one. */
  sentTo(connection: RelayConnection): void {
    if (connection.stream.queued <= SLOW_BYTES || this.#slow.has(connection)) return;
    const { slow } = connection.share;
    this.#slow.add(connection);
    slow.add(connection);
    const isTooMuch = () =>
      this.#slow.size > this.#limits.slowReaders || slow.size > this.#limits.slowReadersPerAddress;
    if (!isTooMuch()) return;
    for (const one of this.#slow) if (one.stream.queued <= SLOW_BYTES) this.delete(one);
    if (!isTooMuch()) return;
    const ofAddress = slow.size > this.#limits.slowReadersPerAddress;
    for (const oldest of ofAddress ? slow : this.#slow) {
      this.delete(oldest);
      this.#end(oldest);
      return;
    }
  }

  delete(connection: RelayConnection): void {
    this.#slow.delete(connection);
    connection.share.slow.delete(connection);
  }
}
