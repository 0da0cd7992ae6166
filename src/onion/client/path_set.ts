import type { Crypto } from "../../crypto/crypto.ts";
import type { PublicKey } from "../../crypto/keys.ts";
import { randomBelow } from "../../util/random_numbers.ts";
import type { PackedNode } from "../../wire/packed_node.ts";
import { makeOnionPath, makeRelayedOnionPath } from "../path_packet.ts";
import { type FirstHop, firstHopKey } from "./first_hop.ts";
import { OnionPath } from "./onion_path.ts";
import { choosePathNodes, differentNodes, relayedPathNodes } from "./path_nodes.ts";
import type { Ways } from "./ways.ts";

/** toxcore's NUMBER_ONION_PATHS. */
export const PATHS_PER_SET = 6;
/** Enough to choose three of, from different networks. */
const NODES_TO_CHOOSE_FROM = 24;
/** A path over fewer than three nodes, made when we knew no more, is weighed again after so many ms. */
const REVIEW_INTERVAL = 10_000;
/** Data comes back over the path of an announcement, which an announce node keeps for 300 s. */
const FIRST_HOP_MEMORY = 600_000;
const MAX_FIRST_HOPS = 64;

/** The paths for one purpose. Announcing and searching have a set each, so that no exit sees both. */
export class PathSet {
  readonly #crypto: Crypto;
  readonly #ways: Ways;
  readonly #slots: Array<OnionPath | undefined> = new Array(PATHS_PER_SET).fill(undefined);
  readonly #firstHops = new Map<string, number>(); // bounded by MAX_FIRST_HOPS, the oldest goes

  constructor(crypto: Crypto, ways: Ways) {
    this.#crypto = crypto;
    this.#ways = ways;
  }

  /** A path for a request to `destination`: `preferred` as long as it lives. Undefined when no node is known. */
  take(destination: PackedNode, now: number, preferred?: OnionPath): OnionPath | undefined {
    if (preferred && this.#serves(preferred, now) && preferred.reaches(destination)) return preferred;
    let makeshift: OnionPath | undefined;
    const start = randomBelow(this.#crypto.random, PATHS_PER_SET);
    for (let i = 0; i < PATHS_PER_SET; i++) {
      const path = this.#pathAt((start + i) % PATHS_PER_SET, destination, now);
      if (path === undefined || !path.reaches(destination)) continue;
      if (path.suits(destination)) return path;
      makeshift ??= path;
    }
    return makeshift;
  }

  /** A path for data, which nobody answers: one that is known to work, if there is any. */
  takeProven(destination: PackedNode, now: number): OnionPath | undefined {
    const start = randomBelow(this.#crypto.random, PATHS_PER_SET);
    for (let i = 0; i < PATHS_PER_SET; i++) {
      const path = this.#slots[(start + i) % PATHS_PER_SET];
      if (path?.proven && this.#serves(path, now) && path.reaches(destination) && path.suits(destination)) return path;
    }
    return this.take(destination, now);
  }

  /** Notes that an answer came over `path`. */
  answered(path: OnionPath, now: number): void {
    path.answered();
    const key = firstHopKey(path.firstHop);
    this.#firstHops.delete(key);
    this.#firstHops.set(key, now);
    if (this.#firstHops.size > MAX_FIRST_HOPS) {
      for (const oldest of this.#firstHops.keys()) {
        this.#firstHops.delete(oldest);
        break;
      }
    }
  }

  /** Whether a path that worked lately began there. */
  beganAt(hop: FirstHop, now: number): boolean {
    const at = this.#firstHops.get(firstHopKey(hop));
    return at !== undefined && now - at < FIRST_HOP_MEMORY;
  }

  /** A node has gone: gives up the paths that go over it. */
  avoid(publicKey: PublicKey): void {
    for (const path of this.#slots) if (path?.goesOver(publicKey)) path.retire(this.#crypto);
  }

  /** Gives all paths up: the network is gone, and the next may be another. */
  clear(): void {
    for (const path of this.#slots) path?.retire(this.#crypto);
    this.#slots.fill(undefined);
  }

  #serves(path: OnionPath, now: number): boolean {
    return path.alive(now) && this.#ways.serves(path.firstHop);
  }

  #pathAt(slot: number, destination: PackedNode, now: number): OnionPath | undefined {
    const present = this.#slots[slot];
    if (present && this.#serves(present, now)) return this.#widened(present, slot, destination, now);
    present?.retire(this.#crypto);
    const path = this.#make(destination, now, 0);
    this.#slots[slot] = path;
    return path;
  }

  /** Fewer than three nodes know too much: as soon as we know more nodes, a better path takes the place. */
  #widened(path: OnionPath, slot: number, destination: PackedNode, now: number): OnionPath {
    if (path.width === 3 || now - path.reviewedAt < REVIEW_INTERVAL) return path;
    path.reviewedAt = now;
    const wider = this.#make(destination, now, path.width);
    if (wider === undefined) return path;
    path.retire(this.#crypto);
    this.#slots[slot] = wider;
    return wider;
  }

  #make(destination: PackedNode, now: number, widerThan: number): OnionPath | undefined {
    const known = this.#ways.randomNodes(NODES_TO_CHOOSE_FROM);
    const relay = this.#ways.relayHop();
    if (relay === undefined && this.#ways.overRelays) return undefined;
    const nodes = relay ? relayedPathNodes(relay, known, destination) : choosePathNodes(known, destination);
    if (nodes === undefined || differentNodes(nodes) <= widerThan) return undefined;
    const [, second, third] = nodes;
    const keys = relay
      ? makeRelayedOnionPath(this.#crypto, this.#ways, relay, [second, third])
      : makeOnionPath(this.#crypto, this.#ways, nodes);
    return keys && new OnionPath(keys, nodes, now);
  }
}
