import type { Crypto } from "../crypto/crypto.ts";
import { KeyBudget, servingShares } from "../crypto/key_budget.ts";
import type { KeyPair, PublicKey } from "../crypto/keys.ts";
import { SharedKeyCache } from "../crypto/shared_key_cache.ts";
import type { Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { Interfaces } from "../env/interfaces.ts";
import type { Logger } from "../env/logger.ts";
import type { Metrics } from "../env/metrics.ts";
import type { UdpNetwork } from "../network/udp_network.ts";
import { sameBytes } from "../util/bytes.ts";
import { Emitter, type Unsubscribe } from "../util/emitter.ts";
import { isLanAddress, sameEndpoint } from "../util/endpoint.ts";
import { randomBelow, randomBytes, randomU32, shuffle } from "../util/random_numbers.ts";
import type { PackedNode } from "../wire/packed_node.ts";
import { PacketId } from "../wire/packet_ids.ts";
import { isNodeAddress, normalizedEndpoint } from "./addresses.ts";
import { AnnounceServer } from "./announce_server.ts";
import { Asker } from "./asker.ts";
import { Beacons } from "./beacons.ts";
import { answerBootstrapInfo, type BootstrapInfo } from "./bootstrap_info_server.ts";
import { CloseList } from "./close_list.ts";
import { DhtChannel } from "./dht_channel.ts";
import { type DhtRequestHandler, DhtRequests } from "./dht_requests.ts";
import { Forwarder } from "./forwarder.ts";
import type { EndpointListener } from "./friend_search.ts";
import { type DhtLookup, FriendSearches } from "./friend_searches.ts";
import { Greeter } from "./greeter.ts";
import { LanDiscovery } from "./lan_discovery.ts";
import { Lookup } from "./lookup.ts";
import { NatPings } from "./nat_pings.ts";
import { NodeCare } from "./node_care.ts";
import type { Association, NodeEntry } from "./node_entry.ts";
import { NodeTable } from "./node_table.ts";
import { NodesService } from "./nodes_service.ts";
import { openFromAnybody } from "./open_from.ts";
import { type PendingRequest, PendingRequests } from "./pending_requests.ts";
import { PingService } from "./ping_service.ts";

export type { DhtLookup } from "./friend_searches.ts";

export interface DhtOptions {
  readonly network: UdpNetwork;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Our DHT keys; new ones when left out. Wiped by `close`. */
  readonly keyPair?: KeyPair;
  /** What a bootstrap daemon answers those who ask about it; a client leaves it out and does not answer. */
  readonly bootstrapInfo?: BootstrapInfo;
  /** Whether friends behind NATs are reached by hole punching. True when left out. */
  readonly holePunching?: boolean;
  /** Where to tell of our node, and to listen for others, in local networks. Nowhere when left out. */
  readonly lan?: Interfaces;
}

/** Our node in the distributed hash table: who is there, who is next to a key, and where a friend's node is. */
export class Dht {
  readonly keyPair: KeyPair;
  readonly sharedKeys: SharedKeyCache;
  /**
   * Whether there are friends whom strangers' packets must not keep waiting. Who has none is a node for everybody, and has
   * nothing better to do than to answer.
   */
  hasFriends: (() => boolean) | undefined;
  readonly #options: DhtOptions;
  readonly #table: NodeTable;
  readonly #pending: PendingRequests;
  readonly #asker: Asker;
  readonly #care: NodeCare;
  readonly #greeter: Greeter;
  readonly #beacons: Beacons;
  readonly #requests: DhtRequests;
  readonly #natPings: NatPings;
  readonly #lanDiscovery: LanDiscovery | undefined;
  readonly #forwarder: Forwarder;
  readonly #announceServer: AnnounceServer;
  readonly #closeList: CloseList;
  readonly #selfLookup: Lookup;
  readonly #searches: FriendSearches;
  readonly #events: Emitter<{ connected: boolean; node: undefined; nodeLost: PublicKey }>;
  #isConnected = false;
  #isClosed = false;

  constructor(options: DhtOptions) {
    const { network, clock, crypto, logger, metrics } = options;
    const { random } = crypto;
    this.#options = options;
    this.keyPair = options.keyPair ?? crypto.keyPair();
    this.sharedKeys = new SharedKeyCache(crypto, this.keyPair.secretKey, CACHED_KEYS);
    this.#events = new Emitter(logger);

    const self = this.keyPair.publicKey;
    const isKnown = (key: Uint8Array) => this.#table.get(key) !== undefined || this.#searches.has(key);
    const shares = servingShares(() => this.hasFriends?.() ?? false, 1);
    const budget = new KeyBudget(clock, shares);
    const openFrom = openFromAnybody(this.sharedKeys, budget, isKnown);
    const channel = new DhtChannel(network, crypto, this.keyPair, this.sharedKeys, openFrom);
    this.#pending = new PendingRequests(clock, random, (request) => this.#care.silent(request));
    this.#table = new NodeTable(clock, randomU32(random));
    this.#asker = new Asker(channel, this.#pending, this.#table, clock, metrics, self);
    this.#care = new NodeCare(clock, this.#table, this.#asker, {
      wantedFrom: (entry) => this.#searches.wantedFrom(entry),
      onBad: (entry, association) => this.#onBad(entry, association),
      onKilled: (entry, association) => this.#beacons.remember(entry.publicKey, association.endpoint),
    });
    this.#searches = new FriendSearches({
      clock,
      crypto,
      logger,
      metrics,
      table: this.#table,
      asker: this.#asker,
      considerNode: (node) => this.considerNode(node),
      doubt: (publicKey) => this.doubt(publicKey),
      requestNatPing: options.holePunching === false ? undefined : (target, id) => this.#natPings.request(target, id),
    });
    this.#greeter = new Greeter(self, clock, this.#table, this.#asker, (key) => this.#searches.has(key));
    this.#beacons = new Beacons(clock, {
      isConnected: () => this.#isConnected,
      isHeard: (key) => this.#table.get(key)?.isGood(clock.monotonic()) ?? false,
      ask: (key, endpoint) => this.#askBeacon(key, endpoint),
    });
    this.#closeList = new CloseList(self);
    this.#selfLookup = new Lookup(
      {
        target: self,
        list: this.#closeList,
        asker: this.#asker,
        clock,
        random,
        roundTarget: () => this.#refreshTarget(),
      },
      randomU32(random),
    );
    this.#table.addList(this.#closeList);

    const onRequest = (sender: PublicKey, from: Endpoint) => this.#greeter.consider(sender, from);
    const pingListener = {
      onRequest,
      onAnswer: (asked: PendingRequest, from: Endpoint) => this.#onAnswer(asked, from),
    };
    new PingService(network, channel, this.#pending, metrics, pingListener);
    const onNodes = (asked: PendingRequest, from: Endpoint, nodes: readonly PackedNode[]) =>
      this.#onNodes(asked, from, nodes);
    new NodesService(network, channel, this.#table, this.#pending, metrics, { onRequest, onAnswer: onNodes });

    const { keyPair, sharedKeys } = this;
    this.#requests = new DhtRequests({
      network,
      crypto,
      clock,
      metrics,
      self: keyPair,
      sharedKeys,
      openFrom,
      table: this.#table,
    });
    this.#natPings = new NatPings({
      ...{ requests: this.#requests, clock, metrics },
      isSearched: (key) => this.#searches.has(key),
      listenerFor: (key) => this.#searches.get(key)?.puncher,
      send: (...request) => this.sendDhtRequest(...request),
    });

    this.#lanDiscovery =
      options.lan &&
      new LanDiscovery({
        ...{ network, clock, metrics, interfaces: options.lan, self },
        isKnown: (key, endpoint) => this.#hasGoodNodeAt(key, endpoint),
        ask: (key, endpoint) => this.#askBeacon(key, endpoint),
      });

    const table = this.#table;
    this.#announceServer = new AnnounceServer({ network, crypto, clock, metrics, channel, table, openFrom, self });
    this.#forwarder = new Forwarder(network, clock, crypto, metrics, table, (data, forwarder, sendback) => {
      const response = this.#announceServer.respond(data, forwarder, sendback);
      if (response !== undefined) this.#forwarder.reply(forwarder, sendback, response);
    });
    if (options.bootstrapInfo !== undefined) answerBootstrapInfo(network, metrics, options.bootstrapInfo);
  }

  /** For the clients of a TCP relay of ours. */
  get forwarder(): Forwarder {
    return this.#forwarder;
  }

  get publicKey(): PublicKey {
    return this.keyPair.publicKey;
  }

  /** Whether any node answers. */
  get connected(): boolean {
    return this.#isConnected;
  }

  /** How many nodes answer. */
  get nodeCount(): number {
    return this.#table.countGood();
  }

  /** Calls `listener` when `connected` changes. */
  onConnected(listener: (connected: boolean) => void): Unsubscribe {
    return this.#events.on("connected", listener);
  }

  /** Calls `listener` when a node that has answered takes a place in our buckets. */
  onNode(listener: () => void): Unsubscribe {
    return this.#events.on("node", listener);
  }

  /** Calls `listener` when a node that answered does not any longer. */
  onNodeLost(listener: (publicKey: PublicKey) => void): Unsubscribe {
    return this.#events.on("nodeLost", listener);
  }

  /** Asks a node of ours now, whom somebody has reason to think gone, unless it was heard or asked a moment ago. */
  doubt(publicKey: PublicKey): void {
    const entry = this.#isClosed ? undefined : this.#table.get(publicKey);
    if (entry !== undefined) this.#care.check(entry);
  }

  /** Asks a node for the way into the network, at once and again as long as nobody answers us. */
  bootstrap(endpoint: Endpoint, publicKey: PublicKey): void {
    if (this.#isClosed || sameBytes(publicKey, this.publicKey)) return;
    const target = normalizedEndpoint(endpoint);
    if (isNodeAddress(target)) this.#beacons.add(publicKey, target);
  }

  /** Tells of a node worth a request, one that a friend or an announce node has named. */
  considerNode(node: PackedNode): void {
    if (this.#isClosed) return;
    const named = this.#usable(node);
    if (named === undefined) return;
    for (const lookup of this.#lookups()) lookup.offer(named);
    this.#pumpAll();
  }

  /** Whether a node of ours has lately answered at this address. */
  isNodeAt(endpoint: Endpoint): boolean {
    return this.#table.hasGoodAt(endpoint);
  }

  /** At most `count` living nodes, nearest to `key` first. LAN nodes only when `lan` is true. */
  closestNodes(key: Uint8Array, count: number, lan: boolean): PackedNode[] {
    return this.#table.closest(key, count, lan);
  }

  /** At most `count` living nodes of our buckets, in random order. Nodes held for a friend's sake only are not among them. */
  randomNodes(count: number): PackedNode[] {
    const now = this.#options.clock.monotonic();
    const nodes = [...this.#closeList.nodes()].flatMap((entry) => entry.best(now)?.node ?? []);
    return shuffle(this.#options.crypto.random, nodes).slice(0, count);
  }

  /**
   * Looks for the node with this key until `stop` is called. `onEndpoint` is called for each address it is found at: where
   * others say that it is, then where it has answered itself, again when that changes.
   */
  lookUp(dhtPublicKey: PublicKey, onEndpoint: EndpointListener): DhtLookup {
    if (this.#isClosed || sameBytes(dhtPublicKey, this.publicKey)) return NO_LOOKUP;
    return this.#searches.start(dhtPublicKey, onEndpoint);
  }

  /** Whether somebody looks for the node with this key. */
  isLookedFor(dhtPublicKey: Uint8Array): boolean {
    return this.#searches.has(dhtPublicKey);
  }

  /** Leaves a request for `target` with him, or with the nodes that know him or are next to him. Answers with how many. */
  sendDhtRequest(target: PublicKey, id: number, payload: Uint8Array): number {
    if (this.#isClosed) return 0;
    const ways = this.#searches.get(target)?.waysTo() ?? [];
    if (ways.length === 0) ways.push(...this.#table.closest(target, 8, true).map((node) => node.endpoint));
    return this.#requests.send(target, id, payload, ways);
  }

  /** Handles DHT requests for us with this id; `payload` is what stands behind it. */
  onDhtRequest(id: number, handler: DhtRequestHandler): void {
    this.#requests.onRequest(id, handler);
  }

  /** Ends every timer, takes no further packet and wipes the keys. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isConnected = false;
    for (const id of HANDLED_PACKETS) this.#options.network.handle(id, undefined);
    this.#events.removeAll();
    this.#beacons.stop();
    this.#greeter.stop();
    this.#lanDiscovery?.stop();
    this.#searches.stopAll();
    this.#selfLookup.stop();
    this.#table.removeList(this.#closeList);
    this.#pending.clear();
    this.#announceServer.close();
    this.#forwarder.close();
    this.sharedKeys.clear();
    this.#options.crypto.wipe(this.keyPair.secretKey);
  }

  #onAnswer(asked: PendingRequest, from: Endpoint): void {
    asked.onAnswer?.();
    const { publicKey } = asked;
    const confirmed = this.#table.confirm(publicKey, from);
    const hasReturned = this.#beacons.answered(publicKey);
    if (confirmed !== undefined) {
      this.#care.seen(confirmed.entry, confirmed.association);
      this.#setConnected(true);
      for (const lookup of this.#lookups()) {
        if (confirmed.takenBy.includes(lookup.list)) lookup.taken(confirmed.association.node);
      }
    }
    this.#searches.get(publicKey)?.confirmed(from);
    if (hasReturned) this.#searches.askReturning({ publicKey, endpoint: from });
    this.#pumpAll();
    if (confirmed?.takenBy.includes(this.#closeList)) this.#events.emit("node", undefined);
  }

  #onNodes(asked: PendingRequest, from: Endpoint, nodes: readonly PackedNode[]): void {
    this.#onAnswer(asked, from);
    const isLan = isLanAddress(from.address);
    for (const node of nodes) {
      const named = this.#usable(node);
      // Whoever is not in our network has nothing to say about it: he could make us knock at its doors.
      if (named === undefined || (!isLan && isLanAddress(named.endpoint.address))) continue;
      for (const lookup of this.#lookups()) lookup.offer(named);
      this.#searches.get(named.publicKey)?.told(named.endpoint, asked.publicKey, from);
    }
    this.#pumpAll();
  }

  #onBad(entry: NodeEntry, association: Association): void {
    this.#searches.get(entry.publicKey)?.lost(association);
    if (!entry.isGood(this.#options.clock.monotonic())) this.#events.emit("nodeLost", entry.publicKey);
    if (this.#isConnected && !this.#table.hasGood()) this.#setConnected(false);
  }

  #setConnected(isConnected: boolean): void {
    if (this.#isConnected === isConnected) return;
    this.#isConnected = isConnected;
    this.#options.logger.info(isConnected ? "a DHT node answers" : "no DHT node answers any longer");
    this.#beacons.restart();
    if (isConnected) for (const lookup of this.#lookups()) lookup.hurry();
    this.#events.emit("connected", isConnected);
  }

  /** A ping too, since toxcore's answer to a nodes request is void as long as that node knows nobody. */
  #askBeacon(publicKey: PublicKey, endpoint: Endpoint): void {
    this.#asker.nodes(publicKey, endpoint, this.publicKey);
    this.#asker.ping(publicKey, endpoint);
  }

  #hasGoodNodeAt(publicKey: PublicKey, endpoint: Endpoint): boolean {
    const known = this.#table.get(publicKey)?.association(endpoint.family);
    return known?.isGood(this.#options.clock.monotonic()) === true && sameEndpoint(known.endpoint, endpoint);
  }

  *#lookups(): Iterable<Lookup> {
    yield this.#selfLookup;
    for (const search of this.#searches.values()) yield search.lookup;
  }

  #pumpAll(): void {
    for (const lookup of this.#lookups()) lookup.pump();
  }

  /** Every other regular round fills the far buckets instead of the near ones. */
  #refreshTarget(): PublicKey {
    const { random } = this.#options.crypto;
    return randomBelow(random, 2) === 0 ? this.publicKey : (randomBytes(random, 32) as PublicKey);
  }

  /** A named node as we would ask it; nothing for ourselves, TCP relays and addresses that nobody has. */
  #usable(node: PackedNode): PackedNode | undefined {
    if (node.transport === "tcp" || sameBytes(node.publicKey, this.publicKey)) return undefined;
    const endpoint = normalizedEndpoint(node.endpoint);
    if (!isNodeAddress(endpoint) || !this.#options.network.has(endpoint.family)) return undefined;
    return { publicKey: node.publicKey, endpoint };
  }
}

/** For 20,000 nodes that ask in turn and then some: five megabytes once all of them have. */
const CACHED_KEYS = 65_536;

const NO_LOOKUP: DhtLookup = {
  suggest: () => {},
  endpoints: () => [],
  seenAs: () => undefined,
  doubt: () => {},
  stop: () => {},
};

const HANDLED_PACKETS = [
  PacketId.PingRequest,
  PacketId.PingResponse,
  PacketId.NodesRequest,
  PacketId.NodesResponse,
  PacketId.DhtRequest,
  PacketId.ForwardRequest,
  PacketId.Forwarding,
  PacketId.ForwardReply,
  PacketId.DataSearchRequest,
  PacketId.DataRetrieveRequest,
  PacketId.StoreAnnounceRequest,
  PacketId.BootstrapInfo,
];
