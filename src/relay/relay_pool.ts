import type { Crypto } from "../crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../crypto/keys.ts";
import type { SharedKeyCache } from "../crypto/shared_key_cache.ts";
import type { Clock } from "../env/clock.ts";
import type { Logger } from "../env/logger.ts";
import type { Metrics } from "../env/metrics.ts";
import type { StreamPort, StreamTarget } from "../env/stream.ts";
import { Alarm } from "../onion/client/alarm.ts";
import type { OnionRelays, RelayHop } from "../onion/ports.ts";
import { sameBytes } from "../util/bytes.ts";
import { Emitter, type Unsubscribe } from "../util/emitter.ts";
import { sameEndpoint } from "../util/endpoint.ts";
import { KeyMap } from "../util/key_map.ts";
import { randomBelow, randomU32 } from "../util/random_numbers.ts";
import type { PackedNode } from "../wire/packed_node.ts";
import { isReady, type PooledRelay, type RelaySource } from "./pooled_relay.ts";
import { chooseOwn, surplusOf } from "./relay_choice.ts";
import { RelayClient, type RelayClientListener, type RelayTarget } from "./relay_client.ts";
import { type PeerPath, RelayRoute, type RouteListener } from "./relay_route.ts";

export interface RelayPoolOptions {
  readonly streams: StreamPort;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Our DHT keys: by these relays know us. */
  readonly self: KeyPair;
  readonly sharedKeys: SharedKeyCache;
}

const MAX_KNOWN = 128;
/** Nodes that may be relays leave room for relays that are some. */
const MAX_NODES = 64;
const MAX_ADDRESSES = 4;
const MAX_CONNECTIONS = 32;
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 300_000;

/**
 * The TCP relays of one instance: keeps connections to a few, finds friends over theirs and ours, and connects again
 * after a loss. c-toxcore `TCP_connection.c`.
 */
export class RelayPool implements OnionRelays {
  /** Handles packets of peers that came over a relay; `path` leads back. */
  onPacket: ((packet: Uint8Array, path: PeerPath, peer: PublicKey) => void) | undefined;
  readonly #options: RelayPoolOptions;
  readonly #relays: KeyMap<PooledRelay>; // bounded by MAX_KNOWN
  readonly #routes: KeyMap<RelayRoute>; // bounded by the friends there are
  readonly #events: Emitter<{ hops: undefined }>;
  readonly #alarm: Alarm;
  #onOnionResponse: ((packet: Uint8Array, relay: PublicKey) => void) | undefined;
  #hops: readonly RelayHop[] = [];
  #closed = false;
  #needed = false;

  constructor(options: RelayPoolOptions) {
    this.#options = options;
    this.#relays = new KeyMap(randomU32(options.crypto.random));
    this.#routes = new KeyMap(randomU32(options.crypto.random));
    this.#events = new Emitter(options.logger);
    this.#alarm = new Alarm(options.clock, () => this.#work());
  }

  /** Relays that are connected. */
  hops(): readonly RelayHop[] {
    return this.#hops;
  }

  /** Relays that we can be reached over, as friends are told them: at most `count`, our own first. */
  toShare(count: number): PackedNode[] {
    const nodes: PackedNode[] = [];
    const ready = [...this.#relays.values()].filter(isReady).sort((a, b) => Number(b.own) - Number(a.own));
    for (const { publicKey, client } of ready) {
      const endpoint = client?.endpoint;
      if (endpoint !== undefined && nodes.length < count) nodes.push({ publicKey, endpoint, transport: "tcp" });
    }
    return nodes;
  }

  /**
   * A relay that the app names: it is connected to as long as it is among the best. Naming it with another address is fine:
   * that is tried first.
   */
  addRelay(target: RelayTarget): void {
    const relay = this.#know(target, "app");
    if (relay === undefined) return;
    relay.source = "app";
    if (relay.addresses.length > 1 && relay.client?.state === "connecting") this.#drop(relay);
    this.#work();
  }

  /** A node that may be a relay on this port: it is tried once relays are needed. */
  addNode(target: RelayTarget): void {
    let nodes = 0;
    for (const { source } of this.#relays.values()) if (source === "node") nodes++;
    if (nodes < MAX_NODES && this.#know(target, "node") !== undefined) this.#work();
  }

  /** From now on nodes are tried as relays: there is no UDP, or there are friends whom it may not reach. */
  need(): void {
    if (this.#needed) return;
    this.#needed = true;
    this.#work();
  }

  /** Ways to a peer over relays, until `stop` is called on the answer. */
  routeTo(peer: PublicKey, listener: RouteListener): RelayRoute {
    this.#routes.get(peer)?.stop();
    const route = new RelayRoute(peer, listener, {
      wants: (nodes) => this.#friendRelays(nodes),
      changed: () => this.#work(),
      stopped: (stopped) => this.#forgetRoute(stopped),
    });
    if (this.#closed) return route;
    this.#routes.set(peer, route);
    for (const relay of this.#relays.values()) if (isReady(relay)) this.#offer(relay, route);
    this.#work();
    return route;
  }

  sendOnionRequest(relay: PublicKey, packet: Uint8Array): boolean {
    return this.#relays.get(relay)?.client?.sendOnionRequest(packet) ?? false;
  }

  onOnionResponse(handler: (packet: Uint8Array, relay: PublicKey) => void): void {
    this.#onOnionResponse = handler;
  }

  onHops(listener: () => void): Unsubscribe {
    return this.#events.on("hops", listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#alarm.set(undefined);
    this.#events.removeAll();
    for (const route of [...this.#routes.values()]) route.stop();
    for (const relay of this.#relays.values()) relay.client?.close();
    this.#relays.clear();
    this.#hops = [];
  }

  #know({ publicKey, address }: RelayTarget, source: RelaySource): PooledRelay | undefined {
    if (this.#closed || sameBytes(publicKey, this.#options.self.publicKey)) return undefined;
    const known = this.#relays.get(publicKey);
    if (known !== undefined) {
      if (source !== "friend") addAddress(known.addresses, address, source === "app");
      return known;
    }
    if (this.#relays.size >= MAX_KNOWN && !this.#forgetOne()) return undefined;
    const key = publicKey.slice() as Uint8Array as PublicKey;
    const fresh = {
      publicKey: key,
      addresses: [address],
      source,
      client: undefined,
      own: false,
      failures: 0,
      retryAt: 0,
    };
    this.#relays.set(key, fresh);
    return fresh;
  }

  /** Makes room: one that a friend told us, and that nobody uses. */
  #forgetOne(): boolean {
    for (const relay of this.#relays.values()) {
      if (relay.source !== "friend" || relay.client !== undefined || this.#isWanted(relay)) continue;
      return this.#relays.delete(relay.publicKey);
    }
    return false;
  }

  #friendRelays(nodes: readonly PackedNode[]): void {
    for (const { publicKey, endpoint } of nodes) this.#know({ publicKey, address: endpoint }, "friend");
    this.#work();
  }

  #forgetRoute(route: RelayRoute): void {
    if (this.#routes.get(route.peer) !== route) return;
    this.#routes.delete(route.peer);
    for (const { client } of this.#relays.values()) client?.dropRoute(route.peer);
    if (!this.#closed) this.#work();
  }

  #isWanted(relay: PooledRelay): boolean {
    for (const route of this.#routes.values()) if (route.needs(relay.publicKey)) return true;
    return false;
  }

  /** Connects to what is lacking, gives up what nobody needs, and says when to look again. */
  #work(): void {
    if (this.#closed) return;
    const now = this.#options.clock.monotonic();
    const all = [...this.#relays.values()];
    const random = (count: number) => randomBelow(this.#options.crypto.random, count);
    for (const relay of chooseOwn(all, now, this.#needed, random)) {
      relay.own = true;
      this.#connect(relay);
    }
    for (const relay of surplusOf(all)) relay.own = false;
    let due = Number.POSITIVE_INFINITY;
    for (const relay of all) {
      const wanted = relay.own || this.#isWanted(relay);
      if (relay.client !== undefined && !wanted) this.#drop(relay);
      else if (relay.client === undefined && wanted && relay.retryAt <= now) this.#connect(relay);
      if (relay.client === undefined && relay.retryAt > now) due = Math.min(due, relay.retryAt);
    }
    this.#alarm.set(due === Number.POSITIVE_INFINITY ? undefined : due);
  }

  #connect(relay: PooledRelay): void {
    const [address] = relay.addresses;
    if (address === undefined || relay.client !== undefined || this.#connectionCount() >= MAX_CONNECTIONS) return;
    const { streams, clock, crypto, metrics, logger, self, sharedKeys } = this.#options;
    const ports = { streams, clock, crypto, metrics, logger };
    const target = { publicKey: relay.publicKey, address };
    relay.client = new RelayClient({ ...ports, keyPair: self, sharedKeys }, target, this.#listenerOf(relay));
  }

  #connectionCount(): number {
    let count = 0;
    for (const relay of this.#relays.values()) if (relay.client !== undefined) count++;
    return count;
  }

  #drop(relay: PooledRelay): void {
    const { client } = relay;
    relay.client = undefined;
    client?.close();
    this.#lost(relay);
  }

  #listenerOf(relay: PooledRelay): RelayClientListener {
    const pathTo = (client: RelayClient, peer: PublicKey): PeerPath => {
      return this.#routes.get(peer)?.pathOver(client) ?? RelayRoute.strangersPath(client, peer);
    };
    return {
      onReady: (client) => {
        if (relay.client !== client) return;
        relay.failures = 0;
        for (const route of this.#routes.values()) this.#offer(relay, route);
        this.#hopsChanged();
        this.#work();
      },
      onPeer: (client, peer, online) => this.#routes.get(peer)?.peerIs(client, online),
      onPacket: (client, peer, packet) => this.onPacket?.(packet, pathTo(client, peer), peer),
      onOob: (client, peer, packet) => this.onPacket?.(packet, pathTo(client, peer), peer),
      onOnionResponse: (client, packet) => this.#onOnionResponse?.(packet, client.publicKey),
      onForwarding: () => {},
      onWritable: (client) => {
        for (const route of this.#routes.values()) route.writable(client);
      },
      onClosed: (client) => {
        if (relay.client !== client) return;
        relay.client = undefined;
        relay.own = false;
        const rounds = Math.floor(relay.failures++ / relay.addresses.length);
        const pause = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** Math.min(rounds, 16));
        if (client.connectMs === undefined) relay.addresses.push(...relay.addresses.splice(0, 1));
        relay.retryAt = this.#options.clock.monotonic() + pause;
        this.#lost(relay);
        this.#work();
      },
    };
  }

  /** A relay that is ready serves a route, too. */
  #offer(relay: PooledRelay, route: RelayRoute): void {
    if (relay.client !== undefined) route.offer(relay.client);
  }

  #lost(relay: PooledRelay): void {
    for (const route of this.#routes.values()) route.lost(relay.publicKey);
    this.#hopsChanged();
  }

  #hopsChanged(): void {
    const hops: RelayHop[] = [];
    for (const { publicKey, client } of this.#relays.values()) {
      if (client?.state !== "ready") continue;
      hops.push({ publicKey, endpoint: client.endpoint });
    }
    const had = this.#hops.length;
    this.#hops = hops;
    if (had !== hops.length || hops.length > 0) this.#events.emit("hops", undefined);
  }
}

/** Those that the app names for a relay go first. */
function addAddress(addresses: StreamTarget[], address: StreamTarget, first: boolean): void {
  const at = addresses.findIndex((known) => sameTarget(known, address));
  if (at >= 0 && !first) return;
  if (at >= 0) addresses.splice(at, 1);
  if (first) addresses.unshift(address);
  else addresses.push(address);
  if (addresses.length > MAX_ADDRESSES) addresses.pop();
}

function sameTarget(a: StreamTarget, b: StreamTarget): boolean {
  if ("family" in a) return "family" in b && sameEndpoint(a, b);
  return "host" in b && a.host === b.host && a.port === b.port;
}
