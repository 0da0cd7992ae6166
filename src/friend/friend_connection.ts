import type { PublicKey } from "../crypto/keys.ts";
import type { Cancel } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { RelayPath } from "../net_crypto/ports.ts";
import type { BulkPacket, CloseReason } from "../net_crypto/session.ts";
import { sameBytes } from "../util/bytes.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import { bareFriendPacket, FriendPacketId } from "../wire/friend/packet_ids.ts";
import type { PackedNode } from "../wire/packed_node.ts";
import { BirthdayPunch } from "./birthday_punch.ts";
import type { FriendContext, FriendLink } from "./context.ts";
import type { ExtensionExtras } from "./extension_extras.ts";
import type { FinderFriend, FriendLookup, FriendSession, FriendSessionListener, SendPriority } from "./ports.ts";
import { RelaySide } from "./relay_side.ts";

/** c-toxcore `friend_connection.h`. */
export const ALIVE_INTERVAL_MS = 8_000;
/** Silence after which a session is given up. */
export const SILENCE_TIMEOUT_MS = 32_000;
/** A session says once a second that it lives: after so much silence its peer may be gone. */
const DOUBTFUL_SILENCE_MS = 4_000;
/** How long a DHT key is looked for after the last sign of it. toxcore's FRIEND_DHT_TIMEOUT. */
export const DHT_KEY_TIMEOUT_MS = 122_000;
/** Attempts that fail at once are not repeated faster than this. */
const RETRY_MS = 1_000;
/** Each session that he begins and each new DHT key of his cost key agreements, a search and events: so many at once … */
const BEGINNINGS = 16;
/** … and one in so many ms in the long run. */
const BEGINNING_MS = 2_000;

export interface FriendConnectionListener {
  /** The search has found the friend: data can be sent to him through the onion. */
  onReachable(): void;
  /** A session is established. */
  onUp(): void;
  /** It is gone; another is being looked for. */
  onDown(): void;
  onLossless(packet: Uint8Array): void;
  onLossy(packet: Uint8Array): void;
  onWritable(): void;
  /** Over UDP now, or over a relay. */
  onPathChange(): void;
}

/** One try for a session, ours or the peer's, and the session that came of it. */
interface Attempt {
  /** Missing until it is established when the peer began it. */
  session: FriendSession | undefined;
  established: boolean;
  readonly startedAt: number;
  /** When the peer was last heard of for sure; the session knows later times. */
  heardAt: number;
}

const NO_EXTRAS: ExtensionExtras = { capabilities: 0, peerHas: () => {}, handle: () => false };

/** Finds a friend, keeps one session with him, and finds him again when it ends. c-toxcore `friend_connection.c`. */
export class FriendConnection implements FriendLink {
  readonly #context: FriendContext;
  readonly #peer: PublicKey;
  readonly #listener: FriendConnectionListener;
  #finder: FinderFriend | undefined;
  #dhtKey: PublicKey | undefined;
  #lookup: FriendLookup | undefined;
  readonly #relays: RelaySide;
  #attempt: Attempt | undefined;
  readonly #beginnings = new TokenBucket(BEGINNINGS, BEGINNING_MS);
  /** A control packet found the queue full: nothing overtakes it. */
  #controlBlocked = false;
  #messagesBlocked = false;
  #stopped = false;
  readonly #punch: BirthdayPunch | undefined;
  #aliveSentAt = 0;
  #aliveTimer: Cancel | undefined;
  #retryTimer: Cancel | undefined;
  #dhtKeyTimer: Cancel | undefined;

  constructor(context: FriendContext, peer: PublicKey, listener: FriendConnectionListener) {
    this.#context = context;
    this.#peer = peer;
    this.#listener = listener;
    const { punching } = context;
    this.#punch =
      punching &&
      new BirthdayPunch(punching, {
        seenAs: () => this.#lookup?.seenAs(),
        session: () => (this.established ? this.#attempt?.session : undefined),
        send: (packet) => this.send(packet, "control"),
        drop: context.drop,
      });
    this.#relays = new RelaySide(context, {
      sessionEndpoint: () => this.#attempt?.session?.endpoint,
      foundEndpoint: () => this.#lookup?.endpoints()[0],
      onPath: (path) => this.#foundRelay(path),
      onLost: (path) => this.#attempt?.session?.removeRelay(path),
    });
  }

  get established(): boolean {
    return this.#attempt?.established ?? false;
  }

  /** What an established session runs over. */
  get transport(): "tcp" | "udp" {
    return this.#attempt?.session && this.#attempt.session.endpoint === undefined ? "tcp" : "udp";
  }

  /** Of the session there is, smoothed. */
  get roundTripMs(): number | undefined {
    return this.#attempt?.session?.roundTripMs;
  }

  start(): void {
    this.#finder = this.#context.finder.addFriend(this.#peer, {
      onDhtPublicKey: (dhtPublicKey, nodes) => this.#learnDhtKey(dhtPublicKey, nodes),
      onReachable: () => {
        if (!this.#stopped) this.#listener.onReachable();
      },
    });
  }

  /** Ends it all, without telling the listener. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#aliveTimer?.();
    this.#cancelRetry();
    this.#dhtKeyTimer?.();
    this.#lookup?.stop();
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.session?.kill(); // while there is a relay, or a socket, to say it over
    this.#punch?.stop();
    this.#relays.stop();
    this.#finder?.remove();
  }

  send(packet: Uint8Array, priority: SendPriority, onAcknowledged?: () => void): boolean {
    if (!this.#attempt?.established || this.#attempt.session === undefined) return false;
    if (this.#controlBlocked || (priority === "message" && this.#messagesBlocked)) return false;
    if (this.#attempt.session.send(packet, priority, onAcknowledged)) return true;
    if (priority === "control") this.#controlBlocked = true;
    else this.#messagesBlocked = true;
    return false;
  }

  sendLossy(packet: Uint8Array): boolean {
    return this.#attempt?.established === true && this.#attempt.session?.sendLossy(packet) === true;
  }

  setBulkSource(pull: (() => BulkPacket | undefined) | undefined): void {
    if (this.#attempt?.established) this.#attempt.session?.setBulkSource(pull);
  }

  bulkReady(): void {
    if (this.#attempt?.established) this.#attempt.session?.bulkReady();
  }

  /** nospam ‖ message, through the onion. Answers how many announce nodes it went to. */
  sendRequestThroughOnion(data: Uint8Array): number {
    return this.#finder?.sendFriendRequest(data) ?? 0;
  }

  restart(reason: string): void {
    const attempt = this.#attempt;
    if (attempt === undefined || this.#stopped) return;
    this.#context.logger.info("a friend's session is started anew", { reason });
    this.#attempt = undefined;
    attempt.session?.kill("timeout");
    this.#ended(attempt, "timeout");
  }

  /** The part that the connection has in our extension. */
  get extras(): ExtensionExtras {
    return this.#punch ?? NO_EXTRAS;
  }

  /** He says over which relays he can be reached. */
  takeRelays(relays: readonly PackedNode[]): void {
    this.#relays.suggest(relays);
  }

  /**
   * The peer begins a session. Undefined refuses it: ours with the same key is alive. Otherwise whatever we have gives
   * way: the peer, who proves to be himself, has none.
   */
  incoming(dhtPublicKey: PublicKey): FriendSessionListener | undefined {
    if (this.#stopped) return undefined;
    const sameKey = this.#dhtKey !== undefined && sameBytes(this.#dhtKey, dhtPublicKey);
    if (sameKey && this.#attempt?.established && !this.#isSilent()) return undefined;
    if (!this.#mayBegin()) return undefined;
    const old = this.#attempt;
    const attempt = this.#newAttempt();
    this.#attempt = attempt;
    old?.session?.kill();
    if (old?.established) this.#wentDown();
    if (this.#stopped || this.#attempt !== attempt) return undefined; // a listener's doing
    if (!sameKey) this.#finder?.setDhtPublicKey(dhtPublicKey);
    if (!sameKey || this.#lookup === undefined) this.#lookFor(dhtPublicKey, []);
    return this.#listenerOf(attempt);
  }

  #learnDhtKey(dhtPublicKey: PublicKey, nodes: readonly PackedNode[]): void {
    if (this.#stopped) return;
    if (this.#dhtKey && sameBytes(this.#dhtKey, dhtPublicKey) && this.#lookup) {
      this.#lookup.suggest(nodes);
      this.#relays.suggest(nodes);
      this.#armDhtKeyTimer();
      if (this.#retryTimer === undefined) this.#connect(); // he lives: what was in vain may work now
      return;
    }
    const changed = this.#dhtKey !== undefined && !sameBytes(this.#dhtKey, dhtPublicKey);
    if (changed && !this.#mayBegin()) return;
    const old = this.#attempt;
    if (changed) this.#attempt = undefined; // a new key is a new instance: the old session is a ghost
    if (changed) old?.session?.kill();
    this.#lookFor(dhtPublicKey, nodes);
    if (changed && old?.established) this.#wentDown();
    this.#connect();
  }

  #lookFor(dhtPublicKey: PublicKey, nodes: readonly PackedNode[]): void {
    this.#lookup?.stop();
    this.#lookup = undefined;
    const key = dhtPublicKey.slice() as Uint8Array as PublicKey;
    this.#dhtKey = key;
    this.#lookup = this.#context.lookups.lookUp(key, (endpoint) => {
      if (this.#dhtKey === key) this.#foundEndpoint(endpoint);
    });
    if (nodes.length > 0) this.#lookup.suggest(nodes);
    this.#relays.lookFor(key, nodes);
    this.#armDhtKeyTimer();
  }

  #foundRelay(path: RelayPath): void {
    if (this.#stopped) return;
    if (this.#attempt) this.#attempt.session?.addRelay(path);
    else if (this.#retryTimer === undefined) this.#connect();
  }

  /** While there is no session, a key is worth a search only for a while after the last sign of it. */
  #armDhtKeyTimer(): void {
    this.#dhtKeyTimer?.();
    const due = this.#context.clock.monotonic() + DHT_KEY_TIMEOUT_MS;
    this.#dhtKeyTimer = this.#context.clock.at(due, () => {
      if (this.established) return;
      this.#lookup?.stop();
      this.#lookup = undefined;
      this.#relays.stop();
    });
  }

  #foundEndpoint(endpoint: Endpoint): void {
    if (this.#stopped) return;
    if (this.#attempt) this.#attempt.session?.addEndpoint(endpoint);
    else this.#connect(endpoint);
    this.#relays.found(endpoint);
  }

  /** Opens a session once there is an address, or a relay, to open it to. */
  #connect(found?: Endpoint): void {
    if (this.#stopped || this.#attempt || this.#dhtKey === undefined) return;
    const endpoints = [...(this.#lookup?.endpoints() ?? [])];
    if (found && !endpoints.includes(found)) endpoints.unshift(found);
    if (endpoints.length === 0 && this.#relays.paths.size === 0) return;
    this.#cancelRetry();
    const attempt = this.#newAttempt();
    this.#attempt = attempt;
    attempt.session = this.#context.sessions.connect(this.#peer, this.#dhtKey, this.#listenerOf(attempt));
    for (const endpoint of endpoints) attempt.session.addEndpoint(endpoint);
    for (const path of this.#relays.paths) attempt.session.addRelay(path);
  }

  #newAttempt(): Attempt {
    const startedAt = this.#context.clock.monotonic();
    return { session: undefined, established: false, startedAt, heardAt: startedAt };
  }

  #listenerOf(attempt: Attempt): FriendSessionListener {
    const isCurrent = () => this.#attempt === attempt;
    return {
      onEstablished: (session) => {
        if (isCurrent()) this.#wentUp(attempt, session);
        else session.kill();
      },
      onLossless: (_session, packet) => {
        if (isCurrent() && attempt.established) this.#listener.onLossless(packet);
      },
      onLossy: (_session, packet) => {
        if (isCurrent() && attempt.established) this.#listener.onLossy(packet);
      },
      onWritable: () => {
        if (!isCurrent()) return;
        this.#controlBlocked = false;
        this.#messagesBlocked = false;
        this.#listener.onWritable();
      },
      onPathChange: () => {
        if (!isCurrent() || !attempt.established) return;
        this.#noteTransport();
        this.#listener.onPathChange();
      },
      onClosed: (_session, reason) => {
        if (!isCurrent()) return;
        this.#attempt = undefined;
        this.#ended(attempt, reason);
      },
    };
  }

  #wentUp(attempt: Attempt, session: FriendSession): void {
    attempt.session = session;
    attempt.established = true;
    attempt.heardAt = this.#context.clock.monotonic();
    this.#controlBlocked = false;
    this.#messagesBlocked = false;
    this.#finder?.setOnline(true);
    for (const path of this.#relays.paths) session.addRelay(path);
    this.#noteTransport();
    this.#listener.onUp();
    if (this.#attempt !== attempt) return;
    this.#relays.begin();
    this.#sendAlive();
  }

  #noteTransport(): void {
    this.#relays.direct = this.established && this.transport === "udp";
    this.#punch?.pathChanged();
  }

  #wentDown(): void {
    this.#aliveTimer?.();
    this.#aliveTimer = undefined;
    this.#punch?.stop();
    this.#finder?.setOnline(false);
    this.#noteTransport();
    if (this.#lookup) this.#armDhtKeyTimer();
    this.#listener.onDown();
  }

  #ended(attempt: Attempt, reason: CloseReason): void {
    if (attempt.established) this.#wentDown();
    if (this.#stopped) return;
    const now = this.#context.clock.monotonic();
    // A peer who ended it himself, and lives, begins anew himself: then ours would only be in his way.
    const hisTurn = reason === "killed" || reason === "replaced";
    const mayHurry = attempt.established && reason !== "timeout"; // what we found wanting, we do not open again in haste
    const due = hisTurn ? now + RETRY_MS : mayHurry ? now : attempt.startedAt + RETRY_MS;
    this.#cancelRetry();
    if (now >= due) this.#connect();
    else this.#retryTimer = this.#context.clock.at(due, () => this.#retry());
  }

  #retry(): void {
    this.#retryTimer = undefined;
    this.#connect();
  }

  #cancelRetry(): void {
    this.#retryTimer?.();
    this.#retryTimer = undefined;
  }

  #mayBegin(): boolean {
    if (this.#beginnings.take(this.#context.clock.monotonic())) return true;
    this.#context.drop("rate-limited");
    return false;
  }

  #heardAt(): number {
    return Math.max(this.#attempt?.heardAt ?? 0, this.#attempt?.session?.lastReceivedAt ?? 0);
  }

  #isSilent(): boolean {
    return this.#context.clock.monotonic() >= this.#heardAt() + SILENCE_TIMEOUT_MS;
  }

  #sendAlive(): void {
    this.send(bareFriendPacket(FriendPacketId.Alive), "control");
    this.#aliveSentAt = this.#context.clock.monotonic();
    this.#relays.share(this.#aliveSentAt, (packet) => this.send(packet, "control"));
    if (this.#aliveSentAt >= this.#heardAt() + DOUBTFUL_SILENCE_MS) this.#lookup?.doubt();
    this.#armAliveTimer();
  }

  /** One timer: for the next alive packet, or for the end of our patience if that is nearer. */
  #armAliveTimer(): void {
    const due = Math.min(this.#aliveSentAt + ALIVE_INTERVAL_MS, this.#heardAt() + SILENCE_TIMEOUT_MS);
    this.#aliveTimer?.();
    this.#aliveTimer = this.#context.clock.at(due, () => {
      if (this.#isSilent()) this.restart("silence");
      else if (this.#context.clock.monotonic() >= this.#aliveSentAt + ALIVE_INTERVAL_MS) this.#sendAlive();
      else this.#armAliveTimer();
    });
  }
}
