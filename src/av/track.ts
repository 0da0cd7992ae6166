import type { CallTrack } from "../friend/call.ts";
import { ToxError } from "../util/tox_error.ts";
import type { RateControl } from "./rate_control.ts";

/** What a track asks of its call. */
export interface TrackHost {
  /** Nothing is paused, and somebody has answered. */
  readonly flows: boolean;
  /** `sending` or `receiving` has changed: the friend is told. */
  wishesChanged(): void;
}

/** What both kinds of media have in common: who wants what, and how much of it may go. */
export abstract class Track implements CallTrack {
  readonly rate: RateControl;
  readonly peer = { sending: false, receiving: false };
  protected readonly host: TrackHost;
  readonly #bitRates: { readonly least: number; readonly most: number };
  #sending: boolean;
  #receiving = true;
  #announcedRate: number;

  constructor(
    host: TrackHost,
    sending: boolean,
    rate: RateControl,
    bitRates: { readonly least: number; readonly most: number },
  ) {
    this.host = host;
    this.rate = rate;
    this.#sending = sending;
    this.#bitRates = bitRates;
    this.#announcedRate = rate.rate;
  }

  get sending(): boolean {
    return this.#sending;
  }

  set sending(on: boolean) {
    if (on === this.#sending) return;
    this.#sending = on;
    this.host.wishesChanged();
  }

  get receiving(): boolean {
    return this.#receiving;
  }

  set receiving(on: boolean) {
    if (on === this.#receiving) return;
    this.#receiving = on;
    this.resetReceiver();
    this.host.wishesChanged();
  }

  get open(): boolean {
    return this.host.flows && this.#sending && this.peer.receiving;
  }

  get maxBitRate(): number {
    return this.rate.most;
  }

  set maxBitRate(bitRate: number) {
    this.rate.most = expectBitRate(bitRate, this.#bitRates);
    this.announceRate();
  }

  get bitRate(): number {
    return Math.round(this.rate.rate);
  }

  /** Tells the listeners when the rate is another, by 2 % at least, than they were told. */
  announceRate(): void {
    const { rate } = this.rate;
    const isSame = Math.abs(rate - this.#announcedRate) < 0.02 * this.#announcedRate && !this.rate.isMost;
    if (isSame || rate === this.#announcedRate) return;
    this.#announcedRate = rate;
    this.emitBitRate(this.bitRate);
  }

  abstract resetReceiver(): void;
  protected abstract emitBitRate(bitRate: number): void;
}

/** Throws `invalid-argument`. */
export function expectBitRate(
  bitRate: number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  if (!(bitRate >= least && bitRate <= most)) {
    throw new ToxError("invalid-argument", `Give a bit rate from ${least} to ${most} bit/s, not ${bitRate}.`);
  }
  return bitRate;
}
