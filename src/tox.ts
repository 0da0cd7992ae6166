import type { BootstrapNode } from "./bootstrap_node.ts";
import { Crypto } from "./crypto/crypto.ts";
import type { KeyPair, PublicKey } from "./crypto/keys.ts";
import { asPublicKey } from "./crypto/keys.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import { SharedKeyCache } from "./crypto/shared_key_cache.ts";
import { Dht } from "./dht/dht.ts";
import type { Cancel } from "./env/clock.ts";
import type { Edges } from "./env/edges.ts";
import type { PortMapping } from "./env/port_mapper.ts";
import type { StreamTarget } from "./env/stream.ts";
import type { ConnectionState, FriendEvents } from "./friend/events.ts";
import type { Friend } from "./friend/friend.ts";
import { Friends } from "./friend/friends.ts";
import { NetCrypto } from "./net_crypto/net_crypto.ts";
import { UdpNetwork } from "./network/udp_network.ts";
import { OnionClient } from "./onion/client/onion_client.ts";
import { OnionServer } from "./onion/server/onion_server.ts";
import { RelayPool } from "./relay/relay_pool.ts";
import { RelayServer } from "./relay/relay_server.ts";
import {
  dhtOptions,
  expectPort,
  expectU32,
  portMapperOf,
  secretKeyOf,
  type ToxOptions,
  udpOptions,
} from "./tox_options.ts";
import { fromHex, toHex } from "./util/bytes.ts";
import { Emitter, type Unsubscribe } from "./util/emitter.ts";
import { formatEndpoint, makeEndpoint, parseAddress } from "./util/endpoint.ts";
import { randomU32 } from "./util/random_numbers.ts";
import { ToxError } from "./util/tox_error.ts";
import type { UserStatus } from "./wire/friend/presence.ts";

/** The outside world of one instance. `toxcore-ts` brings Node's; `toxcore-ts/testing` a simulated one. */
export interface ToxEnv extends Edges {
  readonly crypto: CryptoProvider;
  /** Called when the instance has closed, to let go of what the edges hold. */
  release?(): void;
}

export interface ToxEvents extends FriendEvents {
  /** Whether the network answers. */
  connection: { readonly state: ConnectionState };
}

/** When no node has answered over UDP for so long, in ms, it is tried over TCP as well; or we say what is lacking. */
const PATIENCE = 2_000;

/** The floors of one instance, from the sockets up. */
interface Floors {
  readonly network: UdpNetwork;
  readonly dht: Dht;
  readonly onionServer: OnionServer;
  readonly relays: RelayPool | undefined;
  /** Ours, for others. */
  readonly relayServer: RelayServer | undefined;
  readonly onionClient: OnionClient;
  readonly netCrypto: NetCrypto;
  readonly friends: Friends;
}

/**
 * One person on the Tox network: an identity, its friends and the node that finds them. Made by `Tox.create`; ended by
 * `close`, after which every method throws the `ToxError` `closed`.
 */
export class Tox {
  readonly #env: ToxEnv;
  readonly #crypto: Crypto;
  readonly #self: KeyPair;
  readonly #selfShared: SharedKeyCache;
  readonly #floors: Floors;
  readonly #own: Emitter<Pick<ToxEvents, "connection">>;
  #connection: ConnectionState = "none";
  #closing: Promise<void> | undefined;
  #start: Cancel | undefined;
  #mapping: PortMapping | undefined;
  readonly #patience = new Set<Cancel>(); // one for each node that the app names, for a few seconds
  #warnsOfNoWay = true;

  private constructor(env: ToxEnv, crypto: Crypto, self: KeyPair, selfShared: SharedKeyCache, floors: Floors) {
    this.#env = env;
    this.#crypto = crypto;
    this.#self = self;
    this.#selfShared = selfShared;
    this.#floors = floors;
    this.#own = new Emitter(env.logger);
    floors.onionClient.onConnection((state) => this.#setConnection(state));
  }

  /**
   * Opens the sockets and starts the instance. Rejects with a `ToxError`: `port-in-use`, `permission-denied`,
   * `network-unavailable`, `invalid-argument`, `name-too-long`, `status-message-too-long`, `aborted`. No event comes
   * before the turn after the promise resolves.
   */
  static async create(env: ToxEnv, options: ToxOptions = {}): Promise<Tox> {
    throwIfAborted(options.signal);
    const crypto = new Crypto(env.crypto, env.random);
    const self = options.secretKey === undefined ? crypto.keyPair() : crypto.keyPairOf(secretKeyOf(options.secretKey));
    if (options.nospam !== undefined) expectU32(options.nospam, "the nospam");
    const bootstrap = (options.bootstrap ?? []).map(checkedBootstrapNode);
    const relays = (options.relays ?? []).map(checkedBootstrapNode);
    const portMapper = portMapperOf(env, options);
    const selfShared = new SharedKeyCache(crypto, self.secretKey, 4096);
    const floors = await buildFloors(env, crypto, self, selfShared, options);
    try {
      applyProfile(floors.friends, options);
      throwIfAborted(options.signal);
    } catch (error) {
      await closeFloors(floors);
      throw error;
    }
    const tox = new Tox(env, crypto, self, selfShared, floors);
    env.logger.info("listening", { port: tox.udpPort, dhtPublicKey: tox.dhtPublicKey });
    tox.#mapPorts(portMapper?.open(options.bindIpv4 === undefined ? {} : { address: options.bindIpv4 }));
    tox.#start = env.clock.at(env.clock.monotonic(), () => {
      for (const node of relays) tox.#addRelayInBackground(node);
      for (const node of bootstrap) tox.#bootstrapInBackground(node);
    });
    return tox;
  }

  /** What a friend needs to find us and to ask for friendship: 76 hex digits. */
  get id(): string {
    this.#expectOpen();
    return this.#floors.friends.id;
  }

  /** The long-term public key, 64 hex digits. */
  get publicKey(): string {
    return toHex(this.#self.publicKey);
  }

  /** The temporary key by which the network knows this node, 64 hex digits. With `udpPort` it makes us a bootstrap node. */
  get dhtPublicKey(): string {
    return toHex(this.#floors.dht.keyPair.publicKey);
  }

  get udpPort(): number {
    return this.#floors.network.port;
  }

  /** The TCP port on which we relay for others; undefined when we do not. */
  get relayPort(): number | undefined {
    return this.#floors.relayServer?.ports[0];
  }

  get connection(): ConnectionState {
    return this.#connection;
  }

  get name(): string {
    return this.#floors.friends.selfName;
  }

  /** Throws `name-too-long` above 128 bytes of UTF-8. */
  set name(name: string) {
    this.#expectOpen();
    this.#floors.friends.selfName = name;
  }

  get statusMessage(): string {
    return this.#floors.friends.selfStatusMessage;
  }

  /** Throws `status-message-too-long` above 1007 bytes of UTF-8. */
  set statusMessage(text: string) {
    this.#expectOpen();
    this.#floors.friends.selfStatusMessage = text;
  }

  get status(): UserStatus {
    return this.#floors.friends.selfStatus;
  }

  set status(status: UserStatus) {
    this.#expectOpen();
    this.#floors.friends.selfStatus = status;
  }

  get nospam(): number {
    return this.#floors.friends.nospam;
  }

  /** Changes `id`: requests sent to the old one no longer arrive. Friends stay friends. */
  set nospam(nospam: number) {
    this.#expectOpen();
    expectU32(nospam, "the nospam");
    this.#floors.friends.nospam = nospam;
  }

  get friends(): Friend[] {
    this.#expectOpen();
    return this.#floors.friends.list();
  }

  /** The friend with this public key (64 hex digits), if there is one. */
  friend(publicKey: string): Friend | undefined {
    this.#expectOpen();
    return this.#floors.friends.get(publicKeyOf(publicKey));
  }

  /**
   * Adds the owner of a Tox ID and asks for friendship until he is online. Rejects with a `ToxError`: `invalid-id`,
   * `checksum-mismatch`, `own-id`, `already-friend`, `message-empty`, `request-message-too-long` (above 921 bytes).
   */
  async addFriend(id: string, message: string): Promise<Friend> {
    this.#expectOpen();
    return this.#floors.friends.add(id, message);
  }

  /** Adds somebody who has added us, or will: no request is sent. Rejects with `own-id` or `already-friend`. */
  async addFriendWithoutRequest(publicKey: string): Promise<Friend> {
    this.#expectOpen();
    return this.#floors.friends.addWithoutRequest(publicKeyOf(publicKey));
  }

  /**
   * Asks a node for the way into the network; it is asked again until somebody answers. Behind a proxy a node that is given
   * by name serves as a relay only: name one by its address, too. Rejects with `host-not-found`, `invalid-argument` or
   * `weak-key`.
   */
  async bootstrap(node: BootstrapNode): Promise<void> {
    this.#expectOpen();
    const publicKey = publicKeyOf(checkedBootstrapNode(node).publicKey);
    if (this.#floors.dht.sharedKeys.get(publicKey) === undefined) {
      throw new ToxError("weak-key", "This is no node's key: nothing can be kept secret with it.");
    }
    this.#addAsRelay(node, publicKey);
    const addresses = await this.#env.resolver.resolve(node.host);
    if (this.#closing) return;
    for (const address of addresses) {
      const endpoint = makeEndpoint(address, node.port);
      this.#floors.onionClient.startFrom({ publicKey, endpoint });
      if (!this.#floors.network.has(endpoint.family)) continue;
      this.#env.logger.info("asking a node", { node: formatEndpoint(endpoint), publicKey: node.publicKey });
      this.#floors.dht.bootstrap(endpoint, publicKey);
    }
  }

  /**
   * A node that carries packets over TCP, on its `tcpPorts` or else on its port: where UDP does not work we are found and
   * find others over it. Throws `invalid-argument` or `weak-key`, and `network-unavailable` where there is no TCP.
   */
  addRelay(node: BootstrapNode): void {
    this.#expectOpen();
    const publicKey = publicKeyOf(checkedBootstrapNode(node).publicKey);
    if (this.#floors.dht.sharedKeys.get(publicKey) === undefined) {
      throw new ToxError("weak-key", "This is no relay's key: nothing can be kept secret with it.");
    }
    if (this.#floors.relays === undefined) {
      throw new ToxError("network-unavailable", "There is no TCP here: pass `streams` in the instance's environment.");
    }
    for (const address of tcpTargets(node)) this.#floors.relays.addRelay({ publicKey, address });
    this.#warnOfNoWay();
  }

  /**
   * Calls `listener` for each event, in packet order, after the state it tells of has changed. A message counts as
   * handled when the listeners, and the promises they returned, are done. What a listener throws goes to the logger, as an
   * error; the others still hear the event. Answers a function that ends it.
   */
  on<Name extends keyof ToxEvents>(name: Name, listener: (event: ToxEvents[Name]) => unknown): Unsubscribe {
    this.#expectOpen();
    return name === "connection"
      ? this.#own.on("connection", listener as (event: ToxEvents["connection"]) => unknown)
      : this.#floors.friends.on(name, listener as never);
  }

  /** Like `on`, for the next event only. */
  once<Name extends keyof ToxEvents>(name: Name, listener: (event: ToxEvents[Name]) => unknown): Unsubscribe {
    const off = this.on(name, (event) => {
      off();
      return listener(event);
    });
    return off;
  }

  /** Nodes of the DHT that we know to be alive. */
  get nodeCount(): number {
    return this.#floors.dht.nodeCount;
  }

  /** Tells our friends that we leave, ends every session and timer and closes the sockets. Calling it again is the same. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#start?.();
    for (const cancel of this.#patience) cancel();
    try {
      await closeFloors(this.#floors);
    } finally {
      await this.#mapping?.close();
    }
    this.#connection = "none";
    this.#own.removeAll();
    this.#selfShared.clear();
    this.#crypto.wipe(this.#self.secretKey);
    this.#env.release?.();
  }

  #mapPorts(mapping: PortMapping | undefined): void {
    this.#mapping = mapping;
    if (this.udpPort !== 0) {
      mapping?.map("udp", this.udpPort, (external) => this.#floors.onionClient.setOwnEndpoint(external));
    }
    if (this.relayPort !== undefined) mapping?.map("tcp", this.relayPort);
  }

  #bootstrapInBackground(node: BootstrapNode): void {
    this.bootstrap(node).catch((error: unknown) => {
      this.#env.logger.warn("a bootstrap node cannot be used", { host: node.host, reason: String(error) });
    });
  }

  #addRelayInBackground(node: BootstrapNode): void {
    try {
      this.addRelay(node);
    } catch (error) {
      this.#env.logger.warn("a relay cannot be used", { host: node.host, reason: String(error) });
    }
  }

  /** Most nodes are relays as well: that is tried where relays are needed, or UDP brings no answer. */
  #addAsRelay(node: BootstrapNode, publicKey: PublicKey): void {
    const { relays, dht } = this.#floors;
    if (relays === undefined) return;
    for (const address of tcpTargets(node)) relays.addNode({ publicKey, address });
    this.#warnOfNoWay();
    this.#later(PATIENCE, () => {
      if (!dht.connected) relays.need(true);
    });
  }

  /** Relays alone are no way to anybody: what they pass on goes to nodes, by their addresses. */
  #warnOfNoWay(): void {
    if (!this.#warnsOfNoWay || this.#floors.network.port !== 0) return;
    this.#warnsOfNoWay = false;
    this.#later(PATIENCE, () => {
      if (this.#floors.onionClient.knowsNodes) return;
      const advice = "name one by its address instead of its name (--bootstrap, --nodes or --public-nodes)";
      this.#env.logger.warn(`no node's address is known, so nobody can be found over the relays: ${advice}`);
    });
  }

  #later(afterMs: number, fn: () => void): void {
    const { clock } = this.#env;
    const cancel = clock.at(clock.monotonic() + afterMs, () => {
      this.#patience.delete(cancel);
      fn();
    });
    this.#patience.add(cancel);
  }

  #setConnection(state: ConnectionState): void {
    if (this.#closing || this.#connection === state) return;
    this.#connection = state;
    this.#env.logger.info("connection to the network", { state });
    this.#own.emit("connection", { state });
  }

  #expectOpen(): void {
    if (this.#closing) throw new ToxError("closed", "This Tox instance is closed: create a new one.");
  }
}

async function buildFloors(
  env: ToxEnv,
  crypto: Crypto,
  self: KeyPair,
  selfShared: SharedKeyCache,
  options: ToxOptions,
): Promise<Floors> {
  const ofDht = dhtOptions(env, options);
  const { clock, logger, metrics } = env;
  const network =
    options.udp === false
      ? new UdpNetwork([], metrics)
      : await UdpNetwork.bind(env.datagrams, udpOptions(options), metrics);
  const base = { network, clock, crypto, logger, metrics };
  const dht = new Dht({ ...base, ...ofDht });
  const onionServer = new OnionServer({ ...base, dht });
  const relays =
    env.streams && new RelayPool({ ...base, streams: env.streams, self: dht.keyPair, sharedKeys: dht.sharedKeys });
  const onionClient = new OnionClient({ ...base, dht, self, ...(relays && { relays }) });
  const keys = { self, selfShared, dht: dht.keyPair, dhtShared: dht.sharedKeys };
  const netCrypto = new NetCrypto({ ...base, keys });
  const relayServer = await openRelay(env, crypto, dht, onionServer, options).catch((error: unknown) => {
    onionServer.close();
    dht.close();
    network.close();
    throw error;
  });
  if (relayServer !== undefined) announceOurRelay(relays, relayServer, options);
  const lower = { network, dht, onionServer, relays, relayServer, onionClient, netCrypto };
  const friends = await Friends.create({
    keys: self,
    finder: onionClient,
    lookups: dht,
    sessions: netCrypto,
    relays,
    ...(options.udp !== false && options.holePunching !== false && { sockets: network }),
    ...(options.store !== undefined && { store: options.store }),
    nospam: options.nospam ?? randomU32(crypto.random),
    clock,
    crypto,
    logger,
    metrics,
  }).catch((error: unknown) => {
    closeLower(lower); // the store cannot be read
    throw error;
  });
  if (options.udp === false) relays?.need(true);
  if (relays) {
    relays.onPacket = (packet, path, peer) => netCrypto.receiveFromRelay(packet, path, peer);
    relays.onWritable = (peer) => netCrypto.onRelayWritable(peer);
  }
  netCrypto.onIncoming = (peer, dhtPublicKey) => friends.incoming(peer, dhtPublicKey);
  netCrypto.isWelcome = (peer) => friends.get(peer) !== undefined;
  dht.hasFriends = onionServer.hasFriends = () => friends.count > 0;
  netCrypto.isExpected = (dhtPublicKey) => dht.isLookedFor(dhtPublicKey);
  return { ...lower, friends };
}

async function openRelay(
  { streams, clock, logger, metrics }: ToxEnv,
  crypto: Crypto,
  dht: Dht,
  onionServer: OnionServer,
  { relayPort, ipv4 = true, ipv6 = true, bindIpv4 }: ToxOptions,
): Promise<RelayServer | undefined> {
  if (relayPort === undefined) return undefined;
  expectPort(relayPort, 0);
  if (streams === undefined) throw new ToxError("network-unavailable", "Leave out `relayPort`: there is no TCP here.");
  const server = new RelayServer({
    ...{ streams, clock, crypto, metrics, logger, ipv4, ports: [relayPort] },
    ...(bindIpv4 === undefined ? { ipv6 } : { address: bindIpv4, ipv6: false }),
    keyPair: dht.keyPair,
    sharedKeys: dht.sharedKeys,
    onion: onionServer.relay,
    forwarding: dht.forwarder,
  });
  await server.listen();
  return server;
}

/** Friends are told of our own relay by its loopback address, as toxcore does: they know where we are. */
function announceOurRelay(relays: RelayPool | undefined, { ports }: RelayServer, { ipv4, bindIpv4 }: ToxOptions): void {
  const [port = 0] = ports;
  const loopback = ipv4 === false ? "::1" : "127.0.0.1";
  const at = (address: string) => makeEndpoint(parseAddress(address) ?? new Uint8Array(4), port);
  relays?.addOurServer(at(bindIpv4 === undefined || bindIpv4 === "0.0.0.0" ? loopback : bindIpv4), at(loopback));
}

function applyProfile(friends: Friends, { name, statusMessage, status }: ToxOptions): void {
  if (name !== undefined) friends.selfName = name;
  if (statusMessage !== undefined) friends.selfStatusMessage = statusMessage;
  if (status !== undefined) friends.selfStatus = status;
}

async function closeFloors({ friends, ...lower }: Floors): Promise<void> {
  try {
    await friends.close();
  } finally {
    closeLower(lower);
  }
}

function closeLower({
  netCrypto,
  onionClient,
  relays,
  relayServer,
  onionServer,
  dht,
  network,
}: Omit<Floors, "friends">): void {
  netCrypto.close();
  onionClient.close();
  relays?.close();
  relayServer?.close();
  onionServer.close();
  dht.close();
  network.close();
}

/** A name stays one: whoever connects looks it up, or the proxy does. */
function streamTarget({ host, port }: BootstrapNode): StreamTarget {
  const address = parseAddress(host);
  return address === undefined ? { host, port } : makeEndpoint(address, port);
}

function tcpTargets(node: BootstrapNode): StreamTarget[] {
  return (node.tcpPorts ?? [node.port]).map((port) => streamTarget({ ...node, port }));
}

function publicKeyOf(hex: string) {
  const bytes = fromHex(hex);
  if (bytes?.length !== 32) throw new ToxError("invalid-argument", "Give a public key as 64 hex digits.");
  return asPublicKey(bytes);
}

function checkedBootstrapNode(node: BootstrapNode): BootstrapNode {
  publicKeyOf(node.publicKey);
  for (const port of [node.port, ...(node.tcpPorts ?? [])]) expectPort(port, 1);
  if (node.host === "") throw new ToxError("invalid-argument", "Name the bootstrap node's host.");
  return node;
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ToxError("aborted", "The start was given up by its signal.", { cause: signal.reason });
}
