import type { Cancel, Clock } from "../env/clock.ts";
import type { Endpoint, IpFamily } from "../env/datagram.ts";
import type { Metrics } from "../env/metrics.ts";
import type { Random } from "../env/random.ts";
import { sameBytes } from "../util/bytes.ts";
import { makeEndpoint } from "../util/endpoint.ts";
import { randomU64 } from "../util/random_numbers.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import type { NatPingListener } from "./nat_pings.ts";
import { guessPorts, MAX_PORTS } from "./port_guesses.ts";
import type { AgreedAddress } from "./told_endpoints.ts";

/** What is told of a friend is asked by the search at once: he has so long (ms) to answer before he is sent NAT pings. */
const GRACE = 400;
/** Waits between NAT pings, in ms; then PUNCH_INTERVAL for some rounds, then ever longer. */
const QUICK_INTERVALS = [500, 500, 1_000, 1_000];
/** DHT.c PUNCH_INTERVAL. */
const PUNCH_INTERVAL = 3_000;
const ROUNDS_UNTIL_RARE = 20;
const LONGEST_INTERVAL = 60_000;
/** How long after his last NAT ping, or answer to ours, he is thought to be trying too. DHT.c: two intervals. */
const TRYING_TIME = 2 * PUNCH_INTERVAL;
/** Who was silent for longer, in ms, and is heard again, is tried quickly again. */
const LONG_SILENCE = 3 * LONGEST_INTERVAL;
/** Two rounds are so far apart at least, whatever comes in; half an interval once they are rare. */
const SHORTEST_GAP = 200;
/** Pings at once, and ms a ping in the long run (toxcore: 48 every 3 s), to guessed addresses of one friend, ... */
const FRIEND_BURST = 2 * MAX_PORTS;
const FRIEND_INTERVAL = PUNCH_INTERVAL / MAX_PORTS;
/** ... and of all friends together. Those that wait for an answer must leave room for other requests that do. */
const TOTAL_BURST = 3 * MAX_PORTS;
const TOTAL_INTERVAL = 40;

/** What all punchers of an instance may send together. */
export function punchBudget(): TokenBucket {
  return new TokenBucket(TOTAL_BURST, TOTAL_INTERVAL);
}

export interface HolePuncherOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  /** Shared by all friends. */
  readonly budget: TokenBucket;
  /** Whether he answers us himself. */
  readonly isDirect: () => boolean;
  /** Where he is by the word of several nodes that have nothing to do with one another. */
  readonly agreed: (family: IpFamily) => AgreedAddress | undefined;
  readonly ping: (endpoint: Endpoint) => void;
  readonly requestNatPing: (pingId: bigint) => void;
}

/**
 * Opens our NAT towards a friend who does not answer where others see him, while he does the same. NAT pings over the nodes
 * that know him tell each that the other is there and tries; then we ping where his NAT may let us in, so that ours lets him
 * in. c-toxcore `DHT.c` (do_nat).
 */
export class HolePuncher implements NatPingListener {
  readonly #options: HolePuncherOptions;
  readonly #budget = new TokenBucket(FRIEND_BURST, FRIEND_INTERVAL);
  #pingId: bigint;
  #attempts = 0;
  #round = 0;
  #agreed: readonly (AgreedAddress | undefined)[] = [];
  #heardAt = Number.NEGATIVE_INFINITY;
  #punchedAt = Number.NEGATIVE_INFINITY;
  #timer: Cancel | undefined;
  #dueAt = 0;

  constructor(options: HolePuncherOptions) {
    this.#options = options;
    this.#pingId = randomU64(options.random);
  }

  /** Others have said where he is, or he is lost: begins, or begins anew when he is elsewhere. */
  consider(): void {
    if (this.#options.isDirect()) return;
    const agreed = this.#look();
    if (agreed.every((address) => address === undefined)) return;
    const isNew = agreed.some((address, i) => !samePlace(address, this.#agreed[i]));
    this.#agreed = agreed;
    if (isNew) this.#startOver();
    if (this.#timer === undefined) this.#arm(isNew ? GRACE : PUNCH_INTERVAL);
    else if (isNew) this.#armWithin(GRACE);
  }

  heardRequest(): void {
    this.#heard();
  }

  heardResponse(pingId: bigint): boolean {
    if (pingId !== this.#pingId) return false;
    this.#pingId = randomU64(this.#options.random);
    this.#heard();
    return true;
  }

  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
  }

  /** He is there, and tries too: that is the moment. */
  #heard(): void {
    if (this.#options.isDirect()) return;
    const now = this.#options.clock.monotonic();
    const isBack = now - this.#heardAt > LONG_SILENCE;
    this.#heardAt = now;
    if (isBack) this.#startOver();
    this.#punch();
    this.#armWithin(this.#nextInterval());
  }

  #startOver(): void {
    this.#attempts = 0;
    this.#round = 0;
  }

  #look(): (AgreedAddress | undefined)[] {
    return [this.#options.agreed(4), this.#options.agreed(6)];
  }

  #armWithin(wait: number): void {
    const now = this.#options.clock.monotonic();
    if (this.#timer === undefined || this.#dueAt > now + wait) this.#arm(wait);
  }

  #arm(wait: number): void {
    const { clock } = this.#options;
    this.#timer?.();
    this.#dueAt = clock.monotonic() + wait;
    this.#timer = clock.at(this.#dueAt, () => {
      this.#timer = undefined;
      this.#try();
    });
  }

  #try(): void {
    const { clock, isDirect, requestNatPing } = this.#options;
    if (isDirect() || this.#look().every((address) => address === undefined)) return;
    requestNatPing(this.#pingId);
    if (clock.monotonic() - this.#heardAt < TRYING_TIME) this.#punch();
    this.#arm(this.#nextInterval());
    this.#attempts++;
  }

  #nextInterval(): number {
    const quick = QUICK_INTERVALS[this.#attempts];
    if (quick !== undefined) return quick;
    const rare = Math.max(0, this.#attempts - ROUNDS_UNTIL_RARE);
    return Math.min(PUNCH_INTERVAL * 2 ** rare, LONGEST_INTERVAL);
  }

  #punch(): void {
    const { clock, random, budget, metrics, ping } = this.#options;
    const now = clock.monotonic();
    const gap = this.#attempts > ROUNDS_UNTIL_RARE ? this.#nextInterval() / 2 : SHORTEST_GAP;
    if (now - this.#punchedAt < gap) return;
    this.#punchedAt = now;
    for (const agreed of this.#look()) {
      if (agreed === undefined) continue;
      for (const port of guessPorts(agreed.ports, this.#round, random)) {
        if (!this.#budget.take(now) || !budget.take(now)) return;
        metrics.count("dht.punch.sent");
        ping(makeEndpoint(agreed.address, port));
      }
    }
    this.#round++;
  }
}

function samePlace(a: AgreedAddress | undefined, b: AgreedAddress | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return sameBytes(a.address, b.address);
}
