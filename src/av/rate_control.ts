/** Loss up to which the rate may rise, and from which on it falls. */
const FEW = 0.02;
const MANY = 0.1;
/** Loss from which on the way is taken for full, whatever waits. */
const VERY_MANY = 0.25;
/** How much longer than at best packets may be under way, in ms, before the rate falls. */
const LONG_QUEUE = 120;
const SHORT_QUEUE = 40;
/** … and by which part. */
const LONG_QUEUE_FALL = 0.15;
/** The rate rises by so much in a second in which all was well. */
const RISE = 0.08;
/** … and by this part of the most at least. */
const RISE_AT_LEAST = 0.025;
/** After a fall it does not rise for so long, in ms. */
const REST = 4_000;
/** A fall is not followed by another sooner than this, in ms: its effect is not seen before. */
const FALL_INTERVAL = 900;
/** toxcore says nothing when all is well: no word for so long, in ms, means that it is. */
const NO_NEWS = 2_000;

/** What the receiver says of the way. */
export interface WayReport {
  /** Of what was sent, 0 to 1. */
  readonly loss: number;
  /** How much longer than at best packets are under way, in ms; undefined: not known. */
  readonly queueing?: number | undefined;
}

/** Whether less has to be sent. */
export function isNarrow({ loss, queueing }: WayReport): boolean {
  return loss >= MANY || (queueing !== undefined && queueing > LONG_QUEUE);
}

/** Finds how much may be sent, between a least and a most: less when much is lost or waits in queues, and more again when it does not. */
export class RateControl {
  readonly #least: number;
  readonly #leastForLoss: number;
  #most: number;
  #rate: number;
  #fallenAt = Number.NEGATIVE_INFINITY;
  #reportedAt: number;
  #risenAt: number;

  /** `leastForLoss`: loss below a quarter alone, while nothing waits in queues, takes the rate no lower. */
  constructor(least: number, most: number, now: number, leastForLoss = least) {
    this.#least = least;
    this.#leastForLoss = leastForLoss;
    this.#most = most;
    this.#rate = most;
    this.#reportedAt = now;
    this.#risenAt = now;
  }

  /** In bit/s. */
  get rate(): number {
    return this.#rate;
  }

  get isLeast(): boolean {
    return this.#rate <= Math.min(this.#least, this.#most);
  }

  get isMost(): boolean {
    return this.#rate >= this.#most;
  }

  get most(): number {
    return this.#most;
  }

  set most(most: number) {
    const wasMost = this.isMost;
    this.#most = most;
    this.#rate = wasMost ? most : Math.min(this.#rate, most);
  }

  report(report: WayReport, now: number): void {
    const { loss, queueing = 0 } = report;
    this.#reportedAt = now;
    const isLong = queueing > LONG_QUEUE;
    if (isLong) this.#fall(Math.max(loss / 2, LONG_QUEUE_FALL), this.#least, now);
    else if (isNarrow(report)) this.#fall(loss / 2, loss >= VERY_MANY ? this.#least : this.#leastForLoss, now);
    else if (loss <= FEW && queueing <= SHORT_QUEUE) this.#rise(now);
    else this.#risenAt = now;
  }

  /** To be called now and then: where nothing is heard, all is well. */
  noNews(now: number): void {
    if (now - this.#reportedAt >= NO_NEWS) this.#rise(now);
    else this.#risenAt = now;
  }

  #fall(part: number, least: number, now: number): void {
    this.#risenAt = now;
    if (now - this.#fallenAt < FALL_INTERVAL) return;
    this.#fallenAt = now;
    this.#rate = Math.min(this.#rate, Math.max(least, this.#rate * (1 - part)));
  }

  #rise(now: number): void {
    const seconds = Math.min(1, (now - this.#risenAt) / 1000);
    this.#risenAt = now;
    if (now - this.#fallenAt < REST) return;
    this.#rate = Math.min(this.#most, this.#rate + seconds * Math.max(this.#most * RISE_AT_LEAST, this.#rate * RISE));
  }
}
