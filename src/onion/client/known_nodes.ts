import type { PublicKey } from "../../crypto/keys.ts";
import { compareDistance } from "../../dht/distance.ts";
import type { Random } from "../../env/random.ts";
import { KeyMap } from "../../util/key_map.ts";
import { shuffle } from "../../util/random_numbers.ts";
import type { PackedNode } from "../../wire/packed_node.ts";

interface Known {
  readonly node: PackedNode;
  /** Given to us to start from: it is not forgotten, since there may be no other. */
  readonly given: boolean;
  misses: number;
}

const MAX_GIVEN = 64;
const MAX_KNOWN = 128;
const MAX_MISSES = 6;

/**
 * Nodes of the DHT that we know without being in it: those that we were given to start from, and announce nodes that have
 * answered. Where UDP does not work, they are what paths are made of. toxcore's path_nodes.
 */
export class KnownNodes {
  readonly #nodes: KeyMap<Known>; // bounded by MAX_KNOWN, the oldest that was not given goes
  #given = 0;

  constructor(seed: number) {
    this.#nodes = new KeyMap(seed);
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** Somebody's node to start from; of several addresses of one, its IPv4 address, which every relay can send to. */
  give(node: PackedNode): void {
    const known = this.#nodes.get(node.publicKey);
    if (known?.given === true && known.node.endpoint.family === 4 && node.endpoint.family === 6) return;
    if (known?.given !== true && this.#given++ >= MAX_GIVEN) return;
    this.#nodes.delete(node.publicKey);
    this.#add({ node, given: true, misses: 0 });
  }

  /** A node that has just answered, over whatever path. */
  answered(node: PackedNode): void {
    const known = this.#nodes.get(node.publicKey);
    if (known === undefined) this.#add({ node, given: false, misses: 0 });
    else this.#nodes.set(node.publicKey, { ...known, node, misses: 0 }); // where it answers is where it is
  }

  /** What went over this node, or to it, has got no answer. */
  missed(publicKey: PublicKey): void {
    const known = this.#nodes.get(publicKey);
    if (known !== undefined && ++known.misses >= MAX_MISSES && !known.given) this.#nodes.delete(publicKey);
  }

  /** At most `count`, in random order, those that lately failed last. */
  random(count: number, random: Random): PackedNode[] {
    const all = shuffle(random, [...this.#nodes.values()]);
    all.sort((a, b) => Number(a.misses >= MAX_MISSES) - Number(b.misses >= MAX_MISSES));
    return all.slice(0, count).map(({ node }) => node);
  }

  /** At most `count`, the nearest to `key` first. */
  closest(key: Uint8Array, count: number): PackedNode[] {
    const all = [...this.#nodes.values()].map(({ node }) => node);
    return all.sort((a, b) => compareDistance(key, a.publicKey, b.publicKey)).slice(0, count);
  }

  clear(): void {
    this.#nodes.clear();
    this.#given = 0;
  }

  #add(known: Known): void {
    if (this.#nodes.size >= MAX_KNOWN) this.#forgetOne();
    this.#nodes.set(known.node.publicKey, known);
  }

  #forgetOne(): void {
    for (const { node, given } of this.#nodes.values()) {
      if (given) continue;
      this.#nodes.delete(node.publicKey);
      return;
    }
  }
}
