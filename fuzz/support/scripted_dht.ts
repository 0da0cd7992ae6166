import type { Crypto } from "../../src/crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../src/crypto/shared_key_cache.ts";
import { compareDistance } from "../../src/dht/distance.ts";
import type { Endpoint } from "../../src/env/datagram.ts";
import type { OnionDht } from "../../src/onion/ports.ts";
import { isLanAddress, sameEndpoint } from "../../src/util/endpoint.ts";
import { shuffle } from "../../src/util/random_numbers.ts";
import type { PackedNode } from "../../src/wire/packed_node.ts";

/** A DHT that knows the nodes which a program gives it. */
export class ScriptedDht implements OnionDht {
  readonly keyPair: KeyPair;
  readonly sharedKeys: SharedKeyCache;
  readonly handlers = new Map<number, (sender: PublicKey, payload: Uint8Array) => void>();
  nodes: readonly PackedNode[] = [];
  connected = false;
  /** DHT requests that it was asked to send. */
  requests = 0;
  readonly #crypto: Crypto;
  readonly #onConnected = new Set<(connected: boolean) => void>();
  readonly #onNode = new Set<() => void>();
  readonly #onNodeLost = new Set<(publicKey: PublicKey) => void>();

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
    this.keyPair = crypto.keyPair();
    this.sharedKeys = new SharedKeyCache(crypto, this.keyPair.secretKey);
  }

  /** How many listeners there are. */
  get listeners(): number {
    return this.#onConnected.size + this.#onNode.size + this.#onNodeLost.size;
  }

  closestNodes(key: Uint8Array, count: number, lan: boolean): PackedNode[] {
    const nodes = this.nodes.filter(({ endpoint }) => lan || !isLanAddress(endpoint.address));
    return nodes.sort((a, b) => compareDistance(key, a.publicKey, b.publicKey)).slice(0, count);
  }

  randomNodes(count: number): PackedNode[] {
    return shuffle(this.#crypto.random, [...this.nodes]).slice(0, count);
  }

  isNodeAt(endpoint: Endpoint): boolean {
    return this.nodes.some((node) => sameEndpoint(node.endpoint, endpoint));
  }

  onConnected(listener: (connected: boolean) => void): () => void {
    return subscribe(this.#onConnected, listener);
  }

  onNode(listener: () => void): () => void {
    return subscribe(this.#onNode, listener);
  }

  onNodeLost(listener: (publicKey: PublicKey) => void): () => void {
    return subscribe(this.#onNodeLost, listener);
  }

  /** Has these nodes from now on, and tells who listens. */
  become(nodes: readonly PackedNode[]): void {
    const lost = this.nodes.filter((node) => !nodes.includes(node));
    this.nodes = nodes;
    for (const { publicKey } of lost) for (const listener of this.#onNodeLost) listener(publicKey);
    for (const listener of this.#onNode) listener();
    if (this.connected === nodes.length > 0) return;
    this.connected = nodes.length > 0;
    for (const listener of this.#onConnected) listener(this.connected);
  }

  doubt(): void {}

  considerNode(): void {}

  sendDhtRequest(): number {
    this.requests++;
    return 1;
  }

  onDhtRequest(id: number, handler: (sender: PublicKey, payload: Uint8Array) => void): void {
    this.handlers.set(id, handler);
  }
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
