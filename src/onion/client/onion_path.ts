import type { Crypto } from "../../crypto/crypto.ts";
import type { PublicKey } from "../../crypto/keys.ts";
import type { Endpoint } from "../../env/datagram.ts";
import { sameBytes } from "../../util/bytes.ts";
import { isLanAddress } from "../../util/endpoint.ts";
import type { PackedNode } from "../../wire/packed_node.ts";
import type { OnionPathKeys } from "../path_packet.ts";
import type { FirstHop } from "./first_hop.ts";
import { differentNodes, type PathNodes } from "./path_nodes.ts";

// c-toxcore onion_client.h, in ms
const FIRST_TIMEOUT = 4_000;
const TIMEOUT = 10_000;
const MAX_LIFETIME = 1_200_000;
const MAX_UNANSWERED_USES = 4;
/** A path or an announce node that has lasted so long is trusted with longer intervals. */
export const TIME_TO_STABLE = 90_000;

/** A path and what we know of its health. */
export class OnionPath {
  readonly keys: OnionPathKeys;
  readonly createdAt: number;
  /** How many different nodes it goes over, 1–3. */
  readonly width: number;
  /** When it was last weighed whether a wider one can be had. */
  reviewedAt: number;
  #unansweredUses = MAX_UNANSWERED_USES / 2; // a path that never works is given up early
  #lastUsed: number;
  #answered = false;
  #retired = false;

  constructor(keys: OnionPathKeys, nodes: PathNodes, now: number) {
    this.keys = keys;
    this.width = differentNodes(nodes);
    this.createdAt = now;
    this.reviewedAt = now;
    this.#lastUsed = now;
  }

  get firstHop(): FirstHop {
    const { relay, nodes } = this.keys;
    return relay === undefined ? { endpoint: nodes[0].endpoint } : { relay };
  }

  /** Whether it begins in a local network, so that nodes there mean something to it. */
  get beginsInLan(): boolean {
    return isLanAddress(this.keys.nodes[0].endpoint.address);
  }

  /** The node that the destination sees, and that ping_ids are bound to. */
  get exit(): Endpoint {
    return this.keys.nodes[2].endpoint;
  }

  /** Whether an answer has come over it. */
  get proven(): boolean {
    return this.#answered;
  }

  /** Counts a request that must be answered. */
  used(now: number): void {
    if (this.#unansweredUses < MAX_UNANSWERED_USES) this.#lastUsed = now;
    this.#unansweredUses++;
  }

  answered(): void {
    this.#answered = true;
    this.#unansweredUses = 0;
  }

  alive(now: number): boolean {
    if (this.#retired || now - this.createdAt >= MAX_LIFETIME) return false;
    const timeout = this.#answered ? TIMEOUT : FIRST_TIMEOUT;
    return this.#unansweredUses < MAX_UNANSWERED_USES || now - this.#lastUsed < timeout;
  }

  stable(now: number): boolean {
    return now - this.createdAt >= TIME_TO_STABLE && (this.#unansweredUses === 0 || now - this.#lastUsed < TIMEOUT);
  }

  /** Whether the exit can reach the destination: a LAN address needs an exit on that LAN. */
  reaches(destination: PackedNode): boolean {
    return !isLanAddress(destination.endpoint.address) || isLanAddress(this.exit.address);
  }

  /** Whether the destination would not meet itself on the way, nor an exit of the other address family. */
  suits(destination: PackedNode): boolean {
    if (this.exit.family !== destination.endpoint.family) return false;
    return this.width < 3 || !this.goesOver(destination.publicKey);
  }

  goesOver(publicKey: PublicKey): boolean {
    return this.keys.nodes.some((hop) => sameBytes(hop.nodePublicKey, publicKey));
  }

  /** Takes it out of use and wipes its keys. */
  retire(crypto: Crypto): void {
    this.#retired = true;
    for (const hop of this.keys.nodes) crypto.wipe(hop.sharedKey);
  }
}
