import type { PublicKey } from "../crypto/keys.ts";
import type { Cancel, Clock } from "../env/clock.ts";
import type { Random } from "../env/random.ts";
import { sameBytes } from "../util/bytes.ts";
import { sameEndpoint } from "../util/endpoint.ts";
import { KeyMap } from "../util/key_map.ts";
import { randomItem } from "../util/random_numbers.ts";
import type { PackedNode } from "../wire/packed_node.ts";
import type { Asker } from "./asker.ts";
import { compareDistance } from "./distance.ts";
import type { NodeEntry } from "./node_entry.ts";
import { nodeKey } from "./node_key.ts";
import type { NodeList } from "./node_list.ts";

/** Requests of one lookup that wait for an answer at a time. */
const PARALLEL = 6;
/** A node that has not answered for so long (ms) no longer holds up the others, though its answer still counts. */
const IMPATIENCE = 400;
/** Nodes waiting to be asked; the farthest have to go. */
const MAX_CANDIDATES = 16;
/** A node at one address is asked again by a lookup after this long (ms), twice as long each time. */
const FIRST_PATIENCE = 1_500;
const LAST_PATIENCE = 12_000;
const MAX_REMEMBERED = 128;

/** While a lookup is new, nodes in the list are asked again at these intervals (ms): others may be just as new. */
const QUICK_ROUNDS = [50, 100, 200, 400, 700, 1_000, 1_500, 2_000, 3_000];
const ASKED_IN_QUICK_ROUND = 2;
/** DHT.h NODES_REQUEST_INTERVAL. */
export const NODES_REQUEST_INTERVAL = 20_000;
/** The same once there is nothing left to find. */
export const SETTLED_INTERVAL = 120_000;

interface Asked {
  at: number;
  times: number;
}

export interface LookupOptions {
  readonly target: PublicKey;
  readonly list: NodeList;
  readonly asker: Asker;
  readonly clock: Clock;
  readonly random: Random;
  /** What a round asks its random node for, when it is not always the target. */
  readonly roundTarget?: () => PublicKey;
}

/**
 * Finds the nodes next to a key: each answer that names nearer ones makes them be asked at once, some at a time. When the
 * list is full, only nearer ones qualify, so it comes to rest by itself; from then on one random node is asked every 20 s.
 */
export class Lookup {
  readonly target: PublicKey;
  readonly list: NodeList;
  readonly #asker: Asker;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #roundTarget: (() => PublicKey) | undefined;
  readonly #candidates: PackedNode[] = []; // nearest first, bounded by MAX_CANDIDATES
  readonly #asked: KeyMap<Asked>; // bounded by MAX_REMEMBERED
  readonly #slots = new Set<Cancel>(); // bounded by PARALLEL and what a round and the list's newcomers add in 400 ms
  #roundTimer: Cancel | undefined;
  #rounds = 0;
  #isSettled = false;
  #isStopped = false;

  constructor(options: LookupOptions, seed: number) {
    this.target = options.target;
    this.list = options.list;
    this.#asker = options.asker;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#roundTarget = options.roundTarget;
    this.#asked = new KeyMap(seed);
  }

  /** Somebody has named this node. It is asked if its answer would be of use. Call `pump` afterwards. */
  offer(node: PackedNode): void {
    if (this.#isStopped || !this.#isWorthAsking(node)) return;
    const { publicKey, endpoint } = node;
    let at = this.#candidates.length;
    while (at > 0) {
      const other = this.#candidates[at - 1] as PackedNode;
      const nearer = compareDistance(this.target, publicKey, other.publicKey);
      if (nearer === 0 && sameEndpoint(other.endpoint, endpoint)) return;
      if (nearer >= 0) break;
      at--;
    }
    this.#candidates.splice(at, 0, node);
    if (this.#candidates.length > MAX_CANDIDATES) this.#candidates.pop();
  }

  /** The list has taken this node, which has answered: it is asked about our key too. Call `pump` afterwards. */
  taken(node: PackedNode): void {
    if (this.#isStopped) return;
    if (!this.#isSettled && !this.#wasAsked(node)) this.#ask(node);
    if (this.#roundTimer === undefined) this.#armRound();
  }

  /** Asks the candidates, nearest first, as many as may wait at a time. */
  pump(): void {
    while (this.#slots.size < PARALLEL) {
      const node = this.#candidates.shift();
      if (node === undefined) return;
      if (this.#isWorthAsking(node)) this.#ask(node);
    }
  }

  /** Asks this very node, whatever the list thinks of it. */
  ask(node: PackedNode): void {
    if (!this.#isStopped && !this.#isSettled && !this.#wasAsked(node)) this.#ask(node);
  }

  /** Starts the quick rounds over. */
  hurry(): void {
    this.#rounds = 0;
    this.#isSettled = false;
    this.#roundTimer?.();
    this.#roundTimer = undefined;
    if (!this.#isStopped) this.#armRound();
  }

  /** Nothing is left to find for now: rounds become rare. */
  settle(): void {
    this.#isSettled = true;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  stop(): void {
    this.#isStopped = true;
    this.#roundTimer?.();
    this.#roundTimer = undefined;
    for (const cancel of this.#slots) cancel();
    this.#slots.clear();
    this.#candidates.length = 0;
  }

  #isWorthAsking({ publicKey, endpoint }: PackedNode): boolean {
    if (this.#wasAsked({ publicKey, endpoint }) || this.#asker.isBeingProven(publicKey, endpoint)) return false;
    return this.list.wants(publicKey, endpoint, this.#clock.monotonic());
  }

  #wasAsked(node: PackedNode): boolean {
    const asked = this.#asked.get(nodeKey(node.publicKey, node.endpoint));
    if (asked === undefined) return false;
    const patience = Math.min(FIRST_PATIENCE * 2 ** (asked.times - 1), LAST_PATIENCE);
    return this.#clock.monotonic() - asked.at < patience;
  }

  #ask(node: PackedNode, target = this.target): void {
    this.#remember(node);
    const freeAt = this.#clock.monotonic() + IMPATIENCE;
    const cancel = this.#clock.at(freeAt, () => {
      this.#slots.delete(cancel);
      this.pump();
    });
    this.#slots.add(cancel);
    const onAnswer = () => {
      cancel();
      this.#slots.delete(cancel);
    };
    if (!this.#asker.nodes(node.publicKey, node.endpoint, target, onAnswer)) onAnswer();
  }

  #remember(node: PackedNode): void {
    const key = nodeKey(node.publicKey, node.endpoint);
    const asked = this.#asked.get(key);
    this.#asked.delete(key);
    this.#asked.set(key, { at: this.#clock.monotonic(), times: (asked?.times ?? 0) + 1 });
    const oldest = this.#asked.size > MAX_REMEMBERED ? this.#asked.oldestKey() : undefined;
    if (oldest !== undefined) this.#asked.delete(oldest);
  }

  #armRound(interval?: number): void {
    const regular = this.#isSettled ? SETTLED_INTERVAL : NODES_REQUEST_INTERVAL;
    const wait = interval ?? QUICK_ROUNDS[this.#rounds] ?? regular;
    this.#roundTimer = this.#clock.at(this.#clock.monotonic() + wait, () => {
      this.#roundTimer = undefined;
      this.#round();
    });
  }

  /** Asks one random node of the list, in a quick round the nearest ones too. An empty list waits for `taken`. */
  #round(): void {
    const now = this.#clock.monotonic();
    const nodes = [...this.list.nodes()];
    const good = nodes.filter((entry) => entry.isGood(now));
    const chosen = randomItem(this.#random, good);
    if (chosen === undefined) {
      if (nodes.length > 0) this.#armRound(NODES_REQUEST_INTERVAL);
      return;
    }
    const node = chosen.best(now)?.node;
    if (node !== undefined) this.#ask(node, this.#roundTarget?.() ?? this.target);
    const isQuick = this.#rounds < QUICK_ROUNDS.length;
    if (isQuick) for (const near of this.#nearestOf(good, now)) if (near !== node) this.#ask(near);
    this.#rounds++;
    this.#armRound();
  }

  /** The nearest nodes but the target himself, who knows nothing of where he is. */
  #nearestOf(entries: readonly NodeEntry[], now: number): PackedNode[] {
    const others = entries.filter((entry) => !sameBytes(entry.publicKey, this.target));
    others.sort((a, b) => compareDistance(this.target, a.publicKey, b.publicKey));
    return others.slice(0, ASKED_IN_QUICK_ROUND).flatMap((entry) => entry.best(now)?.node ?? []);
  }
}
