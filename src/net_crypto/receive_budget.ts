/** What all sessions of an instance may hold of packets that wait for earlier ones. */
const LIMIT = 64 * 2 ** 20;
/** What each session may always hold. */
const LEAST = 2 ** 20;
/** What a packet takes beside its bytes, about. */
const OVERHEAD = 128;

/**
 * Shares memory among the sessions' receive windows: toxcore's bound of 32768 packets alone is 45 MB for each friend who
 * leaves a gap. A session may hold as much as is still free, so that one alone gets half of all, and a crowd of hoarders
 * leaves the next session as much as each of them has.
 */
export class ReceiveBudget {
  #used = 0;

  get used(): number {
    return this.#used;
  }

  /** What a packet of that many bytes counts for. */
  cost(size: number): number {
    return size + OVERHEAD;
  }

  /** Whether a session that holds `held` may hold so much more; then it is taken. */
  take(held: number, cost: number): boolean {
    if (held + cost > Math.max(LEAST, LIMIT - this.#used)) return false;
    this.#used += cost;
    return true;
  }

  give(cost: number): void {
    this.#used -= cost;
  }
}
