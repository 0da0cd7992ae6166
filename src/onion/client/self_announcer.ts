import type { KeyPair, PublicKey } from "../../crypto/keys.ts";
import type { Clock } from "../../env/clock.ts";
import type { AnnounceResponseBody } from "../../wire/onion/announce_response.ts";
import type { PackedNode } from "../../wire/packed_node.ts";
import { Alarm } from "./alarm.ts";
import type { AnnounceAttempt, AnnounceOwner, AnnounceRequests } from "./announce_requests.ts";
import { type AnnounceTarget, AnnounceTargets, isWaiting, waitsUntil } from "./announce_targets.ts";
import { TIME_TO_STABLE } from "./onion_path.ts";
import type { PathSet } from "./path_set.ts";
import type { Ways } from "./ways.ts";

/** toxcore's MAX_ONION_CLIENTS_ANNOUNCE. */
export const ANNOUNCE_TARGETS = 12;
// c-toxcore onion_client.c, in ms
const INTERVAL_NOT_ANNOUNCED = 3_000;
const INTERVAL_ANNOUNCED = 15_000;
const INTERVAL_STABLE = 120_000;
/** Ours: how soon the DHT is asked for more nodes while we have too few. Doubles while that brings nothing. */
const FIRST_REFILL = 250;
const LONGEST_REFILL = { alone: 10_000, few: 60_000, content: 600_000 };
const PARALLEL = 8;

export interface SelfAnnouncerOptions {
  readonly clock: Clock;
  readonly ways: Ways;
  readonly self: KeyPair;
  readonly dataPublicKey: PublicKey;
  readonly paths: PathSet;
  readonly requests: AnnounceRequests;
}

function longestRefill(live: number): number {
  if (live === 0) return LONGEST_REFILL.alone;
  return live <= ANNOUNCE_TARGETS / 2 ? LONGEST_REFILL.few : LONGEST_REFILL.content;
}

/** Keeps us announced to the nodes nearest to our long-term key, so that friends find us. */
export class SelfAnnouncer implements AnnounceOwner {
  readonly keyPair: KeyPair;
  readonly searchedKey: PublicKey;
  readonly dataPublicKey: PublicKey;
  readonly paths: PathSet;
  readonly #clock: Clock;
  readonly #ways: Ways;
  readonly #requests: AnnounceRequests;
  readonly #targets: AnnounceTargets;
  readonly #alarm: Alarm;
  #running = false;
  #lastSentAt = 0;
  #refillAt = 0;
  #refillInterval = FIRST_REFILL;

  constructor(options: SelfAnnouncerOptions) {
    this.keyPair = options.self;
    this.searchedKey = options.self.publicKey;
    this.dataPublicKey = options.dataPublicKey;
    this.paths = options.paths;
    this.#clock = options.clock;
    this.#ways = options.ways;
    this.#requests = options.requests;
    this.#targets = new AnnounceTargets(options.self.publicKey, ANNOUNCE_TARGETS);
    this.#alarm = new Alarm(options.clock, () => this.#work());
  }

  /** How many nodes answer us, and how many of them keep our announcement. */
  get standing(): { readonly live: number; readonly announced: number } {
    const { live } = this.#targets;
    return { live: live.length, announced: live.filter((target) => target.stored).length };
  }

  /** Announces from now on; to be called when the DHT knows a first node. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    for (const target of this.#targets.live) target.stored = false;
    this.#lastSentAt = this.#clock.monotonic();
    this.#refillAt = 0;
    this.#refillInterval = FIRST_REFILL;
    this.#work();
  }

  /** The DHT knows a node more, or has lost one: then paths have been given up, and those who keep us must hear of others. */
  nodesChanged(): void {
    if (!this.#running) return;
    const now = this.#clock.monotonic();
    if (!this.#targets.full) this.#refillSoon(now);
    this.#arm(now);
  }

  stop(): void {
    this.#running = false;
    this.#alarm.set(undefined);
  }

  answered(attempt: AnnounceAttempt, body: AnnounceResponseBody, nodes: readonly PackedNode[], now: number): void {
    const { target, path, announcing } = attempt;
    if (body.isStored === 1) {
      this.#targets.remove(target); // that is an answer for somebody else, and what it carries is no ping_id
      return;
    }
    target.pingId = body.pingIdOrDataKey.slice();
    target.path = path;
    // stored without our having announced it just now: from before, and to grow old unless announced again
    target.stored = body.isStored === 2 && (announcing || target.stored);
    const kept = this.#targets.answered(target, now);
    for (const node of nodes) if (this.#targets.offer(node, now)) this.#refillInterval = FIRST_REFILL;
    if (!this.#running) return;
    if (kept && !announcing) this.#ask(target, now);
    this.#work();
  }

  #work(): void {
    if (!this.#running) return;
    const now = this.#clock.monotonic();
    const before = this.#targets.live.length;
    this.#targets.expire(now, this.#requests.patience);
    if (this.#targets.live.length < before) this.#refillSoon(now);
    if (now >= this.#refillAt) this.#refill(now);
    for (const target of [...this.#targets.live]) if (this.#dueAt(target, now) <= now) this.#ask(target, now);
    if (now - this.#lastSentAt >= INTERVAL_ANNOUNCED) this.#askLongestSilent(now);
    this.#askCandidates(now);
    this.#arm(now);
  }

  /** Takes nodes from the DHT while we lack some; ever more seldom, since a small network has no more. */
  #refill(now: number): void {
    const { live } = this.#targets;
    if (!this.#targets.full) {
      const nodes = this.#ways.closestNodes(this.searchedKey, ANNOUNCE_TARGETS);
      if (live.length < ANNOUNCE_TARGETS / 2) nodes.push(...this.#ways.randomNodes(ANNOUNCE_TARGETS / 2));
      for (const node of nodes) this.#targets.offer(node, now);
    }
    this.#refillAt = now + this.#refillInterval;
    this.#refillInterval = Math.min(longestRefill(live.length), 2 * this.#refillInterval);
  }

  /** A node was lost, or there are new ones. */
  #refillSoon(now: number): void {
    this.#refillInterval = FIRST_REFILL;
    this.#refillAt = Math.min(this.#refillAt, now + FIRST_REFILL);
  }

  #dueAt(target: AnnounceTarget, now: number): number {
    const askedAt = target.askedAt ?? now;
    if (target.unanswered > 0) return waitsUntil(target, this.#requests.patience);
    if (!target.stored || !target.path?.alive(now)) return askedAt + INTERVAL_NOT_ANNOUNCED;
    const stable = now - target.addedAt >= TIME_TO_STABLE && target.path.stable(now);
    return askedAt + (stable ? INTERVAL_STABLE : INTERVAL_ANNOUNCED);
  }

  /** Something is sent every 15 s even when all is stable, to notice when the network is gone. */
  #askLongestSilent(now: number): void {
    let silent: AnnounceTarget | undefined;
    for (const target of this.#targets.live) if ((target.askedAt ?? 0) < (silent?.askedAt ?? now)) silent = target;
    if (silent !== undefined) this.#ask(silent, now);
  }

  #askCandidates(now: number): void {
    const { patience } = this.#requests;
    let waiting = this.#targets.candidates.filter((target) => isWaiting(target, now, patience)).length;
    for (const target of [...this.#targets.candidates]) {
      if (waiting >= PARALLEL) return;
      if (isWaiting(target, now, patience)) continue;
      this.#ask(target, now);
      waiting++;
    }
  }

  #ask(target: AnnounceTarget, now: number): void {
    // the ping_id only serves with the exit it was given to; but a path that stays silent is not the one to insist on
    const preferred = target.unanswered < 2 ? target.path : undefined;
    const path = this.paths.take(target.node, now, preferred);
    if (path === undefined || !this.#requests.send(this, target, path, true)) {
      this.#targets.remove(target);
      return;
    }
    this.#lastSentAt = now;
  }

  #arm(now: number): void {
    const { live, candidates } = this.#targets;
    const { patience } = this.#requests;
    let next = this.#refillAt;
    for (const target of live) next = Math.min(next, this.#dueAt(target, now));
    // the others have their turn when one of those who are waited for has had his
    for (const target of candidates) {
      if (isWaiting(target, now, patience)) next = Math.min(next, waitsUntil(target, patience));
    }
    if (live.length > 0) next = Math.min(next, this.#lastSentAt + INTERVAL_ANNOUNCED);
    this.#alarm.set(Math.max(next, now + 1));
  }
}
