import type { Crypto } from "../crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../crypto/keys.ts";
import type { SharedKeyCache } from "../crypto/shared_key_cache.ts";
import type { Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { Logger } from "../env/logger.ts";
import type { Metrics } from "../env/metrics.ts";
import type { StreamPort, StreamTarget } from "../env/stream.ts";
import { Alarm } from "../onion/client/alarm.ts";
import type { OnionRelays, RelayHop } from "../onion/ports.ts";
import { sameBytes } from "../util/bytes.ts";
import { Emitter, type Unsubscribe } from "../util/emitter.ts";
import { KeyMap } from "../util/key_map.ts";
import { randomBelow, randomU32 } from "../util/random_numbers.ts";
import type { PackedNode } from "../wire/packed_node.ts";
import { atNextPort, isReady, type PooledRelay } from "./pooled_relay.ts";
import { chooseOwn, surplusOf, TRIED_AT_ONCE } from "./relay_choice.ts";
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
  /** Whether it was said that no relay can be reached, since one last was. */
  #complained = false;
  /** Connections that failed since a relay last was ready. */
  #failures = 0;
  #closed = false;

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
    for (const { target } of ready) {
      const endpoint = endpointOf(target.address);
      if (endpoint !== undefined && nodes.length < count) {
        nodes.push({ publicKey: target.publicKey, endpoint, transport: "tcp" });
      }
    }
    return nodes;
  }

  /** A relay that the app names: it is connected to as long as it is among the best. */
  addRelay(target: RelayTarget): void {
    if (this.#closed || sameBytes(target.publicKey, this.#options.self.publicKey)) return;
    const relay = this.#know(target, true);
    if (relay !== undefined) relay.given = true;
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

  #know(target: RelayTarget, given: boolean): PooledRelay | undefined {
    const known = this.#relays.get(target.publicKey);
    if (known !== undefined) {
      // Friends can be told an address only.
      if (given && "host" in known.target.address) known.target = target;
      return known;
    }
    if (this.#relays.size >= MAX_KNOWN && !this.#forgetOne()) return undefined;
    const relay: PooledRelay = { target, given, client: undefined, own: false, failures: 0, retryAt: 0 };
    this.#relays.set(target.publicKey, relay);
    return relay;
  }

  /** Makes room: one that a friend told us, and that nobody uses. */
  #forgetOne(): boolean {
    for (const relay of this.#relays.values()) {
      if (relay.given || relay.client !== undefined || this.#isWanted(relay)) continue;
      return this.#relays.delete(relay.target.publicKey);
    }
    return false;
  }

  #friendRelays(nodes: readonly PackedNode[]): void {
    for (const { publicKey, endpoint } of nodes) {
      if (!sameBytes(publicKey, this.#options.self.publicKey)) this.#know({ publicKey, address: endpoint }, false);
    }
    this.#work();
  }

  #forgetRoute(route: RelayRoute): void {
    if (this.#routes.get(route.peer) !== route) return;
    this.#routes.delete(route.peer);
    for (const { client } of this.#relays.values()) client?.dropRoute(route.peer);
    if (!this.#closed) this.#work();
  }

  #isWanted(relay: PooledRelay): boolean {
    for (const route of this.#routes.values()) if (route.needs(relay.target.publicKey)) return true;
    return false;
  }

  /** Connects to what is lacking, gives up what nobody needs, and says when to look again. */
  #work(): void {
    if (this.#closed) return;
    const now = this.#options.clock.monotonic();
    const all = [...this.#relays.values()];
    for (const relay of chooseOwn(all, now, (count) => randomBelow(this.#options.crypto.random, count))) {
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
    if (relay.client !== undefined || this.#connectionCount() >= MAX_CONNECTIONS) return;
    const { streams, clock, crypto, metrics, logger, self, sharedKeys } = this.#options;
    const ports = { streams, clock, crypto, metrics, logger };
    relay.client = new RelayClient({ ...ports, keyPair: self, sharedKeys }, relay.target, this.#listenerOf(relay));
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
        this.#complained = false;
        this.#failures = 0;
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
      onClosed: (client, reason, error) => {
        if (relay.client !== client) return;
        relay.client = undefined;
        relay.own = false;
        if (client.connectMs === undefined) relay.target = atNextPort(relay.target);
        const pause = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** Math.min(relay.failures++, 16));
        relay.retryAt = this.#options.clock.monotonic() + pause;
        this.#lost(relay);
        this.#complain(error?.message ?? reason);
        this.#work();
      },
    };
  }

  /** Says once that every relay has failed that we were told of, or tried at once: more often it would only fill the log. */
  #complain(reason: string): void {
    if (this.#complained) return;
    const failed = ++this.#failures;
    for (const relay of this.#relays.values()) {
      if (isReady(relay) || (relay.given && relay.failures === 0 && failed < TRIED_AT_ONCE)) return;
    }
    this.#complained = true;
    this.#options.logger.warn("no TCP relay can be reached; they are tried again, with pauses", { reason });
  }

  /** A relay that is ready serves a route, too. */
  #offer(relay: PooledRelay, route: RelayRoute): void {
    if (relay.client !== undefined) route.offer(relay.client);
  }

  #lost(relay: PooledRelay): void {
    for (const route of this.#routes.values()) route.lost(relay.target.publicKey);
    this.#hopsChanged();
  }

  #hopsChanged(): void {
    const hops: RelayHop[] = [];
    for (const { target, client } of this.#relays.values()) {
      if (client?.state !== "ready") continue;
      hops.push({ publicKey: target.publicKey, endpoint: endpointOf(target.address) });
    }
    const had = this.#hops.length;
    this.#hops = hops;
    if (had !== hops.length || hops.length > 0) this.#events.emit("hops", undefined);
  }
}

function endpointOf(address: StreamTarget): Endpoint | undefined {
  return "family" in address ? address : undefined;
}
