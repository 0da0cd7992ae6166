import type { CongestionControl, Delivery } from "./congestion.ts";
import type { RoundTrip } from "./round_trip.ts";
import { WindowedMax } from "./windowed_max.ts";

const FIRST_WINDOW = 32;
/** toxcore never goes below 4 packets a second; this is above it on any link that answers within 2 s. */
const SMALLEST_WINDOW = 8;
const LARGEST_WINDOW = 16384;
/** While it starts: doubles each round trip, with some margin. */
const STARTUP_GAIN = 2.89;
/** The pipe is full when the rate has not grown by a quarter in three rounds. */
const FULL_GROWTH = 1.25;
const FULL_ROUNDS = 3;
/** Faster to find more bandwidth, slower to let the queue run empty that this made, and then steadily. */
const PACE_GAINS = [1.25, 0.75, 1, 1, 1, 1, 1, 1];
const WINDOW_GAIN = 2;
const BANDWIDTH_ROUNDS = 10;
const AGGREGATION_ROUNDS = 10;
/** toxcore acknowledges every 50 ms under load. */
const LONGEST_HEAP = 100;
/** Shorter round trips are smaller than what timers and event loops do at once. */
const SHORTEST_ROUND_TRIP = 3;

type Phase = "startup" | "drain" | "steady";

/**
 * Paces packets at the rate at which they are seen to arrive, and keeps twice as many under way as that rate and the
 * shortest round trip need, after BBR (draft-cardwell-iccrg-bbr-congestion-control-00). A lost packet says nothing to it, so
 * that links that lose some at random are filled like others; a queue that overflows shows in the rate.
 */
export class BandwidthCongestion implements CongestionControl {
  readonly #roundTrip: RoundTrip;
  readonly #bandwidth = new WindowedMax(BANDWIDTH_ROUNDS);
  /** Packets by which acknowledgements in heaps run ahead of the rate: the window must not starve between two heaps. */
  readonly #aggregation = new WindowedMax(AGGREGATION_ROUNDS);
  #phase: Phase = "startup";
  #window = FIRST_WINDOW;
  #round = 0;
  #roundEnds = 0;
  #fullBandwidth = 0;
  #roundsWithoutGrowth = 0;
  #gainIndex = 0;
  #gainSince = 0;
  #heapSince = 0;
  #heapCount = 0;

  constructor(roundTrip: RoundTrip) {
    this.#roundTrip = roundTrip;
  }

  get window(): number {
    return this.#window;
  }

  get pace(): number {
    const bandwidth = this.#bandwidth.value;
    if (bandwidth === 0) return Number.POSITIVE_INFINITY;
    return Math.max(this.#paceGain * bandwidth, SMALLEST_WINDOW / 1000);
  }

  delivered(delivery: Delivery): void {
    const newRound = delivery.totalWhenSent >= this.#roundEnds;
    if (newRound) {
      this.#roundEnds = delivery.total;
      this.#round++;
    }
    const { rate } = delivery;
    if (rate !== undefined && (!delivery.appLimited || rate >= this.#bandwidth.value)) {
      this.#bandwidth.add(rate, this.#round);
    }
    this.#noteHeap(delivery);
    if (this.#phase === "startup" && newRound && !delivery.appLimited) this.#checkFull();
    if (this.#phase === "drain" && delivery.inFlight <= this.#pipe) this.#becomeSteady(delivery.now);
    if (this.#phase === "steady") this.#cycle(delivery);
    this.#grow(delivery);
  }

  silent(): void {
    this.#window = SMALLEST_WINDOW;
  }

  /** What is under way at this rate when no queue builds up. */
  get #pipe(): number {
    return this.#bandwidth.value * Math.max(this.#roundTrip.usual, SHORTEST_ROUND_TRIP);
  }

  get #paceGain(): number {
    if (this.#phase === "startup") return STARTUP_GAIN;
    if (this.#phase === "drain") return 1 / STARTUP_GAIN;
    return PACE_GAINS[this.#gainIndex] ?? 1;
  }

  #checkFull(): void {
    if (this.#bandwidth.value >= this.#fullBandwidth * FULL_GROWTH) {
      this.#fullBandwidth = this.#bandwidth.value;
      this.#roundsWithoutGrowth = 0;
    } else if (++this.#roundsWithoutGrowth >= FULL_ROUNDS) {
      this.#phase = "drain";
    }
  }

  #becomeSteady(now: number): void {
    this.#phase = "steady";
    this.#gainIndex = 2;
    this.#gainSince = now;
  }

  #cycle({ now, inFlight }: Delivery): void {
    const gain = PACE_GAINS[this.#gainIndex] ?? 1;
    const elapsed = now - this.#gainSince >= Math.max(this.#roundTrip.minimum, SHORTEST_ROUND_TRIP);
    const drained = gain < 1 && inFlight <= this.#pipe;
    if (!elapsed && !drained) return;
    this.#gainIndex = (this.#gainIndex + 1) % PACE_GAINS.length;
    this.#gainSince = now;
  }

  #noteHeap({ now, count }: Delivery): void {
    let expected = this.#bandwidth.value * (now - this.#heapSince);
    if (this.#heapCount <= expected) {
      this.#heapSince = now;
      this.#heapCount = 0;
      expected = 0;
    }
    this.#heapCount += count;
    const most = Math.min(this.#window, this.#bandwidth.value * LONGEST_HEAP);
    this.#aggregation.add(Math.min(this.#heapCount - expected, most), this.#round);
  }

  #grow({ count, total, inFlightBefore }: Delivery): void {
    const gain = this.#phase === "startup" ? STARTUP_GAIN : WINDOW_GAIN;
    const target = gain * this.#pipe + this.#aggregation.value;
    const held = inFlightBefore * 2 >= this.#window; // else more window would be for nothing
    if (this.#phase !== "startup") this.#window = Math.min(this.#window + count, target);
    else if (held && (this.#window < target || total < FIRST_WINDOW)) this.#window += count;
    this.#window = Math.min(Math.max(this.#window, SMALLEST_WINDOW), LARGEST_WINDOW);
  }
}
