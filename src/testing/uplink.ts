/** A host's own line: bytes a second, and how many may wait for their turn. */
export interface UplinkProperties {
  readonly bandwidth: number;
  readonly queue: number;
}

/** What leaves a host, one after the other: its datagrams and the segments of its streams share the line. */
export class Uplink {
  readonly #properties: UplinkProperties | undefined;
  #freeAt = 0;

  /** Without properties it is unlimited. */
  constructor(properties: UplinkProperties | undefined) {
    this.#properties = properties;
  }

  /** When what is handed over at `now` has left, in virtual ms; undefined when there is no room for it. */
  departure(now: number, length: number): number | undefined {
    if (this.#properties === undefined) return now;
    const { bandwidth, queue } = this.#properties;
    const start = Math.max(now, this.#freeAt);
    const waiting = ((start - now) / 1000) * bandwidth;
    if (waiting + length > queue) return undefined;
    this.#freeAt = start + (length / bandwidth) * 1000;
    return this.#freeAt;
  }

  /** When half of the room is free again. */
  halfEmptyAt(now: number): number {
    if (this.#properties === undefined) return now;
    const { bandwidth, queue } = this.#properties;
    return Math.max(now, this.#freeAt) - (queue / 2 / bandwidth) * 1000;
  }
}
