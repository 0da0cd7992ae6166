import type { PublicKey } from "../crypto/keys.ts";
import type { Cancel, Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import { sameBytes } from "../util/bytes.ts";
import { isLanAddress, sameEndpoint } from "../util/endpoint.ts";
import type { PackedNode } from "../wire/packed_node.ts";
import { isNodeAddress, normalizedEndpoint } from "./addresses.ts";
import type { Asker } from "./asker.ts";
import { compareDistance } from "./distance.ts";
import type { NodeTable } from "./node_table.ts";

/** ping.c MAX_TO_PING. */
const MAX_WAITING = 32;
/** Pings in one go, and how fast (ms a ping) that allowance comes back. toxcore sends 32 every 2 s. */
const BURST = 16;
const INTERVAL = 125;
/** A friend's request says that our ping to him may have come too early, before his NAT was open: after this (ms) another goes. */
const PATIENCE_WITH_FRIEND = 200;

/**
 * Pings strangers who have sent us a request, so that they come into our lists once they have answered. One ping at most
 * for a request, and a bounded number in a second, so that nobody makes us flood the address he pretends to have.
 */
export class Greeter {
  readonly #self: PublicKey;
  readonly #clock: Clock;
  readonly #table: NodeTable;
  readonly #asker: Asker;
  readonly #isSearched: (publicKey: Uint8Array) => boolean;
  readonly #waiting: PackedNode[] = []; // friends' nodes, then the nearest to us first; bounded by MAX_WAITING
  #allowance = BURST;
  #countedAt: number;
  #timer: Cancel | undefined;

  constructor(
    self: PublicKey,
    clock: Clock,
    table: NodeTable,
    asker: Asker,
    isSearched: (publicKey: Uint8Array) => boolean,
  ) {
    this.#self = self;
    this.#clock = clock;
    this.#table = table;
    this.#asker = asker;
    this.#isSearched = isSearched;
    this.#countedAt = clock.monotonic();
  }

  /** `publicKey` is a view of the packet. */
  consider(publicKey: PublicKey, from: Endpoint): void {
    const endpoint = normalizedEndpoint(from);
    if (!this.#isWanted(publicKey, endpoint)) return;
    // Those who wait have their turn first, or a flood would leave them nothing.
    const isNext = this.#waiting.length === 0 || this.#isSearched(publicKey);
    if (isNext && this.#takeAllowance()) this.#asker.ping(publicKey, endpoint);
    else this.#enqueue({ publicKey: publicKey.slice() as PublicKey, endpoint });
  }

  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#waiting.length = 0;
  }

  #isWanted(publicKey: PublicKey, endpoint: Endpoint): boolean {
    const known = this.#table.get(publicKey)?.association(endpoint.family);
    if (known?.isGood(this.#clock.monotonic())) {
      if (sameEndpoint(known.endpoint, endpoint)) return false;
      // It has moved, or has two addresses: that of a neighbour in the LAN is kept.
      if (known.isLan && !isLanAddress(endpoint.address)) return false;
    } else if (!this.#isSearched(publicKey) && !this.#table.wants(publicKey, endpoint)) {
      return false;
    }
    if (!isNodeAddress(endpoint)) return false;
    if (!this.#asker.isPinging(publicKey, endpoint)) return true;
    return this.#isSearched(publicKey) && !this.#asker.wasAskedWithin(PATIENCE_WITH_FRIEND, publicKey, endpoint);
  }

  #enqueue(node: PackedNode): void {
    if (this.#waiting.some((other) => sameBytes(other.publicKey, node.publicKey))) return;
    let at = this.#isSearched(node.publicKey) ? 0 : this.#waiting.length;
    while (at > 0 && this.#isBefore(node.publicKey, keyAt(this.#waiting, at - 1))) at--;
    this.#waiting.splice(at, 0, node);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.pop();
    if (this.#timer === undefined) this.#arm();
  }

  /** Strangers can choose keys as near to ours as they like, but none that we look for. */
  #isBefore(publicKey: PublicKey, other: PublicKey): boolean {
    return !this.#isSearched(other) && compareDistance(this.#self, publicKey, other) < 0;
  }

  #arm(): void {
    this.#timer = this.#clock.at(this.#clock.monotonic() + INTERVAL, () => {
      this.#timer = undefined;
      this.#drain();
      if (this.#waiting.length > 0) this.#arm();
    });
  }

  #drain(): void {
    while (this.#waiting.length > 0 && this.#takeAllowance()) {
      const { publicKey, endpoint } = this.#waiting.shift() as PackedNode;
      if (this.#isWanted(publicKey, endpoint)) this.#asker.ping(publicKey, endpoint);
    }
  }

  #takeAllowance(): boolean {
    const now = this.#clock.monotonic();
    this.#allowance = Math.min(BURST, this.#allowance + (now - this.#countedAt) / INTERVAL);
    this.#countedAt = now;
    if (this.#allowance < 1) return false;
    this.#allowance--;
    return true;
  }
}

function keyAt(nodes: readonly PackedNode[], at: number): PublicKey {
  return (nodes[at] as PackedNode).publicKey;
}
