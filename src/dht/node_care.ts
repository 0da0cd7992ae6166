import type { PublicKey } from "../crypto/keys.ts";
import type { Clock } from "../env/clock.ts";
import { sameEndpoint } from "../util/endpoint.ts";
import type { Asker } from "./asker.ts";
import { type Association, MISSES_UNTIL_BAD, type NodeEntry } from "./node_entry.ts";
import type { NodeTable } from "./node_table.ts";
import type { PendingRequest } from "./pending_requests.ts";

/** How long after its last answer a node is pinged, in ms. DHT.h PING_INTERVAL. */
export const PING_INTERVAL = 60_000;
/** How long a silent node is kept and asked again. DHT.h KILL_NODE_TIMEOUT. */
export const KILL_NODE_TIMEOUT = 182_000;
const BAD_NODE_INTERVAL = 40_000;
/** A node heard or asked within this is not asked for a mere doubt. */
const DOUBT_INTERVAL = 10_000;
/** When nobody answers, the fault is probably ours: everybody is asked again, first after this long. */
const ALONE_INTERVAL = 5_000;

export interface NodeCareListener {
  /** What to ask a node that is due for a ping: nodes next to a key that is still looked for, or nothing but a ping. */
  wantedFrom(entry: NodeEntry): PublicKey | undefined;
  /** An address of the node does not answer any longer. */
  onBad(entry: NodeEntry, association: Association): void;
  /** The address is given up. */
  onKilled(entry: NodeEntry, association: Association): void;
}

/** Keeps the nodes of the table honest: each is asked once a minute, thrice when it is silent, and given up in the end. */
export class NodeCare {
  readonly #clock: Clock;
  readonly #table: NodeTable;
  readonly #asker: Asker;
  readonly #listener: NodeCareListener;

  constructor(clock: Clock, table: NodeTable, asker: Asker, listener: NodeCareListener) {
    this.#clock = clock;
    this.#table = table;
    this.#asker = asker;
    this.#listener = listener;
  }

  /** The node has answered. */
  seen(entry: NodeEntry, association: Association): void {
    if (association.cancelPing === undefined) this.#armPing(entry, association, association.lastSeen + PING_INTERVAL);
  }

  /** Somebody doubts that the node lives. */
  check(entry: NodeEntry): void {
    const now = this.#clock.monotonic();
    for (const association of [entry.ipv4, entry.ipv6]) {
      if (association === undefined || !association.isGood(now)) continue;
      if (now - Math.max(association.lastSeen, association.lastAsked) >= DOUBT_INTERVAL) this.#ask(entry, association);
    }
  }

  /** A request was not answered in time. */
  silent(request: PendingRequest): void {
    const entry = this.#table.get(request.publicKey);
    const association = entry?.association(request.endpoint.family);
    if (entry === undefined || association === undefined) return;
    if (!sameEndpoint(association.endpoint, request.endpoint)) return;
    // Requests under way together that are lost together are one miss; one answered since is none.
    if (request.sentAt < association.lastMiss || request.sentAt < association.lastSeen) return;
    association.lastMiss = this.#clock.monotonic();
    association.missed++;
    if (association.missed < MISSES_UNTIL_BAD) this.#ask(entry, association);
    else this.#handleBad(entry, association);
  }

  #handleBad(entry: NodeEntry, association: Association): void {
    const now = this.#clock.monotonic();
    if (association.missed === MISSES_UNTIL_BAD) this.#listener.onBad(entry, association);
    const isAlone = !this.#table.hasGood();
    if (!isAlone && now - association.lastSeen >= KILL_NODE_TIMEOUT) {
      this.#listener.onKilled(entry, association);
      this.#table.dissociate(entry, association);
      return;
    }
    association.cancelPing?.();
    const rounds = association.missed - MISSES_UNTIL_BAD;
    const wait = isAlone ? Math.min(ALONE_INTERVAL * 2 ** rounds, PING_INTERVAL) : BAD_NODE_INTERVAL;
    this.#armPing(entry, association, now + wait);
  }

  #armPing(entry: NodeEntry, association: Association, time: number): void {
    association.cancelPing = this.#clock.at(time, () => {
      association.cancelPing = undefined;
      this.#pingIfDue(entry, association);
    });
  }

  /** The timer is not moved for every answer: it looks when it fires whether the node was heard meanwhile. */
  #pingIfDue(entry: NodeEntry, association: Association): void {
    const now = this.#clock.monotonic();
    const isSilent = association.missed > 0;
    const due = Math.max(association.lastSeen, association.lastAsked) + PING_INTERVAL;
    if (!isSilent && due > now) {
      this.#armPing(entry, association, due);
      return;
    }
    this.#armPing(entry, association, now + PING_INTERVAL);
    this.#ask(entry, association);
  }

  #ask(entry: NodeEntry, association: Association): void {
    const target = this.#listener.wantedFrom(entry);
    if (target === undefined) this.#asker.ping(entry.publicKey, association.endpoint);
    else this.#asker.nodes(entry.publicKey, association.endpoint, target);
  }
}
