/** What a sender learned from one batch of acknowledgements. */
export interface Delivery {
  readonly now: number;
  /** Packets that are known to have arrived, just now and in all. */
  readonly count: number;
  readonly total: number;
  /** Packets a millisecond, over about a round trip; undefined when it was too short to tell. */
  readonly rate: number | undefined;
  /** Whether the rate is what we had to send rather than what the link can carry. */
  readonly appLimited: boolean;
  /** `total` at the time when the newest of the packets was sent: a round trip is over once that is passed. */
  readonly totalWhenSent: number;
  /** Packets under way before and after. */
  readonly inFlightBefore: number;
  readonly inFlight: number;
}

/**
 * How much may be under way and how fast it goes out. A session tells it what becomes of its lossless packets; everything
 * counts packets, for on this protocol's links nearly all that matter are full.
 */
export interface CongestionControl {
  /** Packets that may be sent and neither acknowledged nor known as lost. */
  readonly window: number;
  /** Packets a millisecond; infinite while nothing is known. */
  readonly pace: number;
  delivered(delivery: Delivery): void;
  /** Nothing has been heard for several round trips. */
  silent(): void;
}
