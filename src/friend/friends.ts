import type { Crypto } from "../crypto/crypto.ts";
import { asPublicKey, type KeyPair, PUBLIC_KEY_SIZE, type PublicKey } from "../crypto/keys.ts";
import { isOfSmallOrder } from "../crypto/small_order.ts";
import type { Clock } from "../env/clock.ts";
import type { Logger } from "../env/logger.ts";
import type { Metrics } from "../env/metrics.ts";
import type { Store } from "../env/store.ts";
import { dropCounter } from "../network/drop_counter.ts";
import { fromHex, readU32, sameBytes } from "../util/bytes.ts";
import { Emitter, type Unsubscribe } from "../util/emitter.ts";
import { KeyMap } from "../util/key_map.ts";
import { randomU32, randomU64 } from "../util/random_numbers.ts";
import { utf8 } from "../util/text.ts";
import { ToxError } from "../util/tox_error.ts";
import { encodeFriendRequestData, MAX_REQUEST_MESSAGE_SIZE } from "../wire/friend/friend_request.ts";
import type { UserStatus } from "../wire/friend/presence.ts";
import { decodeToxId, formatToxId, isCanonicalKey, parseToxId } from "../wire/friend/tox_id.ts";
import { parseToxUri, type ToxUri } from "../wire/friend/tox_uri.ts";
import { PunchingOffice } from "./birthday_punch.ts";
import { BlockList } from "./block_list.ts";
import type { FriendContext } from "./context.ts";
import type { FriendEvents } from "./events.ts";
import type { CallMaker, FileSender, Friend } from "./friend.ts";
import { FriendCore } from "./friend_core.ts";
import { FriendRequests } from "./friend_requests.ts";
import type { KnownFriend, OwnWords } from "./known_friend.ts";
import { type Message, messageNumber } from "./message.ts";
import { MessageJournal } from "./message_journal.ts";
import { type FriendPacketHandler, PacketHandlers } from "./packet_handlers.ts";
import { type FriendFloor, PluggedFloors } from "./plugged_floors.ts";
import type {
  FriendFinder,
  FriendLookups,
  FriendRelays,
  FriendSessionListener,
  FriendSessions,
  FriendSockets,
} from "./ports.ts";
import { Tell } from "./presence.ts";
import { SelfProfile } from "./self_profile.ts";

export interface FriendsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly crypto: Crypto;
  /** Long-term keys: who we are. */
  readonly keys: KeyPair;
  readonly sessions: FriendSessions;
  readonly finder: FriendFinder;
  readonly lookups: FriendLookups;
  /** Sockets to punch with, where that is wanted. */
  readonly sockets?: FriendSockets | undefined;
  /** None where there is no TCP. */
  readonly relays?: FriendRelays | undefined;
  /** Left out, what waits is gone with the instance. */
  readonly store?: Store;
  /** u32; random when left out. */
  readonly nospam?: number;
}

/** A message that waits, and for whom. */
export interface QueuedMessage {
  readonly friend: Friend;
  readonly message: Message;
}

/** The friend list: who is on it, what they and we tell each other. */
export class Friends {
  readonly #options: FriendsOptions;
  readonly #events: Emitter<FriendEvents>;
  readonly #cores: KeyMap<FriendCore>; // grown by the app alone
  readonly #context: FriendContext;
  /** Called when something has changed that profiles keep: our own doing, and not what friends tell of themselves. */
  onProfileChange: (() => void) | undefined;
  #nextMessageNumber: bigint;
  #closed: Promise<void> | undefined;

  /** Reads the journal: messages that were waiting go on waiting, each for its friend to be added again. */
  static async create(options: FriendsOptions): Promise<Friends> {
    const { store, logger, clock } = options;
    const blocked = await BlockList.open(store, logger, clock);
    return new Friends(options, await MessageJournal.open(store, logger, clock), blocked);
  }

  private constructor(options: FriendsOptions, journal: MessageJournal, blocked: BlockList) {
    const { random } = options.crypto;
    const drop = dropCounter(options.metrics, "friendPacket");
    this.#options = options;
    this.#events = new Emitter<FriendEvents>(options.logger);
    this.#cores = new KeyMap(randomU32(random));
    this.#nextMessageNumber = randomU64(random);
    const requests = new FriendRequests({
      nospam: options.nospam ?? randomU32(random),
      events: this.#events,
      drop: dropCounter(options.metrics, "friendRequest"),
      isFriend: (sender) => this.#cores.has(sender),
      isBlocked: (sender) => blocked.has(sender),
      accept: (sender) => this.get(sender) ?? this.addWithoutRequest(sender),
    });
    this.#context = {
      ...{ clock: options.clock, logger: options.logger, metrics: options.metrics, random, journal, drop, requests },
      ...{
        sessions: options.sessions,
        finder: options.finder,
        lookups: options.lookups,
        relays: options.relays,
        events: this.#events,
      },
      punching: options.sockets && new PunchingOffice(options.sockets, options.clock, random, options.metrics),
      profile: new SelfProfile(),
      handlers: new PacketHandlers(),
      floors: new PluggedFloors(),
      fileSender: undefined,
      callMaker: undefined,
      queuedMessages: new Map(),
      blocked,
      block: (friend, on) => this.block(friend, on),
      nextMessageNumber: () => this.#takeMessageNumber(),
      isClosed: () => this.#closed !== undefined,
      remove: (friend) => this.#remove(friend),
    };
    options.finder.onFriendRequest((sender, data) => {
      if (!this.#closed) requests.receive(sender, data);
    });
  }

  /** How many there are, asked ones included. */
  get count(): number {
    return this.#cores.size;
  }

  on<Name extends keyof FriendEvents>(name: Name, listener: (event: FriendEvents[Name]) => unknown): Unsubscribe {
    return this.#events.on(name, listener);
  }

  get events(): Emitter<FriendEvents> {
    return this.#events;
  }

  /** What to give to people: 76 upper-case hex digits. */
  get id(): string {
    return formatToxId({ publicKey: this.#options.keys.publicKey, nospam: this.nospam });
  }

  get nospam(): number {
    return this.#context.requests.nospam;
  }

  /** A new one makes every ID given out so far useless to strangers; friends stay. */
  set nospam(nospam: number) {
    this.#checkOpen();
    if (!Number.isInteger(nospam) || nospam < 0 || nospam > 0xffff_ffff) {
      throw new ToxError("invalid-argument", "Give a nospam from 0 to 4294967295.");
    }
    this.#context.requests.nospam = nospam;
    this.onProfileChange?.();
  }

  get selfName(): string {
    return this.#context.profile.name;
  }

  /** At most 128 bytes of UTF-8, else `name-too-long`. */
  set selfName(name: string) {
    this.#checkOpen();
    if (this.#context.profile.setName(name)) this.#changed(Tell.Name);
  }

  get selfStatusMessage(): string {
    return this.#context.profile.statusMessage;
  }

  /** At most 1007 bytes of UTF-8, else `status-message-too-long`. */
  set selfStatusMessage(text: string) {
    this.#checkOpen();
    if (this.#context.profile.setStatusMessage(text)) this.#changed(Tell.StatusMessage);
  }

  get selfStatus(): UserStatus {
    return this.#context.profile.status;
  }

  set selfStatus(status: UserStatus) {
    this.#checkOpen();
    if (this.#context.profile.setStatus(status)) this.#changed(Tell.Status);
  }

  /**
   * Asks somebody for friendship, by Tox ID or `tox:` link; the request goes on until he is there. The message may be left out
   * where the link has one. Asking again under a new nospam is fine as long as he has not answered. Who is blocked stays so.
   * Throws `invalid-id`, `checksum-mismatch`, `message-empty`, `request-message-too-long` (921 bytes), `own-id`,
   * `already-friend`, `weak-key`, `closed`.
   */
  add(toxId: string | Uint8Array, message?: string): Friend {
    this.#checkOpen();
    const link: Partial<ToxUri> = typeof toxId === "string" ? parseToxUri(toxId) : {};
    const { publicKey, nospam } = typeof toxId === "string" ? parseToxId(link.id ?? "") : decodeToxId(toxId);
    const bytes = utf8(message ?? link.message ?? "");
    if (bytes.length === 0) throw new ToxError("message-empty", "Write something with the request: who you are.");
    if (bytes.length > MAX_REQUEST_MESSAGE_SIZE) {
      const advice = `Shorten the request to ${MAX_REQUEST_MESSAGE_SIZE} bytes; it has ${bytes.length}.`;
      throw new ToxError("request-message-too-long", advice);
    }
    const data = encodeFriendRequestData({ nospam, message: bytes });
    const known = this.#cores.get(publicKey);
    const asked = known?.requestData;
    const core = known && asked && readU32(asked, 0) !== nospam ? known : this.#addCore(publicKey);
    core.request(data);
    this.onProfileChange?.();
    return core.handle;
  }

  /** Adds somebody who has asked us, or who adds us too. Takes 32 bytes or 64 hex digits. Throws as `add`. */
  addWithoutRequest(publicKey: string | Uint8Array): Friend {
    this.#checkOpen();
    const { handle } = this.#addCore(asKey(publicKey));
    this.onProfileChange?.();
    return handle;
  }

  /** What is to be kept of what we tell of ourselves. */
  get ownWords(): OwnWords {
    const { nameBytes: name, statusMessageBytes: statusMessage, status } = this.#context.profile;
    return { name, statusMessage, status };
  }

  /** Says of ourselves what an earlier instance said. */
  restoreOwnWords(words: OwnWords): void {
    this.#context.profile.restore(words);
  }

  /** Adds somebody whom an earlier instance knew. Throws `own-id`, `already-friend`, `weak-key`. */
  restore(known: KnownFriend): void {
    const core = this.#addCore(known.publicKey);
    core.presence.restore(known);
    if (known.request) core.request(encodeFriendRequestData(known.request), known.request.sent);
  }

  /** What is to be kept of all of them, in the order they were added. */
  known(): KnownFriend[] {
    return [...this.#cores.values()].map((core) => core.known);
  }

  /** By 32 bytes or 64 hex digits in any case. */
  get(publicKey: string | Uint8Array): Friend | undefined {
    return this.#cores.get(asKey(publicKey))?.handle;
  }

  /** In the order they were added. */
  list(): Friend[] {
    return [...this.#cores.values()].map((core) => core.handle);
  }

  /** All messages that are not settled, oldest first with each friend. */
  outbox(): QueuedMessage[] {
    return this.list().flatMap((friend) => friend.outbox().map((message) => ({ friend, message })));
  }

  /** The message with this id, as long as it is not settled. */
  queuedMessage(id: string): Message | undefined {
    const number = messageNumber(id);
    return number === undefined ? undefined : this.#context.queuedMessages.get(number);
  }

  /**
   * Blocks somebody, friend or stranger, or lets him in again: no request, no session and no message of his arrives, and he
   * sees us offline. Takes 32 bytes or 64 hex digits. Throws `block-list-full` (4096), `own-id`, `invalid-argument`, `closed`.
   */
  block(publicKey: string | Uint8Array, on: boolean): void {
    this.#checkOpen();
    const key = asKey(publicKey);
    if (sameBytes(key, this.#options.keys.publicKey)) throw new ToxError("own-id", "Block somebody else: this is you.");
    if (!this.#context.blocked.set(key, on)) return;
    this.#context.requests.forget(key);
    const core = this.#cores.get(key);
    if (on) core?.shutOut();
    else core?.letIn();
  }

  /** Public keys, in the order they were blocked. */
  blocked(): PublicKey[] {
    return this.#context.blocked.list();
  }

  /** Resolves when the store has the block list, if it can. */
  async blockListKept(): Promise<void> {
    await this.#context.blocked.flush();
  }

  /** Whether somebody may have a session with us. */
  welcomes(peer: PublicKey): boolean {
    return this.#cores.has(peer) && !this.#context.blocked.has(peer);
  }

  /** Where files, groups and calls take their packets: ids from `first` to `last`, of friends who are online. */
  onPacket(first: number, last: number, handler: FriendPacketHandler): Unsubscribe {
    return this.#context.handlers.register(first, last, handler);
  }

  /** A floor above hears who comes and goes from now on. */
  plugIn(floor: FriendFloor): void {
    this.#context.floors.add(floor);
  }

  /** Who carries out `Friend.sendFile`. */
  set callMaker(maker: CallMaker) {
    this.#context.callMaker = maker;
  }

  set fileSender(sender: FileSender) {
    this.#context.fileSender = sender;
  }

  /** Somebody begins a session with us. Undefined: he is no friend, or blocked, or his session with us is alive. */
  incoming(peer: PublicKey, dhtPublicKey: PublicKey): FriendSessionListener | undefined {
    if (this.#closed || this.#context.blocked.has(peer)) return undefined;
    return this.#cores.get(peer)?.incoming(dhtPublicKey);
  }

  /** Says OFFLINE to everybody and ends all sessions. Resolves when the store has everything. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // The first turn runs before `#closed` is set: nothing here calls the app.
    this.#context.journal.freeze(); // its messages wait on, whatever becomes of them here
    for (const core of this.#cores.values()) core.stop("closed");
    this.#events.removeAll();
    await this.#context.journal.flush();
    await this.#context.blocked.close();
  }

  #addCore(publicKey: PublicKey): FriendCore {
    if (sameBytes(publicKey, this.#options.keys.publicKey))
      throw new ToxError("own-id", "Give somebody else's ID: this is your own.");
    if (this.#cores.has(publicKey)) throw new ToxError("already-friend", "This person is on the friend list already.");
    if (!isCanonicalKey(publicKey) || isOfSmallOrder(publicKey)) {
      throw new ToxError("weak-key", "Refuse this key: encryption with it protects nothing.");
    }
    const core = new FriendCore(this.#context, publicKey.slice() as Uint8Array as PublicKey);
    this.#cores.set(publicKey, core);
    this.#options.relays?.need();
    core.start();
    return core;
  }

  #remove(friend: Friend): void {
    const key = friend.publicKeyBytes;
    const core = this.#cores.get(key);
    this.#checkOpen();
    if (core?.handle !== friend) return;
    this.#cores.delete(key);
    const { queued } = friend;
    core.stop("cancelled");
    this.#context.requests.forget(key);
    this.#context.journal.removed(key, queued);
    this.onProfileChange?.();
  }

  #changed(what: number): void {
    this.onProfileChange?.();
    for (const core of this.#cores.values()) core.presence.tell(what);
  }

  #takeMessageNumber(): bigint {
    this.#nextMessageNumber = (this.#nextMessageNumber + 1n) & 0xffff_ffff_ffff_ffffn;
    return this.#nextMessageNumber;
  }

  #checkOpen(): void {
    if (this.#closed) throw new ToxError("closed", "Create a new instance: this one is closed.");
  }
}

function asKey(publicKey: string | Uint8Array): PublicKey {
  const bytes = typeof publicKey === "string" ? fromHex(publicKey) : publicKey;
  if (bytes?.length !== PUBLIC_KEY_SIZE) {
    throw new ToxError("invalid-argument", `Give a public key of ${2 * PUBLIC_KEY_SIZE} hex digits or 32 bytes.`);
  }
  return asPublicKey(bytes);
}
