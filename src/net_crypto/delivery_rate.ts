import type { Delivery } from "./congestion.ts";

/** What a packet remembers of the time it was sent, to tell the rate once it has arrived. */
export interface RateMark {
  sentAt: number;
  totalWhenSent: number;
  deliveredAtWhenSent: number;
  firstSentAtWhenSent: number;
  appLimited: boolean;
}

/**
 * How fast packets arrive, from the acknowledgements: what arrived while a packet was under way, over how long that was
 * (draft-cheng-iccrg-delivery-rate-estimation). The longer of the times for sending and for arriving counts, so that
 * neither bursts nor acknowledgements in heaps look like speed.
 */
export class DeliveryRate {
  #total = 0;
  #deliveredAt = 0;
  #firstSentAt = 0;
  #appLimitedUntil = 0;
  #count = 0;
  #newest: RateMark | undefined;

  sent(mark: RateMark, now: number, inFlight: number): void {
    if (inFlight === 0) {
      this.#firstSentAt = now;
      this.#deliveredAt = now;
    }
    mark.sentAt = now;
    mark.totalWhenSent = this.#total;
    mark.deliveredAtWhenSent = this.#deliveredAt;
    mark.firstSentAtWhenSent = this.#firstSentAt;
    mark.appLimited = this.#total < this.#appLimitedUntil;
  }

  /** There was room for more than there is to send. */
  limitedByApp(inFlight: number): void {
    this.#appLimitedUntil = this.#total + inFlight + 1;
  }

  arrived(mark: RateMark): void {
    this.#total++;
    this.#count++;
    const newest = this.#newest;
    if (newest === undefined || mark.sentAt >= newest.sentAt) this.#newest = mark;
  }

  /** Sums up what arrived since the last call, or answers undefined when nothing did. */
  sumUp(now: number, shortest: number, inFlightBefore: number, inFlight: number): Delivery | undefined {
    const newest = this.#newest;
    if (newest === undefined) return undefined;
    const interval = Math.max(newest.sentAt - newest.firstSentAtWhenSent, now - newest.deliveredAtWhenSent);
    const delivery: Delivery = {
      now,
      count: this.#count,
      total: this.#total,
      rate: interval > 0 && interval >= shortest ? (this.#total - newest.totalWhenSent) / interval : undefined,
      appLimited: newest.appLimited,
      totalWhenSent: newest.totalWhenSent,
      inFlightBefore,
      inFlight,
    };
    this.#firstSentAt = newest.sentAt;
    this.#deliveredAt = now;
    this.#count = 0;
    this.#newest = undefined;
    return delivery;
  }
}
