import type { CallsEvents } from "./av/calls.ts";
import type { BootstrapNode } from "./bootstrap_node.ts";
import { Crypto } from "./crypto/crypto.ts";
import type { KeyPair } from "./crypto/keys.ts";
import { SharedKeyCache } from "./crypto/shared_key_cache.ts";
import type { PortMapping } from "./env/port_mapper.ts";
import type { FriendAvatar } from "./files/avatars.ts";
import type { FileEvents } from "./files/files.ts";
import type { ConnectionState, FriendEvents } from "./friend/events.ts";
import type { Call, FileTransfer, Friend } from "./friend/friend.ts";
import type { QueuedMessage } from "./friend/friends.ts";
import type { Message } from "./friend/message.ts";
import type { ToxEnv } from "./tox_env.ts";
import { buildFloors, closeFloors, type Floors } from "./tox_floors.ts";
import { expectU32, portMapperOf, type ToxOptions } from "./tox_options.ts";
import { ToxProfile } from "./tox_profile.ts";
import { toHex } from "./util/bytes.ts";
import { Emitter, type Unsubscribe } from "./util/emitter.ts";
import { randomU32 } from "./util/random_numbers.ts";
import { ToxError } from "./util/tox_error.ts";
import { checkedBootstrapNode, publicKeyOf, WaysIn } from "./ways_in.ts";
import type { UserStatus } from "./wire/friend/presence.ts";

export interface ToxEvents extends FriendEvents, FileEvents, CallsEvents {
  /** Whether the network answers. */
  connection: { readonly state: ConnectionState };
}

/**
 * One person on the Tox network: an identity, its friends and the node that finds them. Made by `Tox.create`; ended by
 * `close`, after which every method throws the `ToxError` `closed`.
 */
export class Tox {
  readonly #env: ToxEnv;
  readonly #crypto: Crypto;
  readonly #profile: ToxProfile;
  readonly #self: KeyPair;
  readonly #selfShared: SharedKeyCache;
  readonly #floors: Floors;
  readonly #waysIn: WaysIn;
  readonly #own: Emitter<Pick<ToxEvents, "connection">>;
  #connection: ConnectionState = "none";
  #closing: Promise<void> | undefined;
  #mapping: PortMapping | undefined;

  private constructor(env: ToxEnv, crypto: Crypto, profile: ToxProfile, selfShared: SharedKeyCache, floors: Floors) {
    this.#env = env;
    this.#crypto = crypto;
    this.#profile = profile;
    this.#self = profile.keys;
    this.#selfShared = selfShared;
    this.#floors = floors;
    this.#waysIn = new WaysIn(env, floors);
    this.#own = new Emitter(env.logger);
    floors.onionClient.onConnection((state) => this.#setConnection(state));
  }

  /**
   * Opens the sockets and starts the instance. Rejects with a `ToxError`: `port-in-use`, `permission-denied`,
   * `network-unavailable`, `invalid-argument`, `name-too-long`, `status-message-too-long`, `aborted`; for a profile
   * `profile-damaged`, `password-missing`, and what the store says. No event comes before the turn after the promise resolves.
   */
  static async create(env: ToxEnv, options: ToxOptions = {}): Promise<Tox> {
    throwIfAborted(options.signal);
    const crypto = new Crypto(env.crypto, env.random);
    if (options.nospam !== undefined) expectU32(options.nospam, "the nospam");
    const bootstrap = (options.bootstrap ?? []).map(checkedBootstrapNode);
    const relays = (options.relays ?? []).map(checkedBootstrapNode);
    const portMapper = portMapperOf(env, options);
    const profile = await ToxProfile.open(env, crypto, options);
    const self = profile.keys;
    const selfShared = new SharedKeyCache(crypto, self.secretKey, 4096);
    const nospam = options.nospam ?? profile.nospam ?? randomU32(crypto.random);
    let floors: Floors | undefined;
    try {
      floors = await buildFloors(env, crypto, self, selfShared, { ...options, nospam });
      await profile.attach(floors);
      throwIfAborted(options.signal);
    } catch (error) {
      if (floors) await closeFloors(floors);
      profile.abandon();
      throw error;
    }
    const tox = new Tox(env, crypto, profile, selfShared, floors);
    env.logger.info("listening", { port: tox.udpPort, dhtPublicKey: tox.dhtPublicKey });
    tox.#mapPorts(portMapper?.open(options.bindIpv4 === undefined ? {} : { address: options.bindIpv4 }));
    tox.#waysIn.start({ bootstrap, relays });
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
   * Adds the owner of a Tox ID, or of a `tox:` link, and asks for friendship until he is online. The message may be left out
   * where the link has one. He is in the store when it resolves. Rejects with a `ToxError`: `invalid-id`, `checksum-mismatch`,
   * `own-id`, `already-friend`, `message-empty`, `request-message-too-long` (above 921 bytes).
   */
  async addFriend(id: string, message?: string): Promise<Friend> {
    this.#expectOpen();
    const friend = this.#floors.friends.add(id, message);
    await this.#kept();
    return friend;
  }

  /** Adds somebody who has added us, or will: no request is sent. Rejects with `own-id` or `already-friend`. */
  async addFriendWithoutRequest(publicKey: string): Promise<Friend> {
    this.#expectOpen();
    const friend = this.#floors.friends.addWithoutRequest(publicKeyOf(publicKey));
    await this.#kept();
    return friend;
  }

  /** All messages that are not settled, oldest first with each friend; after a restart too, given the same store. */
  outbox(): QueuedMessage[] {
    this.#expectOpen();
    return this.#floors.friends.outbox();
  }

  /** The message with this id, as long as it is not settled. */
  queuedMessage(id: string): Message | undefined {
    this.#expectOpen();
    return this.#floors.friends.queuedMessage(id);
  }

  /**
   * Blocks somebody, by public key (64 hex digits), or lets him in again with `on: false`: no request, session or message of
   * his arrives, and he sees us offline as if we had removed him. He need not be a friend; who is stays one, and adding or
   * removing him changes nothing in it. Resolves when the store has it. Rejects with `block-list-full` (4096 people),
   * `own-id`, `invalid-argument`.
   */
  async block(publicKey: string, on = true): Promise<void> {
    this.#expectOpen();
    this.#floors.friends.block(publicKeyOf(publicKey), on);
    await this.#floors.friends.blockListKept();
  }

  /** Public keys of those who are blocked, in that order. */
  get blocked(): string[] {
    this.#expectOpen();
    return this.#floors.friends.blocked().map(toHex);
  }

  /**
   * Asks a node for the way into the network; it is asked again until somebody answers. Behind a proxy a node that is given
   * by name serves as a relay only: name one by its address, too. Rejects with `host-not-found`, `invalid-argument` or
   * `weak-key`.
   */
  async bootstrap(node: BootstrapNode): Promise<void> {
    this.#expectOpen();
    await this.#waysIn.bootstrap(node);
  }

  /**
   * A node that carries packets over TCP, on its `tcpPorts` or else on its port: where UDP does not work we are found and
   * find others over it. Throws `invalid-argument` or `weak-key`, and `network-unavailable` where there is no TCP.
   */
  addRelay(node: BootstrapNode): void {
    this.#expectOpen();
    this.#waysIn.addRelay(node);
  }

  /**
   * Calls `listener` for each event, in packet order, after the state it tells of has changed. A message counts as
   * handled when the listeners, and the promises they returned, are done. What a listener throws goes to the logger, as an
   * error; the others still hear the event. Answers a function that ends it.
   */
  on<Name extends keyof ToxEvents>(name: Name, listener: (event: ToxEvents[Name]) => unknown): Unsubscribe {
    this.#expectOpen();
    if (name === "connection") return this.#own.on(name, listener as (event: ToxEvents["connection"]) => unknown);
    if (name === "incomingCall") return this.#floors.calls.events.on(name, listener as never);
    return isFileEvent(name)
      ? this.#floors.files.events.on(name, listener as never)
      : this.#floors.friends.on(name as keyof FriendEvents, listener as never);
  }

  /** Like `on`, for the next event only. */
  once<Name extends keyof ToxEvents>(name: Name, listener: (event: ToxEvents[Name]) => unknown): Unsubscribe {
    const off = this.on(name, (event) => {
      off();
      return listener(event);
    });
    return off;
  }

  /** Files on their way in both directions; offers that nobody has accepted are not among them. */
  get fileTransfers(): FileTransfer[] {
    this.#expectOpen();
    return this.#floors.files.transfers;
  }

  /** Calls that are not over; also those that ring. */
  get calls(): Call[] {
    this.#expectOpen();
    return this.#floors.calls.list;
  }

  /** Our avatar; undefined: none. */
  get avatar(): FriendAvatar | undefined {
    return this.#floors.files.avatars.own;
  }

  /**
   * Shows friends an image of at most 64 KiB, which they fetch, or none any more. Kept in the store. Rejects with
   * `invalid-argument`.
   */
  async setAvatar(bytes: Uint8Array | undefined): Promise<void> {
    this.#expectOpen();
    await this.#floors.files.avatars.setOwn(bytes);
  }

  /** The avatar that a friend showed last. `friendAvatar` tells of a new one. */
  async avatarOf(friend: Friend): Promise<FriendAvatar | undefined> {
    this.#expectOpen();
    return this.#floors.files.avatars.of(friend);
  }

  /** Resolves when the profile is in the store as it is now; without a store, at once. Rejects with what the store says. */
  async save(): Promise<void> {
    this.#expectOpen();
    await this.#profile.save();
  }

  /** The profile as toxcore's clients read it, the bytes of a `.tox` file: whoever has them is this person. */
  exportProfile(): Uint8Array {
    this.#expectOpen();
    return this.#profile.export();
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
    this.#waysIn.close();
    const saved = this.#profile.close().catch(() => {}); // logged
    try {
      await closeFloors(this.#floors);
      await saved;
    } finally {
      await this.#mapping?.close();
    }
    this.#connection = "none";
    this.#own.removeAll();
    this.#selfShared.clear();
    this.#crypto.wipe(this.#self.secretKey);
    this.#env.release?.();
  }

  /** When it is in the store, if it can be: in memory it is anyway, and the store is tried again. */
  async #kept(): Promise<void> {
    await this.#profile.save().catch(() => {}); // logged
  }

  #mapPorts(mapping: PortMapping | undefined): void {
    this.#mapping = mapping;
    if (this.udpPort !== 0) {
      mapping?.map("udp", this.udpPort, (external) => this.#floors.onionClient.setOwnEndpoint(external));
    }
    if (this.relayPort !== undefined) mapping?.map("tcp", this.relayPort);
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

function isFileEvent(name: keyof ToxEvents): name is keyof FileEvents {
  return name === "fileOffer" || name === "fileResumed" || name === "friendAvatar";
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ToxError("aborted", "The start was given up by its signal.", { cause: signal.reason });
}
