import type { PublicKey, SharedKey } from "../../crypto/keys.ts";
import { compareDistance } from "../../dht/distance.ts";
import { sameBytes } from "../../util/bytes.ts";
import { sameEndpoint } from "../../util/endpoint.ts";
import type { PackedNode } from "../../wire/packed_node.ts";
import type { OnionPath } from "./onion_path.ts";
import { sameNetwork } from "./path_nodes.ts";

/** An announce node, or one to be, and how it stands between it and us. */
export interface AnnounceTarget {
  readonly node: PackedNode;
  /** With the key that we send requests under; made at the first request. */
  sharedKey: SharedKey | undefined;
  askedAt: number | undefined;
  /** Requests since the last answer. */
  unanswered: number;
  /** The way of the last request. */
  askedOver: OnionPath | undefined;
  /** Since when it has been answering. */
  addedAt: number;
  answeredAt: number | undefined;
  /** Ourselves: it keeps our announcement. A friend: it says that it keeps his. */
  stored: boolean;
  /** Of a friend that is stored there. */
  dataKey: PublicKey | undefined;
  /** What we may announce ourselves with, over `path` or another one with the same exit. */
  pingId: Uint8Array | undefined;
  path: OnionPath | undefined;
}

const MAX_CANDIDATES = 16;
const MAX_FAILED = 32;
const FAILED_MEMORY = 15_000;
const MAX_UNANSWERED = 4;
/** In ms, as toxcore waits. */
const LONGEST_WAIT = 3_000;
/** A node that has not answered for so long is given one chance only. */
const STALE = 600_000;

/** The nodes nearest to a key that answer our announce requests, and those yet to prove it. */
export class AnnounceTargets {
  /** Those that answered, the nearest first. */
  readonly live: AnnounceTarget[] = []; // bounded by #limit
  /** Those that were named to us, the nearest first. */
  readonly candidates: AnnounceTarget[] = []; // bounded by MAX_CANDIDATES, the farthest goes
  readonly #key: PublicKey;
  readonly #limit: number;
  readonly #failed: Array<{ readonly node: PackedNode; readonly until: number }> = []; // bounded by MAX_FAILED

  constructor(key: PublicKey, limit: number) {
    this.#key = key;
    this.#limit = limit;
  }

  get full(): boolean {
    return this.live.length >= this.#limit;
  }

  /** How many that answer are nearer than the node with this key. */
  rankOf(publicKey: PublicKey): number {
    let rank = 0;
    while (rank < this.live.length && this.#nearer(this.live[rank], publicKey)) rank++;
    return rank;
  }

  /** Makes a candidate of a node that is new and worth asking. */
  offer(node: PackedNode, now: number): AnnounceTarget | undefined {
    if (node.endpoint.port === 0 || this.live.some((target) => sameBytes(target.node.publicKey, node.publicKey)))
      return;
    if (this.candidates.some((target) => sameNode(target.node, node))) return;
    if (this.#failed.some((failed) => now < failed.until && sameNode(failed.node, node))) return;
    if (this.full && this.#placeFor(node) === undefined) return;
    const target = newTarget(node, now);
    this.#insert(this.candidates, target);
    if (this.candidates.length > MAX_CANDIDATES && this.candidates.pop() === target) return;
    return target;
  }

  /** Takes a node among those that answer. False when they are all nearer. */
  answered(target: AnnounceTarget, now: number): boolean {
    target.answeredAt = now;
    target.unanswered = 0;
    if (this.live.includes(target)) return true;
    this.#removeWhere(this.candidates, (other) => sameBytes(other.node.publicKey, target.node.publicKey));
    this.#removeWhere(this.live, (other) => sameBytes(other.node.publicKey, target.node.publicKey));
    if (this.full) {
      const loser = this.#placeFor(target.node);
      if (loser === undefined) return false;
      this.#removeWhere(this.live, (other) => other === loser);
    }
    target.addedAt = now;
    this.#insert(this.live, target);
    return true;
  }

  /** Drops those that have been asked often enough in vain, when the last request has had its time. */
  expire(now: number, patience: number): void {
    const dead = (target: AnnounceTarget) => {
      if (target.askedAt === undefined || now < waitsUntil(target, patience)) return false;
      const stale = target.answeredAt !== undefined && now - target.answeredAt >= STALE;
      return target.unanswered >= (stale ? 1 : MAX_UNANSWERED);
    };
    for (const list of [this.live, this.candidates]) {
      for (const target of list) if (dead(target)) this.#remember(target.node, now);
      this.#removeWhere(list, dead);
    }
  }

  /** Gives up a node that cannot be asked. */
  remove(target: AnnounceTarget): void {
    this.#removeWhere(this.live, (other) => other === target);
    this.#removeWhere(this.candidates, (other) => other === target);
  }

  has(target: AnnounceTarget): boolean {
    return this.live.includes(target) || this.candidates.includes(target);
  }

  clear(): void {
    this.live.length = 0;
    this.candidates.length = 0;
    this.#failed.length = 0;
  }

  /**
   * Whose place among the living a node would take when all are taken. One network may not crowd the others out: a
   * quarter of the places is its due, however near its nodes are.
   */
  #placeFor(node: PackedNode): AnnounceTarget | undefined {
    const due = this.#limit / 4;
    const kin = this.live.filter((target) => sameNetwork(target.node.endpoint, node.endpoint));
    const farthestKin = kin.at(-1);
    if (kin.length >= due) return farthestKin && !this.#nearer(farthestKin, node.publicKey) ? farthestKin : undefined;
    const crowding = this.live.findLast((target) => this.#sizeOfNetwork(target) > due);
    if (crowding !== undefined) return crowding;
    const farthest = this.live.at(-1);
    return farthest && !this.#nearer(farthest, node.publicKey) ? farthest : undefined;
  }

  #sizeOfNetwork(target: AnnounceTarget): number {
    return this.live.filter((other) => sameNetwork(other.node.endpoint, target.node.endpoint)).length;
  }

  #nearer(target: AnnounceTarget | undefined, publicKey: PublicKey): boolean {
    return target !== undefined && compareDistance(this.#key, target.node.publicKey, publicKey) < 0;
  }

  #insert(list: AnnounceTarget[], target: AnnounceTarget): void {
    let at = list.length;
    while (at > 0 && !this.#nearer(list[at - 1], target.node.publicKey)) at--;
    list.splice(at, 0, target);
  }

  /** A dead node that others still name is left alone for a while, unless we have hardly anyone else. */
  #remember(node: PackedNode, now: number): void {
    if (this.live.length < this.#limit / 2) return;
    if (this.#failed.length >= MAX_FAILED) this.#failed.shift();
    this.#failed.push({ node, until: now + FAILED_MEMORY });
  }

  #removeWhere(list: AnnounceTarget[], wanted: (target: AnnounceTarget) => boolean): void {
    for (let i = list.length - 1; i >= 0; i--) if (wanted(list[i] as AnnounceTarget)) list.splice(i, 1);
  }
}

/** How long the last request is given: `patience`, and twice as long each time that it is repeated in vain. */
export function waitsUntil(target: AnnounceTarget, patience: number): number {
  const doubled = patience * 2 ** Math.min(8, Math.max(0, target.unanswered - 1));
  return (target.askedAt ?? Number.NEGATIVE_INFINITY) + Math.max(patience, Math.min(LONGEST_WAIT, doubled));
}

/** Whether an answer is still to be hoped for. */
export function isWaiting(target: AnnounceTarget, now: number, patience: number): boolean {
  return target.unanswered > 0 && now < waitsUntil(target, patience);
}

function sameNode(a: PackedNode, b: PackedNode): boolean {
  return sameBytes(a.publicKey, b.publicKey) && sameEndpoint(a.endpoint, b.endpoint);
}

function newTarget(node: PackedNode, now: number): AnnounceTarget {
  return {
    node,
    sharedKey: undefined,
    askedAt: undefined,
    unanswered: 0,
    askedOver: undefined,
    addedAt: now,
    answeredAt: undefined,
    stored: false,
    dataKey: undefined,
    pingId: undefined,
    path: undefined,
  };
}
