import { Crypto } from "../../../../src/crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../../../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../../../src/crypto/shared_key_cache.ts";
import { compareDistance } from "../../../../src/dht/distance.ts";
import type { Endpoint } from "../../../../src/env/datagram.ts";
import { UdpNetwork } from "../../../../src/network/udp_network.ts";
import { loadCryptoProvider } from "../../../../src/node/crypto_loader.ts";
import { OnionClient } from "../../../../src/onion/client/onion_client.ts";
import type { FinderFriend, FoundListener } from "../../../../src/onion/client/types.ts";
import type { OnionDht } from "../../../../src/onion/ports.ts";
import { OnionServer } from "../../../../src/onion/server/onion_server.ts";
import type { SimHost } from "../../../../src/testing/simulated_host.ts";
import { Universe, type UniverseOptions } from "../../../../src/testing/universe.ts";
import { sameBytes } from "../../../../src/util/bytes.ts";
import { isLanAddress, sameEndpoint } from "../../../../src/util/endpoint.ts";
import { shuffle } from "../../../../src/util/random_numbers.ts";
import type { PackedNode } from "../../../../src/wire/packed_node.ts";

const provider = await loadCryptoProvider();

type DhtRequestHandler = (sender: PublicKey, payload: Uint8Array) => void;

/** A DHT that knows every node of its world but itself, at once. */
export class FakeDht implements OnionDht {
  readonly keyPair: KeyPair;
  readonly sharedKeys: SharedKeyCache;
  readonly considered: PackedNode[] = [];
  readonly handlers = new Map<number, DhtRequestHandler>();
  connected = false;
  /** Which nodes it knows. */
  knows: (node: PackedNode) => boolean = () => true;
  /** How many DHT requests it was asked to send. */
  requests = 0;
  readonly #world: World;
  readonly #crypto: Crypto;
  readonly #listeners = new Set<(connected: boolean) => void>();

  constructor(world: World, crypto: Crypto) {
    this.#world = world;
    this.#crypto = crypto;
    this.keyPair = crypto.keyPair();
    this.sharedKeys = new SharedKeyCache(crypto, this.keyPair.secretKey);
  }

  closestNodes(key: Uint8Array, count: number, lan: boolean): PackedNode[] {
    const nodes = this.#known().filter((node) => lan || !isLanAddress(node.endpoint.address));
    return nodes.sort((a, b) => compareDistance(key, a.publicKey, b.publicKey)).slice(0, count);
  }

  randomNodes(count: number): PackedNode[] {
    return shuffle(this.#crypto.random, this.#known()).slice(0, count);
  }

  onConnected(listener: (connected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onNode(): () => void {
    return () => {};
  }

  onNodeLost(): () => void {
    return () => {};
  }

  doubt(): void {}

  connect(connected = true): void {
    this.connected = connected;
    for (const listener of this.#listeners) listener(connected);
  }

  isNodeAt(endpoint: Endpoint): boolean {
    return this.#known().some((node) => sameEndpoint(node.endpoint, endpoint));
  }

  considerNode(node: PackedNode): void {
    this.considered.push(node);
  }

  sendDhtRequest(target: PublicKey, id: number, payload: Uint8Array): number {
    this.requests++;
    return this.#world.routeDhtRequest(this.keyPair.publicKey, target, id, payload.slice());
  }

  onDhtRequest(id: number, handler: DhtRequestHandler): void {
    this.handlers.set(id, handler);
  }

  #known(): PackedNode[] {
    const others = this.#world.nodes.filter((node) => !sameBytes(node.publicKey, this.keyPair.publicKey));
    return others.filter((node) => this.knows(node));
  }
}

/** A machine with a DHT and an onion server, and a client when asked for one. */
export interface Machine {
  readonly host: SimHost;
  readonly network: UdpNetwork;
  readonly crypto: Crypto;
  readonly dht: FakeDht;
  readonly node: PackedNode;
  readonly server: OnionServer;
}

export interface Person extends Machine {
  readonly self: KeyPair;
  readonly client: OnionClient;
}

/** What a search has brought. */
export interface Watched extends FoundListener {
  readonly keys: PublicKey[];
  readonly nodes: PackedNode[];
  reachable: number;
  friend: FinderFriend;
}

export class World {
  readonly universe: Universe;
  readonly nodes: PackedNode[] = [];
  readonly machines: Machine[] = [];
  /** Whether DHT requests arrive. */
  dhtRequests = true;

  constructor(options: UniverseOptions = {}) {
    this.universe = new Universe(options);
  }

  async machine(name = `node-${this.machines.length}`, address?: string): Promise<Machine> {
    const host = this.universe.host(name, address === undefined ? {} : { ipv4: address });
    return this.#install(host);
  }

  /** A person on a new machine, or again on one that has crashed. */
  async person(name: string, self?: KeyPair, host = this.universe.host(name)): Promise<Person> {
    const machine = await this.#install(host);
    const { network, dht, crypto } = machine;
    const keys = self ?? crypto.keyPair();
    const { clock, metrics, logger } = host.edges;
    const client = new OnionClient({ network, dht, clock, crypto, self: keys, metrics, logger });
    return { ...machine, self: keys, client };
  }

  /** Takes a machine out of the network without a good-bye. */
  crash(machine: Machine): void {
    machine.host.crash();
    this.nodes.splice(this.nodes.indexOf(machine.node), 1);
    this.machines.splice(this.machines.indexOf(machine), 1);
  }

  async fill(count: number): Promise<Machine[]> {
    const machines: Machine[] = [];
    for (let i = 0; i < count; i++) machines.push(await this.machine());
    return machines;
  }

  routeDhtRequest(sender: PublicKey, target: PublicKey, id: number, payload: Uint8Array): number {
    const machine = this.machines.find(({ dht }) => sameBytes(dht.keyPair.publicKey, target));
    if (machine === undefined || !this.dhtRequests) return 0;
    this.universe.at(this.universe.now + 60, () => machine.dht.handlers.get(id)?.(sender, payload));
    return 1;
  }

  async #install(host: SimHost): Promise<Machine> {
    const { random, metrics, clock, logger, datagrams } = host.edges;
    const network = await UdpNetwork.bind(datagrams, { ports: [33445] }, metrics);
    const crypto = new Crypto(provider, random);
    const dht = new FakeDht(this, crypto);
    const server = new OnionServer({ network, dht, clock, crypto, metrics, logger });
    const node: PackedNode = { publicKey: dht.keyPair.publicKey, endpoint: host.endpoint(33445) };
    const machine = { host, network, crypto, dht, node, server };
    this.nodes.push(node);
    this.machines.push(machine);
    return machine;
  }
}

/** Makes `person` search for `other`. */
export function watch(person: Person, other: PublicKey, onReachable?: (friend: FinderFriend) => void): Watched {
  const watched = {
    keys: [] as PublicKey[],
    nodes: [] as PackedNode[],
    reachable: 0,
    onDhtPublicKey(key: PublicKey, nodes: readonly PackedNode[]) {
      watched.keys.push(key);
      watched.nodes.push(...nodes);
    },
    onReachable() {
      watched.reachable++;
      onReachable?.(watched.friend);
    },
  } as unknown as Watched;
  (watched as { friend: FinderFriend }).friend = person.client.addFriend(other, watched);
  return watched;
}

/** Whether the last key that was told is this person's now. */
export function knowsKey(watched: Watched, person: Machine): boolean {
  const last = watched.keys.at(-1);
  return last !== undefined && sameBytes(last, person.dht.keyPair.publicKey);
}
