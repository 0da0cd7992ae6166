import type { Crypto } from "../../crypto/crypto.ts";
import { KeyBudget, type KeyShares } from "../../crypto/key_budget.ts";
import type { KeyPair, PublicKey } from "../../crypto/keys.ts";
import { SharedKeyCache } from "../../crypto/shared_key_cache.ts";
import type { Clock } from "../../env/clock.ts";
import type { Endpoint } from "../../env/datagram.ts";
import type { Logger } from "../../env/logger.ts";
import type { Metrics } from "../../env/metrics.ts";
import { dropCounter } from "../../network/drop_counter.ts";
import type { UdpNetwork } from "../../network/udp_network.ts";
import { sameBytes } from "../../util/bytes.ts";
import type { Unsubscribe } from "../../util/emitter.ts";
import { KeyMap } from "../../util/key_map.ts";
import { ToxError } from "../../util/tox_error.ts";
import type { Drop } from "../../wire/drop.ts";
import { decodeDhtPublicKeyPacket, decodeSealedDhtPublicKey } from "../../wire/onion/dht_public_key.ts";
import { OnionDataId } from "../../wire/onion/onion_data.ts";
import type { PackedNode } from "../../wire/packed_node.ts";
import { PacketId } from "../../wire/packet_ids.ts";
import type { OnionDht, OnionRelays } from "../ports.ts";
import { AnnounceRequests } from "./announce_requests.ts";
import { OnionConnectionMonitor } from "./connection_monitor.ts";
import type { FirstHop } from "./first_hop.ts";
import { openData } from "./onion_data.ts";
import { type FriendEnvironment, OnionFriend } from "./onion_friend.ts";
import { PathSet } from "./path_set.ts";
import { SearchQueue } from "./search_queue.ts";
import { SelfAnnouncer } from "./self_announcer.ts";
import type { FinderFriend, FoundListener, FriendRequestHandler, OnionConnection } from "./types.ts";
import { Ways } from "./ways.ts";

export interface OnionClientOptions {
  readonly network: UdpNetwork;
  readonly dht: OnionDht;
  /** TCP relays, which carry the packets where UDP does not work. */
  readonly relays?: OnionRelays;
  readonly clock: Clock;
  readonly crypto: Crypto;
  /** Long-term keys. */
  readonly self: KeyPair;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Friends' keys and those of strangers who wrote lately. */
const SHARED_KEYS = 2048;
/** Of the time, for the keys of those who send us data: our announce nodes pass on whatever anybody sends. */
const SHARES: KeyShares = { forged: 0.05, all: () => 0.05 };

/** Makes us findable by our long-term key and finds others by theirs, while nobody learns who looks for whom. */
export class OnionClient {
  readonly #options: OnionClientOptions;
  readonly #dataKeys: KeyPair;
  readonly #ways: Ways;
  readonly #selfPaths: PathSet;
  readonly #friendPaths: PathSet;
  readonly #requests: AnnounceRequests;
  readonly #announcer: SelfAnnouncer;
  readonly #queue: SearchQueue;
  readonly #monitor: OnionConnectionMonitor;
  readonly #environment: FriendEnvironment;
  readonly #friends: KeyMap<OnionFriend>; // grown by the app alone
  readonly #budget: KeyBudget;
  readonly #dropData: Drop;
  readonly #dropDhtKey: Drop;
  readonly #unsubscribe: readonly Unsubscribe[];
  #onFriendRequest: FriendRequestHandler | undefined;
  #closed = false;

  constructor(options: OnionClientOptions) {
    const { network, dht, clock, crypto, self, metrics } = options;
    this.#options = options;
    this.#dataKeys = crypto.keyPair();
    const ways = new Ways({ dht, network, crypto, relays: options.relays });
    this.#ways = ways;
    this.#selfPaths = new PathSet(crypto, ways);
    this.#friendPaths = new PathSet(crypto, ways);
    this.#friends = new KeyMap();
    this.#budget = new KeyBudget(clock, SHARES);
    this.#dropData = dropCounter(metrics, "onionDataResponse");
    this.#dropDhtKey = dropCounter(metrics, "dhtPublicKey");
    const requests = new AnnounceRequests({
      ways,
      clock,
      crypto,
      metrics,
      onAnswer: () => this.#monitor.answered(),
      onDoubt: (publicKey) => ways.doubt(publicKey),
      onRecovered: () => {
        for (const friend of [...this.#friends.values()]) friend.hurry();
      },
    });
    const dataPublicKey = this.#dataKeys.publicKey;
    this.#requests = requests;
    this.#announcer = new SelfAnnouncer({ clock, ways, self, dataPublicKey, paths: this.#selfPaths, requests });
    this.#monitor = new OnionConnectionMonitor(clock, options.logger, {
      standing: () => this.#announcer.standing,
      transport: () => (ways.overRelays ? "tcp" : "udp"),
    });
    this.#queue = new SearchQueue(clock, () => requests.busy);
    this.#environment = {
      ...{ clock, crypto, ways, requests, metrics, self },
      paths: this.#friendPaths,
      queue: this.#queue,
      selfShared: new SharedKeyCache(crypto, self.secretKey, SHARED_KEYS),
    };
    network.handle(PacketId.AnnounceResponse, (bytes, endpoint) => requests.handle(bytes, { endpoint }));
    network.handle(PacketId.OnionDataResponse, (bytes, endpoint) => this.#handleData(bytes, { endpoint }));
    options.relays?.onOnionResponse((bytes, relay) => this.#handleRelayed(bytes, { relay }));
    ways.onConnected((connected) => this.#setAwake(connected));
    dht.onDhtRequest(OnionDataId.DhtPublicKey, (sender, payload) => this.#handleDhtRequest(sender, payload));
    this.#unsubscribe = [
      dht.onNode(() => this.#announcer.nodesChanged()),
      dht.onNodeLost((publicKey) => this.#avoid(publicKey)),
    ];
    if (ways.connected) this.#setAwake(true);
  }

  /** `udp` (or `tcp`, over relays) once announce nodes keep us and as long as they answer, as toxcore means it. */
  get connection(): OnionConnection {
    return this.#monitor.connection;
  }

  /** How many announce nodes answer us, and how many of them keep our announcement. */
  get announced(): { readonly live: number; readonly announced: number } {
    return this.#announcer.standing;
  }

  onConnection(listener: (connection: OnionConnection) => void): Unsubscribe {
    return this.#monitor.on(listener);
  }

  /** Friend requests that arrive; one handler. */
  onFriendRequest(handler: FriendRequestHandler): void {
    this.#onFriendRequest = handler;
  }

  /** Starts to search for a person and to tell him our DHT key. Throws `already-friend` for a key that is searched for. */
  addFriend(publicKey: PublicKey, listener: FoundListener): FinderFriend {
    if (this.#closed) throw new ToxError("closed", "The onion client is closed.");
    if (this.#friends.has(publicKey))
      throw new ToxError("already-friend", "This person is being searched for already.");
    const key = publicKey.slice() as Uint8Array as PublicKey;
    const friend = new OnionFriend(this.#environment, key, listener, () => this.#friends.delete(key));
    this.#friends.set(key, friend);
    friend.setAwake(this.#ways.connected);
    return friend;
  }

  /** Whether nodes are known that paths could go by where UDP does not work. */
  get knowsNodes(): boolean {
    return this.#ways.knowsNodes;
  }

  /** A node to make paths of where UDP does not work, and the DHT finds none for us. */
  startFrom(node: PackedNode): void {
    if (!this.#closed) this.#ways.startFrom(node);
  }

  /** Nodes that paths could be made of another time, at most `count`. */
  nodesToKeep(count: number): PackedNode[] {
    return this.#ways.randomNodes(count);
  }

  /** Where others reach us, as a router in front of us says: friends are told. Undefined: nobody knows. */
  setOwnEndpoint(endpoint: Endpoint | undefined): void {
    if (this.#closed) return;
    this.#ways.ownEndpoint = endpoint;
    if (endpoint !== undefined) for (const friend of [...this.#friends.values()]) friend.tellNews();
  }

  /** Ends all timers and searches; what arrives later is not looked at. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#ways.close();
    for (const friend of [...this.#friends.values()]) friend.remove();
    this.#announcer.stop();
    this.#monitor.close();
    this.#queue.close();
    this.#requests.close();
    this.#options.network.handle(PacketId.AnnounceResponse, undefined);
    this.#options.network.handle(PacketId.OnionDataResponse, undefined);
    this.#selfPaths.clear();
    this.#friendPaths.clear();
    this.#environment.selfShared.clear();
    this.#options.crypto.wipe(this.#dataKeys.secretKey);
  }

  #avoid(publicKey: PublicKey): void {
    for (const paths of [this.#selfPaths, this.#friendPaths]) paths.avoid(publicKey);
    this.#announcer.nodesChanged();
  }

  #setAwake(awake: boolean): void {
    if (this.#closed) return;
    if (awake) this.#announcer.start();
    else {
      this.#announcer.stop();
      this.#monitor.lost();
    }
    for (const friend of [...this.#friends.values()]) friend.setAwake(awake);
    if (!awake) for (const paths of [this.#selfPaths, this.#friendPaths]) paths.clear();
  }

  #handleRelayed(bytes: Uint8Array, from: FirstHop): void {
    if (this.#closed) return;
    if (bytes[0] === PacketId.AnnounceResponse) this.#requests.handle(bytes, from);
    else if (bytes[0] === PacketId.OnionDataResponse) this.#handleData(bytes, from);
    else this.#dropData("unknown-id");
  }

  #handleData(bytes: Uint8Array, from: FirstHop): void {
    const { clock, crypto } = this.#options;
    // it comes back over a path that we announced ourselves with; from elsewhere it would cost us two X25519 for nothing
    if (!this.#selfPaths.beganAt(from, clock.monotonic())) {
      this.#dropData("wrong-address");
      return;
    }
    const data = openData(crypto, this.#dataKeys, this.#environment.selfShared, this.#budget, bytes, this.#dropData);
    if (data === undefined) return;
    if (data.payload[0] === OnionDataId.DhtPublicKey) this.#handleDhtKey(data.sender, data.payload);
    else if (data.payload[0] === OnionDataId.FriendRequest)
      this.#onFriendRequest?.(data.sender, data.payload.subarray(1));
    else this.#dropData("unknown-id");
  }

  /** Our friends' DHT keys also come as DHT requests, sealed once more under the long-term keys. */
  #handleDhtRequest(requester: PublicKey, payload: Uint8Array): void {
    if (this.#closed) return;
    const packet = decodeSealedDhtPublicKey(payload, this.#dropDhtKey);
    if (packet === undefined) return;
    if (!this.#friends.has(packet.sender)) {
      this.#dropDhtKey("not-for-us");
      return;
    }
    const sharedKey = this.#environment.selfShared.get(packet.sender);
    const plain = sharedKey && this.#options.crypto.open(packet.box, packet.nonce, sharedKey);
    if (plain === undefined) this.#dropDhtKey("forged");
    else this.#handleDhtKey(packet.sender, plain, requester);
  }

  /** `requester`: whose DHT request it was; a friend only speaks for the DHT key that he sent it with. */
  #handleDhtKey(sender: PublicKey, payload: Uint8Array, requester?: PublicKey): void {
    const friend = this.#friends.get(sender);
    if (friend === undefined) {
      this.#dropDhtKey("not-for-us");
      return;
    }
    const packet = decodeDhtPublicKeyPacket(payload, this.#dropDhtKey);
    if (packet === undefined) return;
    if (requester !== undefined && !sameBytes(requester, packet.dhtPublicKey)) {
      this.#dropDhtKey("wrong-key");
      return;
    }
    this.#options.metrics.count("onion.dhtPublicKey.received");
    friend.take(packet, this.#dropDhtKey);
  }
}
