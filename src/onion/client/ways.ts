import type { Crypto } from "../../crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../../crypto/keys.ts";
import type { SharedKeyCache } from "../../crypto/shared_key_cache.ts";
import type { Endpoint } from "../../env/datagram.ts";
import type { UdpNetwork } from "../../network/udp_network.ts";
import { sameBytes } from "../../util/bytes.ts";
import type { Unsubscribe } from "../../util/emitter.ts";
import { randomBelow, randomU32 } from "../../util/random_numbers.ts";
import { MAX_ONION_NODES } from "../../wire/onion/sizes.ts";
import type { PackedNode } from "../../wire/packed_node.ts";
import type { OnionPathKeys } from "../path_packet.ts";
import type { OnionDht, OnionRelays, RelayHop } from "../ports.ts";
import type { FirstHop } from "./first_hop.ts";
import { KnownNodes } from "./known_nodes.ts";

/** Told to friends, beside nodes next to us, as toxcore does. */
const MAX_TOLD_RELAYS = 2;

export interface WaysOptions {
  readonly dht: OnionDht;
  readonly network: UdpNetwork;
  readonly crypto: Crypto;
  /** None when left out. */
  readonly relays?: OnionRelays | undefined;
}

/**
 * How the onion client reaches the network: over UDP as long as a node of the DHT answers, and over TCP relays when none
 * does. What is sent, and whom paths go over, is decided here; what is said in it is the same both ways.
 */
export class Ways {
  readonly #dht: OnionDht;
  readonly #network: UdpNetwork;
  readonly #crypto: Crypto;
  readonly #relays: OnionRelays | undefined;
  /** None without relays: then nodes are of no use that the DHT does not reach. */
  readonly #known: KnownNodes | undefined;
  readonly #unsubscribe: Unsubscribe[] = [];
  /** Where others reach us, if we know; told to friends, whose DHT asks there for us as it asks nodes next to us. */
  ownEndpoint: Endpoint | undefined;
  #onConnected: ((connected: boolean) => void) | undefined;
  #wasOverUdp: boolean;
  #wasConnected: boolean;

  constructor({ dht, network, crypto, relays }: WaysOptions) {
    this.#dht = dht;
    this.#network = network;
    this.#crypto = crypto;
    this.#relays = relays;
    this.#known = relays && new KnownNodes(randomU32(crypto.random));
    this.#wasOverUdp = dht.connected;
    this.#wasConnected = this.connected;
    this.#unsubscribe.push(dht.onConnected(() => this.#weigh()));
    if (relays !== undefined) this.#unsubscribe.push(relays.onHops(() => this.#weigh()));
  }

  get keyPair(): KeyPair {
    return this.#dht.keyPair;
  }

  get sharedKeys(): SharedKeyCache {
    return this.#dht.sharedKeys;
  }

  /** Whether nodes are known that paths over relays could go by. */
  get knowsNodes(): boolean {
    return this.#known !== undefined && this.#known.size > 0;
  }

  /** Whether packets find a way now. */
  get connected(): boolean {
    return this.#dht.connected || (this.knowsNodes && this.#hops().length > 0);
  }

  /** Whether that is over TCP relays. */
  get overRelays(): boolean {
    return !this.#dht.connected;
  }

  /** Calls the listener when `connected` changes, and with false and true when paths over UDP have become of no use. */
  onConnected(listener: (connected: boolean) => void): void {
    this.#onConnected = listener;
  }

  closestNodes(key: Uint8Array, count: number): PackedNode[] {
    return this.#known && this.overRelays ? this.#known.closest(key, count) : this.#dht.closestNodes(key, count, true);
  }

  randomNodes(count: number): PackedNode[] {
    return this.#known && this.overRelays
      ? this.#known.random(count, this.#crypto.random)
      : this.#dht.randomNodes(count);
  }

  /** A relay to begin a path at; undefined when there is none, or no need. */
  relayHop(): RelayHop | undefined {
    if (!this.overRelays) return undefined;
    const hops = this.#hops();
    return hops.length === 0 ? undefined : hops[randomBelow(this.#crypto.random, hops.length)];
  }

  /** Whether a path can begin there. */
  serves(hop: FirstHop): boolean {
    if (!("relay" in hop)) return true;
    return this.overRelays && this.#hops().some(({ publicKey }) => publicKey === hop.relay);
  }

  /** What friends are told of where we are: relays that we can be reached over, and nodes next to us. */
  nodesAroundUs(): PackedNode[] {
    const nodes: PackedNode[] = [];
    const relays = this.#relays?.toShare(MAX_TOLD_RELAYS + 1) ?? []; // our own server may be one
    nodes.push(
      ...relays.filter(({ publicKey }) => !sameBytes(publicKey, this.keyPair.publicKey)).slice(0, MAX_TOLD_RELAYS),
    );
    if (this.ownEndpoint !== undefined) {
      nodes.push({ publicKey: this.keyPair.publicKey, endpoint: this.ownEndpoint, transport: "udp" });
    }
    nodes.push(...this.#dht.closestNodes(this.keyPair.publicKey, MAX_ONION_NODES - nodes.length, true));
    return nodes;
  }

  /** Sends a packet that `buildOnionRequest` has made for this path. */
  send(path: OnionPathKeys, packet: Uint8Array): boolean {
    if (path.relay !== undefined) return this.#relays?.sendOnionRequest(path.relay, packet) ?? false;
    return this.#network.send(path.nodes[0].endpoint, packet);
  }

  /** A node to start from, whether UDP works or not. */
  startFrom(node: PackedNode): void {
    this.#known?.give(node);
    this.#weigh();
  }

  /** A node has answered over the onion. */
  answered(node: PackedNode): void {
    this.#known?.answered(node);
  }

  considerNode(node: PackedNode): void {
    this.#dht.considerNode(node);
  }

  doubt(publicKey: PublicKey): void {
    if (this.#known && this.overRelays) this.#known.missed(publicKey);
    else this.#dht.doubt(publicKey);
  }

  sendDhtRequest(target: PublicKey, id: number, payload: Uint8Array): number {
    return this.#dht.sendDhtRequest(target, id, payload);
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#onConnected = undefined;
    this.#known?.clear();
  }

  #hops(): readonly RelayHop[] {
    return this.#relays?.hops() ?? [];
  }

  #weigh(): void {
    const { connected } = this;
    const overUdp = this.#dht.connected;
    const udpDied = this.#wasOverUdp && !overUdp;
    const was = this.#wasConnected;
    this.#wasOverUdp = overUdp;
    this.#wasConnected = connected;
    if (was && (udpDied || !connected)) this.#onConnected?.(false);
    if (connected && (!was || udpDied)) this.#onConnected?.(true);
  }
}
