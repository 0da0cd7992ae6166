import type { Crypto } from "../crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../crypto/keys.ts";
import type { SharedKeyCache } from "../crypto/shared_key_cache.ts";
import type { Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { Logger } from "../env/logger.ts";
import type { Metrics } from "../env/metrics.ts";
import type { StreamPort } from "../env/stream.ts";
import { Alarm } from "../onion/client/alarm.ts";
import type { OnionRelays, RelayHop } from "../onion/ports.ts";
import { sameBytes } from "../util/bytes.ts";
import { Emitter, type Unsubscribe } from "../util/emitter.ts";
import { KeyMap } from "../util/key_map.ts";
import { randomBelow, randomU32 } from "../util/random_numbers.ts";
import type { PackedNode } from "../wire/packed_node.ts";
import { KnownRelays } from "./known_relays.ts";
import { endpointOf, isReady, type PooledRelay, targetOf } from "./pooled_relay.ts";
import { chooseOwn, surplusOf, TRIED_AT_ONCE } from "./relay_choice.ts";
import { RelayClient, type RelayClientListener, type RelayTarget } from "./relay_client.ts";
import { isOpening, type PeerPath, pathOver, RelayRoute, type RouteHost, type RouteListener } from "./relay_route.ts";
import { mayConnectTo, mayKnow } from "./told_relays.ts";

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

const MAX_CONNECTIONS = 32;
/** Of those, so many are not for friends' relays: our own must find room … */
const RESERVED = 8;
/** … and from so many on each friend gets one connection for his sake, so that none of them takes all. */
const SCARCE_FROM = 16;

/**
 * The TCP relays of one instance: keeps connections to a few, finds friends over theirs and ours, and connects again
 * after a loss. c-toxcore `TCP_connection.c`.
 */
export class RelayPool implements OnionRelays {
  /** Handles packets of peers that came over a relay; `path` leads back. */
  onPacket: ((packet: Uint8Array, path: PeerPath, peer: PublicKey) => void) | undefined;
  /** Called for each peer that a relay leads to, when that was full and takes packets again. */
  onWritable: ((peer: PublicKey) => void) | undefined;
  readonly #options: RelayPoolOptions;
  readonly #relays: KnownRelays;
  /** By peer; bounded by the friends there are. Two of them may claim the same DHT key: neither may cut off the other. */
  readonly #routes: KeyMap<readonly RelayRoute[]>;
  readonly #routeHost: RouteHost;
  readonly #events: Emitter<{ hops: undefined }>;
  readonly #alarm: Alarm;
  #onOnionResponse: ((packet: Uint8Array, relay: PublicKey) => void) | undefined;
  #hops: readonly RelayHop[] = [];
  #turn = 0;
  #needed = false;
  #vital = false;
  /** Whether it was said that no relay can be reached, since one last was. */
  #complained = false;
  /** Connections that failed since a relay last was ready. */
  #failures = 0;
  #closed = false;

  constructor(options: RelayPoolOptions) {
    const { clock, crypto, logger } = options;
    this.#options = options;
    this.#relays = new KnownRelays(crypto.random);
    this.#routes = new KeyMap(randomU32(crypto.random));
    this.#events = new Emitter(logger);
    this.#alarm = new Alarm(clock, () => this.#work());
    this.#routeHost = {
      clock,
      mayConnectTo: (relay, from) => mayConnectTo(relay, from, this.#relays.scope()),
      knows: ({ publicKey, endpoint }) => {
        const known = this.#relays.get(publicKey);
        return known !== undefined && (known.given || this.#relays.isAt(known, endpoint));
      },
      wants: (nodes) => this.#friendRelays(nodes),
      changed: () => this.#work(),
      stopped: (stopped) => this.#forgetRoute(stopped),
    };
  }

  /** Relays that are connected, other than ours, our own choice first. */
  hops(): readonly RelayHop[] {
    return this.#hops;
  }

  /**
   * Relays that we can be reached over, as a friend who is at `at` is told them: at most `count`, our own server first.
   * Those that another friend has named are not his business, whatever we use them for, nor are those in a network where
   * he is not.
   */
  toShare(count: number, at?: Endpoint): PackedNode[] {
    const nodes: PackedNode[] = [];
    const scope = this.#relays.scope();
    const ready = [...this.#relays.values()].filter(
      (relay) => isReady(relay) && relay.given && (relay.own || relay.ourServer),
    );
    for (const relay of ready.sort((a, b) => Number(!a.ourServer) - Number(!b.ourServer))) {
      const endpoint = relay.ourServer ?? endpointOf(relay);
      if (endpoint === undefined || nodes.length >= count) continue;
      if (relay.ourServer === undefined && !mayKnow(endpoint, at, scope)) continue;
      nodes.push({ publicKey: relay.publicKey, endpoint, transport: "tcp" });
    }
    return nodes;
  }

  /** A relay that the app names: it is connected to as long as it is among the best. Named again, it has another address. */
  addRelay(target: RelayTarget): void {
    if (this.#closed || sameBytes(target.publicKey, this.#options.self.publicKey)) return;
    const known = this.#relays.get(target.publicKey);
    // The address that it is being looked for at may be the wrong one.
    const isDoubted = known?.client?.state === "connecting" && !this.#relays.isAt(known, target.address);
    if (known && isDoubted) this.#drop(known);
    this.#relays.add(target, "app", (other) => this.#isWanted(other), isDoubted);
    this.#alarm.set(this.#options.clock.monotonic()); // when all that are named in this turn are known
  }

  /** A node that may be a relay on this port: it is tried once relays are needed. */
  addNode(target: RelayTarget): void {
    if (this.#closed || sameBytes(target.publicKey, this.#options.self.publicKey)) return;
    this.#relays.add(target, "node", (relay) => this.#isWanted(relay));
    this.#alarm.set(this.#options.clock.monotonic());
  }

  /**
   * From now on nodes are tried as relays, since there are friends whom UDP may not reach. `vital`: since there is no UDP, so
   * that it matters when no relay can be reached.
   */
  need(vital = false): void {
    this.#vital ||= vital;
    if (this.#needed) return;
    this.#needed = true;
    this.#work();
  }

  /** Our own server, under our key: we are found there as its client. `told`: its address, as friends are told it. */
  addOurServer(address: Endpoint, told: Endpoint): void {
    const { publicKey } = this.#options.self;
    if (this.#closed || this.#relays.get(publicKey) !== undefined) return;
    this.#relays.addOurs({ publicKey, address }, told);
    this.#work();
  }

  /** Ways to a peer over relays, until `stop` is called on the answer. */
  routeTo(peer: PublicKey, listener: RouteListener): RelayRoute {
    const route = new RelayRoute(peer, listener, this.#routeHost);
    if (this.#closed) return route;
    this.#routes.set(peer, [...this.#routesTo(peer), route]);
    for (const relay of [...this.#relays.values()]) this.#offer(relay, route);
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
    for (const route of this.#allRoutes()) route.stop();
    for (const relay of this.#relays.values()) relay.client?.close();
    this.#relays.clear();
    this.#hops = [];
  }

  #routesTo(peer: PublicKey): readonly RelayRoute[] {
    return this.#routes.get(peer) ?? [];
  }

  #allRoutes(): RelayRoute[] {
    return [...this.#routes.values()].flat();
  }

  #friendRelays(nodes: readonly PackedNode[]): void {
    for (const { publicKey, endpoint } of nodes) {
      if (sameBytes(publicKey, this.#options.self.publicKey)) continue;
      this.#relays.add({ publicKey, address: endpoint }, "friend", (relay) => this.#isWanted(relay));
    }
    this.#work();
  }

  #forgetRoute(route: RelayRoute): void {
    const { peer } = route;
    const others = this.#routesTo(peer).filter((other) => other !== route);
    if (others.length > 0) {
      this.#routes.set(peer, others);
    } else if (this.#routes.delete(peer)) {
      for (const relay of this.#relays.values()) {
        relay.paths.delete(peer);
        relay.client?.dropRoute(peer);
        for (const waiting of this.#allRoutes()) if (!waiting.hasOffer(relay.publicKey)) this.#offer(relay, waiting);
      }
    }
    if (!this.#closed) this.#work();
  }

  #isNamed(relay: PooledRelay): boolean {
    return this.#allRoutes().some((route) => route.names(relay.publicKey));
  }

  #isWanted(relay: PooledRelay): boolean {
    const now = this.#options.clock.monotonic();
    return this.#allRoutes().some((route) => route.needs(relay.publicKey, now));
  }

  /** Connects to what is lacking, gives up what nobody needs, and says when to look again. */
  #work(): void {
    if (this.#closed) return;
    const now = this.#options.clock.monotonic();
    const all = [...this.#relays.values()];
    const random = (count: number) => randomBelow(this.#options.crypto.random, count);
    const named = all.filter((relay) => relay.given || this.#isNamed(relay));
    for (const relay of chooseOwn(named, now, this.#needed, random)) {
      relay.own = true;
      this.#connect(relay);
    }
    for (const relay of surplusOf(all)) relay.own = false;
    // Whoever named it is no friend any more: he need not see when we are there.
    for (const relay of all) if (!relay.given && !this.#isNamed(relay)) relay.own = false;
    for (const relay of all) {
      const wanted = relay.own || relay.ourServer !== undefined || this.#isWanted(relay);
      if (relay.client !== undefined && !wanted) this.#drop(relay);
      else if (relay.client === undefined && wanted && relay.retryAt <= now) this.#connect(relay);
    }
    const times = [...all.map(retryOf), ...this.#allRoutes().map(({ needsUntil }) => needsUntil ?? now)];
    const due = Math.min(...times.map((time) => (time > now ? time : Number.POSITIVE_INFINITY)));
    if (!this.#closed) this.#alarm.set(due === Number.POSITIVE_INFINITY ? undefined : due);
  }

  #connect(relay: PooledRelay): void {
    const target = targetOf(relay);
    if (relay.client !== undefined || target === undefined || !this.#hasRoomFor(relay)) return;
    const { streams, clock, crypto, metrics, logger, self, sharedKeys } = this.#options;
    const ports = { streams, clock, crypto, metrics, logger };
    relay.client = new RelayClient({ ...ports, keyPair: self, sharedKeys }, target, this.#listenerOf(relay));
  }

  #hasRoomFor(relay: PooledRelay): boolean {
    const count = this.#relays.connectionCount();
    if (relay.own || relay.ourServer !== undefined) return count < MAX_CONNECTIONS;
    if (count < SCARCE_FROM) return true;
    if (count >= MAX_CONNECTIONS - RESERVED) return false;
    const now = this.#options.clock.monotonic();
    const connected = [...this.#relays.values()].filter(({ client }) => client !== undefined);
    return this.#allRoutes().some(
      (route) => route.needs(relay.publicKey, now) && !connected.some(({ publicKey }) => route.needs(publicKey, now)),
    );
  }

  #drop(relay: PooledRelay): void {
    const { client } = relay;
    this.#relays.ended(relay, this.#options.clock.monotonic());
    client?.close();
    if (client !== undefined) this.#lost(client);
  }

  #listenerOf(relay: PooledRelay): RelayClientListener {
    const { clock } = this.#options;
    const onPacket = (client: RelayClient, peer: PublicKey, packet: Uint8Array) => {
      const path = relay.paths.get(peer) ?? pathOver(client, peer);
      relay.arriving = { peer, path };
      this.onPacket?.(packet, path, peer);
      relay.arriving = undefined;
    };
    return {
      onReady: (client) => {
        if (relay.client !== client) return;
        this.#complained = false;
        this.#failures = 0;
        relay.readyAt = clock.monotonic();
        for (const route of this.#allRoutes()) this.#offer(relay, route);
        this.#hopsChanged();
        this.#work();
      },
      onPeer: (client, peer, online) => {
        for (const route of this.#routesTo(peer)) route.peerIs(client, online);
      },
      onPacket,
      onOob: (client, peer, packet) => {
        if (isOpening(packet)) onPacket(client, peer, packet);
      },
      onOnionResponse: (client, packet) => this.#onOnionResponse?.(packet, client.publicKey),
      onForwarding: () => {},
      onWritable: (client) => this.#writable(client),
      onClosed: (client, reason, error) => {
        if (relay.client !== client) return;
        relay.own = false;
        this.#relays.failed(relay, clock.monotonic());
        this.#lost(client);
        this.#complain(error?.message ?? reason);
        this.#work();
      },
    };
  }

  /** Says once that every relay has failed that we were told of, or tried at once: more often it would only fill the log. */
  #complain(reason: string): void {
    if (this.#complained) return;
    const failed = ++this.#failures;
    const given = [...this.#relays.values()].filter((relay) => relay.given);
    if ([...this.#relays.values()].some(isReady)) return;
    if (failed < TRIED_AT_ONCE && given.some((relay) => relay.failures === 0)) return;
    if (!this.#vital && given.every((relay) => relay.isNode)) return; // nobody said that they are relays
    this.#complained = true;
    this.#options.logger.warn("no TCP relay can be reached; they are tried again, with pauses", { reason });
  }

  /** Whoever is told first may fill it again, so each is the first in turn. */
  #writable(client: RelayClient): void {
    const peers = [...this.#routes.values()].flatMap(
      (routes) => routes.find((route) => route.isOver(client))?.peer ?? [],
    );
    const first = this.#turn++ % Math.max(1, peers.length);
    for (const peer of [...peers.slice(first), ...peers.slice(0, first)]) this.onWritable?.(peer);
  }

  /** A relay that is ready serves a route, too. Who wants the same peer gets the same way. */
  #offer(relay: PooledRelay, route: RelayRoute): void {
    const { client, paths, arriving } = relay;
    const { peer } = route;
    if (client?.state !== "ready" || !client.requestRoute(peer)) return;
    const his = arriving && sameBytes(arriving.peer, peer) ? arriving.path : undefined;
    const path = paths.get(peer) ?? his ?? pathOver(client, peer);
    paths.set(peer, path);
    route.offer(client, path);
  }

  #lost(client: RelayClient): void {
    for (const route of this.#allRoutes()) route.lost(client);
    this.#hopsChanged();
  }

  #hopsChanged(): void {
    const ready = [...this.#relays.values()].filter((relay) => isReady(relay) && relay.ourServer === undefined);
    const hops = ready
      .sort((a, b) => Number(b.own) - Number(a.own))
      .map((relay) => ({ publicKey: relay.publicKey, endpoint: endpointOf(relay) }));
    const had = new Set(this.#hops.map(({ publicKey }) => publicKey));
    const isChanged = had.size !== hops.length || hops.some(({ publicKey }) => !had.has(publicKey));
    this.#hops = hops;
    if (isChanged) this.#events.emit("hops", undefined);
  }
}

/** When it may be connected to again; of no interest while it is connected. */
function retryOf({ client, retryAt }: PooledRelay): number {
  return client === undefined ? retryAt : 0;
}
