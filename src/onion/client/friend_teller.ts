import type { Clock } from "../../env/clock.ts";
import { Alarm } from "./alarm.ts";

export interface TellerChannels {
  /** Sends our DHT key through the onion; answers to how many announce nodes. `insistent`: it has been of no avail so far. */
  overOnion(insistent: boolean): number;
  /** Sends our DHT key as a DHT request, if his DHT key is known; answers how many datagrams went out. */
  overDht(): number;
}

// c-toxcore onion_client.h: ONION_DHTPK_SEND_INTERVAL, DHT_DHTPK_SEND_INTERVAL, in ms
const ONION_INTERVAL = 30_000;
const DHT_INTERVAL = 20_000;
/** Ours: packets get lost, so the first is repeated sooner: after 1 s, and each time after half as long again. */
const FIRST_REPEAT = 1_000;
const REPEAT_GROWTH = 1.5;
/** Ours: whoever does not come online within ten minutes is told less often; he tells us when he does. */
const LONG = 600_000;
const RARE_ONION_INTERVAL = 60_000;
const RARE_DHT_INTERVAL = 600_000;
/** An answer to what he tells us leaves at once; further ones after pauses that double, lest two answer each other for ever. */
const LEAST_INTERVAL = 1_000;
/** He has been silent for so long: what he tells now is news. */
const QUIET = 60_000;
/** After so many packets in vain, nodes that nobody agrees with are trusted too. */
const TRUSTING_TELLS = 2;

/** Decides when a friend who is not online is told our DHT key. */
export class FriendTeller {
  readonly #clock: Clock;
  readonly #channels: TellerChannels;
  readonly #onionAlarm: Alarm;
  readonly #dhtAlarm: Alarm;
  #onionSince: number | undefined;
  #dhtSince: number | undefined;
  #tells = 0;
  #lastOnion = Number.NEGATIVE_INFINITY;
  #lastDht = Number.NEGATIVE_INFINITY;
  /** Since he began to tell us. */
  #answers = 0;
  #heardAt = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, channels: TellerChannels) {
    this.#clock = clock;
    this.#channels = channels;
    this.#onionAlarm = new Alarm(clock, () => this.#tellOverOnion());
    this.#dhtAlarm = new Alarm(clock, () => this.#tellOverDht());
  }

  /** He has been found in the announce store: tells him now and goes on. */
  startOnion(): void {
    if (this.#onionSince !== undefined) return;
    this.#onionSince = this.#clock.monotonic();
    this.#tells = 0;
    this.#tellOverOnion();
  }

  /** Begins anew with what goes on. */
  again(): void {
    const now = this.#clock.monotonic();
    if (this.#dhtSince !== undefined && now - this.#lastDht >= LEAST_INTERVAL) this.startDht();
    if (this.#onionSince === undefined || now - this.#lastOnion < LEAST_INTERVAL) return;
    this.stopOnion();
    this.startOnion();
  }

  /** He is no longer found. */
  stopOnion(): void {
    this.#onionSince = undefined;
    this.#onionAlarm.set(undefined);
  }

  /** His DHT key is known or new: tells him now and goes on. */
  startDht(): void {
    this.#dhtSince = this.#clock.monotonic();
    this.#tellOverDht();
  }

  /** He told us his key, so he is there: he is answered at once, over whatever way there is. `isNew`: with another key than before. */
  answer(isNew: boolean): void {
    const now = this.#clock.monotonic();
    const isNews = isNew || now - this.#heardAt >= QUIET;
    this.#heardAt = now;
    this.#dhtSince = now;
    if (this.#onionSince !== undefined) this.#onionSince = now;
    if (isNews) this.#answers = 0;
    if (now - this.#answeredAt < Math.min(ONION_INTERVAL, LEAST_INTERVAL * 2 ** this.#answers)) return;
    this.#answeredAt = now;
    this.#answers++;
    if (now - this.#lastDht >= LEAST_INTERVAL) this.#tellOverDht();
    if (this.#onionSince === undefined || now - this.#lastOnion < LEAST_INTERVAL) return;
    if (isNews) this.#tells = 0;
    this.#tellOverOnion();
  }

  /** Ends all of it until something starts it again. */
  rest(): void {
    this.stopOnion();
    this.#dhtSince = undefined;
    this.#answers = 0;
    this.#dhtAlarm.set(undefined);
  }

  #tellOverOnion(): void {
    const now = this.#clock.monotonic();
    this.#lastOnion = now;
    this.#channels.overOnion(this.#tells >= TRUSTING_TELLS);
    this.#tells++;
    const long = now - (this.#onionSince ?? now) >= LONG;
    const usual = long ? RARE_ONION_INTERVAL : ONION_INTERVAL;
    this.#onionAlarm.set(now + Math.min(usual, FIRST_REPEAT * REPEAT_GROWTH ** Math.min(this.#tells - 1, 20)));
  }

  #tellOverDht(): void {
    const now = this.#clock.monotonic();
    this.#lastDht = now;
    this.#channels.overDht();
    const long = now - (this.#dhtSince ?? now) >= LONG;
    this.#dhtAlarm.set(now + (long ? RARE_DHT_INTERVAL : DHT_INTERVAL));
  }
}
