import type { Crypto } from "../../crypto/crypto.ts";
import { type KeyPair, PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import type { Clock } from "../../env/clock.ts";
import type { AnnounceResponseBody } from "../../wire/onion/announce_response.ts";
import type { PackedNode } from "../../wire/packed_node.ts";
import { Alarm } from "./alarm.ts";
import type { AnnounceAttempt, AnnounceOwner, AnnounceRequests } from "./announce_requests.ts";
import { type AnnounceTarget, AnnounceTargets, isWaiting } from "./announce_targets.ts";
import { isLikely } from "./data_key_agreement.ts";
import type { PathSet } from "./path_set.ts";
import {
  askedPerLook,
  foundInterval,
  HASTE,
  hastyInterval,
  oneSidedInterval,
  patientInterval,
  SEARCH_TARGETS,
  searchWidth,
} from "./search_pace.ts";
import type { Searching, SearchQueue } from "./search_queue.ts";
import type { Ways } from "./ways.ts";

export interface SearchEnvironment {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly ways: Ways;
  readonly paths: PathSet;
  readonly requests: AnnounceRequests;
  readonly queue: SearchQueue;
}

const NO_DATA_KEY = new Uint8Array(PUBLIC_KEY_SIZE) as Uint8Array as PublicKey;
/** An announce node forgets an announcement that is not renewed within 300 s. */
const STORED_FOR = 300_000;

/** Looks for the announce nodes that keep one friend. Rests until started. */
export class FriendSearch implements AnnounceOwner, Searching {
  readonly searchedKey: PublicKey;
  readonly dataPublicKey = NO_DATA_KEY;
  readonly paths: PathSet;
  readonly #env: SearchEnvironment;
  readonly #onProgress: () => void;
  readonly #targets: AnnounceTargets;
  readonly #alarm: Alarm;
  #keyPair: KeyPair | undefined;
  #toAsk: AnnounceTarget[] = []; // bounded by the targets there are, live and candidates
  #running = false;
  /** Since when he may be absent. */
  #since = 0;
  #foundAt: number | undefined;
  #round = 0;
  #oneSided = false;

  /** `onProgress` is called after each answer. */
  constructor(env: SearchEnvironment, friend: PublicKey, onProgress: () => void) {
    this.#env = env;
    this.searchedKey = friend;
    this.paths = env.paths;
    this.#onProgress = onProgress;
    this.#targets = new AnnounceTargets(friend, SEARCH_TARGETS);
    this.#alarm = new Alarm(env.clock, () => this.#look());
  }

  /** Temporary, one for each friend, so that announce nodes cannot tell who searches, nor that one searches for several. */
  get keyPair(): KeyPair {
    this.#keyPair ??= this.#env.crypto.keyPair();
    return this.#keyPair;
  }

  /** Searches, in haste at first: the friend may come at any moment. What was known of where he is stored is forgotten. */
  start(): void {
    for (const target of this.#targets.live) target.stored = false;
    this.#foundAt = undefined;
    this.hurry();
  }

  /** Begins another hasty phase: there is a reason to believe that he is there. */
  hurry(): void {
    this.#running = true;
    this.#since = this.#env.clock.monotonic();
    this.#round = 0;
    this.#env.queue.hurry(this, true);
    this.#look();
  }

  /** Whether he does not look for us, so that it is up to us to find him. */
  set oneSided(on: boolean) {
    if (on === this.#oneSided) return;
    this.#oneSided = on;
    this.#env.queue.oneSided(this, on);
    const now = this.#env.clock.monotonic();
    if (on && this.#running && now - this.#since >= HASTE) this.#alarm.set(now + this.#interval(now));
  }

  rest(): void {
    this.#running = false;
    this.#toAsk = [];
    this.#alarm.set(undefined);
    this.#env.queue.remove(this);
  }

  close(): void {
    this.rest();
    this.oneSided = false;
    this.#targets.clear();
    if (this.#keyPair !== undefined) this.#env.crypto.wipe(this.#keyPair.secretKey);
  }

  /** The nodes that lately said that they keep him. */
  stored(): AnnounceTarget[] {
    const now = this.#env.clock.monotonic();
    return this.#targets.live.filter((target) => target.stored && now - (target.answeredAt ?? 0) < STORED_FOR);
  }

  /** Whether enough nodes say that they keep him for it to be likely. */
  get found(): boolean {
    return isLikely(this.stored().length, this.#targets.live.length);
  }

  /** Whether more answers are to be hoped for soon. */
  get waiting(): boolean {
    if (this.#toAsk.length > 0) return true;
    const now = this.#env.clock.monotonic();
    const { patience } = this.#env.requests;
    const { live, candidates } = this.#targets;
    return [live, candidates].some((list) => list.some((target) => isWaiting(target, now, patience)));
  }

  step(): boolean {
    const target = this.#toAsk.shift();
    if (target === undefined || !this.#running) return false;
    const now = this.#env.clock.monotonic();
    if (this.#targets.has(target) && !isWaiting(target, now, this.#env.requests.patience)) this.#ask(target, now);
    return this.#toAsk.length > 0;
  }

  answered(attempt: AnnounceAttempt, body: AnnounceResponseBody, nodes: readonly PackedNode[], now: number): void {
    const { target } = attempt;
    if (body.isStored === 2) return; // we announced nobody: nonsense
    const isNews = body.isStored === 1 && !target.stored;
    target.stored = body.isStored === 1;
    target.dataKey = target.stored ? (body.pingIdOrDataKey.slice() as Uint8Array as PublicKey) : undefined;
    this.#targets.answered(target, now);
    if (!this.#running) return;
    if (isNews && !this.found) this.#askOthers(now);
    this.#noteFound(now);
    this.#follow(nodes, now);
    this.#onProgress();
  }

  #noteFound(now: number): void {
    const { found } = this;
    if (found && this.#foundAt === undefined) {
      this.#foundAt = now;
      this.#env.queue.hurry(this, false);
    } else if (!found && this.#foundAt !== undefined) {
      this.#foundAt = undefined; // gone: no new haste, he finds us when he comes back
      this.#since = Math.max(this.#since, now - HASTE);
      this.#env.queue.hurry(this, now - this.#since < HASTE);
    }
  }

  /** One node alone is not believed; what the others say is not left for the next look. */
  #askOthers(now: number): void {
    const { patience } = this.#env.requests;
    const others = this.#targets.live.filter((target) => !target.stored && !isWaiting(target, now, patience));
    this.#toAsk.push(...others.filter((target) => !this.#toAsk.includes(target)));
    if (this.#toAsk.length > 0) this.#env.queue.add(this);
  }

  /** Asks the named nodes that are nearer than those we would ask anyway. */
  #follow(nodes: readonly PackedNode[], now: number): void {
    const width = this.#width(now);
    for (const node of nodes) {
      if (this.#targets.rankOf(node.publicKey) >= width) continue;
      const target = this.#targets.offer(node, now);
      if (target !== undefined) this.#toAsk.push(target);
    }
    if (this.#toAsk.length > 0) this.#env.queue.add(this);
  }

  /** One round of questions, and the alarm for the next. */
  #look(): void {
    const now = this.#env.clock.monotonic();
    const { requests, ways, queue } = this.#env;
    this.#targets.expire(now, requests.patience);
    const width = this.#width(now);
    for (const node of ways.closestNodes(this.searchedKey, width)) this.#targets.offer(node, now);
    const free = (target: AnnounceTarget) => !isWaiting(target, now, requests.patience);
    const longestSilent = this.#targets.live.filter(free).sort((a, b) => (a.askedAt ?? 0) - (b.askedAt ?? 0));
    const candidates = this.#targets.candidates.filter(free).slice(0, width);
    this.#toAsk = [...candidates, ...longestSilent.slice(0, askedPerLook(width))];
    if (now - this.#since >= HASTE) queue.hurry(this, false);
    this.#alarm.set(now + this.#interval(now));
    this.#round++;
    if (this.#toAsk.length > 0) queue.add(this);
  }

  #interval(now: number): number {
    if (this.#foundAt !== undefined) return foundInterval(now - this.#foundAt);
    const absence = now - this.#since;
    if (absence < HASTE) return hastyInterval(this.#round, this.#env.queue.hurryInterval);
    const { queue, crypto } = this.#env;
    if (this.#oneSided) return oneSidedInterval(queue.oneSidedInterval, crypto.random);
    return patientInterval(absence, crypto.random);
  }

  #width(now: number): number {
    if (this.#foundAt !== undefined) return SEARCH_TARGETS;
    return searchWidth(now - this.#since, this.#env.queue.crowded);
  }

  #ask(target: AnnounceTarget, now: number): void {
    const path = this.paths.take(target.node, now);
    if (path === undefined || !this.#env.requests.send(this, target, path, false)) this.#targets.remove(target);
  }
}
