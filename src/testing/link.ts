import type { SeededRandom } from "./seeded_random.ts";

/** How datagrams fare from one host to another. */
export interface LinkProperties {
  /**
   * One-way delay in ms. It wanders between the two, so that datagrams far apart differ and those close together hardly do;
   * they arrive in the order they were sent.
   */
  readonly latency: readonly [min: number, max: number];
  /** Share of datagrams lost, 0–1. */
  readonly loss: number;
  /** Share of datagrams that arrive twice, 0–1. */
  readonly duplication: number;
  /** Share of datagrams held up so that later ones may overtake them, 0–1. */
  readonly reordering: number;
  /** How long those are held up, in ms. */
  readonly reorderingDelay: readonly [min: number, max: number];
  /** Bytes a second; unlimited when undefined. */
  readonly bandwidth: number | undefined;
  /** With a bandwidth: how many bytes may wait for their turn; what comes on top is lost. */
  readonly queue: number;
}

export const defaultLink: LinkProperties = {
  latency: [20, 40],
  loss: 0,
  duplication: 0,
  reordering: 0,
  reorderingDelay: [20, 200],
  bandwidth: undefined,
  queue: 64 * 1024,
};

/** How long a delay takes to become another, in ms. */
const WANDERING_TIME = 100;

/** One direction between two hosts. */
export class Link {
  properties: LinkProperties;
  #lineFreeAt = 0;
  #lastArrival = 0;
  #latency = 0;
  #latencyAt = Number.NEGATIVE_INFINITY;

  constructor(properties: LinkProperties) {
    this.properties = properties;
  }

  /** When the one or two copies of a datagram that enters at `now` arrive, or why none does. */
  arrivals(
    now: number,
    length: number,
    random: SeededRandom,
  ): [first: number, duplicate?: number] | "lost" | "queue-full" {
    const { loss, duplication } = this.properties;
    const departure = this.#departure(now, length);
    if (departure === undefined) return "queue-full";
    if (random.chance(loss)) return "lost";
    const arrival = this.#arrival(departure, random);
    return random.chance(duplication) ? [arrival, this.#arrival(departure, random)] : [arrival];
  }

  /** When a stream's segment that enters at `now` arrives, or why it does not. Whoever sent it sends it again. */
  segmentArrival(now: number, length: number, random: SeededRandom): number | "lost" | "queue-full" {
    const departure = this.#departure(now, length);
    if (departure === undefined) return "queue-full";
    return random.chance(this.properties.loss) ? "lost" : this.#arrival(departure, random);
  }

  #departure(now: number, length: number): number | undefined {
    const { bandwidth, queue } = this.properties;
    if (bandwidth === undefined) return now;
    const start = Math.max(now, this.#lineFreeAt);
    const waiting = ((start - now) / 1000) * bandwidth;
    if (waiting + length > queue) return undefined;
    this.#lineFreeAt = start + (length / bandwidth) * 1000;
    return this.#lineFreeAt;
  }

  #arrival(departure: number, random: SeededRandom): number {
    const { reordering, reorderingDelay } = this.properties;
    const arrival = departure + this.#wanderingLatency(departure, random);
    if (random.chance(reordering)) return arrival + random.between(reorderingDelay[0], reorderingDelay[1]);
    this.#lastArrival = Math.max(this.#lastArrival, arrival);
    return this.#lastArrival;
  }

  #wanderingLatency(departure: number, random: SeededRandom): number {
    const [min, max] = this.properties.latency;
    const target = random.between(min, max);
    const weight = Math.min(1, (departure - this.#latencyAt) / WANDERING_TIME);
    this.#latencyAt = departure;
    this.#latency += (target - this.#latency) * weight;
    return Math.min(Math.max(this.#latency, min), max);
  }
}
