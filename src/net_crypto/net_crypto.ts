import type { Crypto } from "../crypto/crypto.ts";
import type { PublicKey } from "../crypto/keys.ts";
import type { Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { Logger } from "../env/logger.ts";
import type { Metrics } from "../env/metrics.ts";
import { dropCounter } from "../network/drop_counter.ts";
import type { UdpNetwork } from "../network/udp_network.ts";
import { sameBytes } from "../util/bytes.ts";
import { endpointKey } from "../util/endpoint.ts";
import { KeyMap } from "../util/key_map.ts";
import { randomU32 } from "../util/random_numbers.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import type { Drop, DropReason } from "../wire/drop.ts";
import { cookieRequestSender } from "../wire/net_crypto/cookie_request.ts";
import {
  checkCryptoDataSize,
  MAX_CRYPTO_DATA_PACKET_SIZE,
  MAX_CRYPTO_DATA_PLAIN_SIZE,
  MAX_SESSION_DATA_SIZE,
} from "../wire/net_crypto/crypto_data.ts";
import { PacketId } from "../wire/packet_ids.ts";
import { CookieLimiter } from "./cookie_limiter.ts";
import { Cookies } from "./cookies.ts";
import { CryptoSession } from "./crypto_session.ts";
import { type OpenedHandshake, openCookieRequest, openHandshake, sealCookieResponse } from "./handshake_crypto.ts";
import type { Arrived } from "./paths.ts";
import type { PacketSource, RelayPath, SessionKeys } from "./ports.ts";
import { ReceiveBudget } from "./receive_budget.ts";
import type { Session, SessionListener } from "./session.ts";
import type { SessionHost } from "./session_host.ts";

export interface NetCryptoOptions {
  readonly network: UdpNetwork;
  readonly keys: SessionKeys;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Answers who hears the new session, or undefined to refuse it. A handler that calls `connect` for the same keys itself gets
 * the handshake into that session.
 */
export type IncomingHandler = (
  peer: PublicKey,
  dhtPublicKey: PublicKey,
  from: PacketSource,
) => SessionListener | undefined;

/** All encrypted sessions of an instance: one a peer, over whatever paths there are. c-toxcore `net_crypto.c`. */
export class NetCrypto {
  /** Asked for each valid handshake of a peer that we have no session with. */
  onIncoming: IncomingHandler | undefined;
  /** Whether handshakes of this peer are worth looking at. Everybody's are when it is undefined. */
  isWelcome: ((peer: PublicKey) => boolean) | undefined;
  /** Whether a friend is expected under this DHT key: his cookie requests do not share a limit with strangers'. */
  isExpected: ((dhtPublicKey: PublicKey) => boolean) | undefined;

  readonly #network: UdpNetwork;
  readonly #keys: SessionKeys;
  readonly #clock: Clock;
  readonly #crypto: Crypto;
  readonly #metrics: Metrics;
  readonly #cookies: Cookies;
  readonly #limiter: CookieLimiter;
  readonly #strangersTried = new TokenBucket(128, 5);
  readonly #host: SessionHost<CryptoSession>;
  readonly #sessions: KeyMap<CryptoSession>; // bounded by the peers that the owner connects to or accepts
  readonly #bound = new Map<string, CryptoSession[]>(); // bounded by sessions × MAX_PATHS
  readonly #cookieRequestDrop: Drop;
  readonly #cookieResponseDrop: Drop;
  readonly #handshakeDrop: Drop;
  readonly #cryptoDataDrop: Drop;
  #receiveScratch: Uint8Array | undefined = new Uint8Array(MAX_CRYPTO_DATA_PLAIN_SIZE);
  readonly #stopListening: () => void;
  #closed = false;

  constructor(options: NetCryptoOptions) {
    const { network, keys, clock, crypto, metrics, logger } = options;
    this.#network = network;
    this.#keys = keys;
    this.#clock = clock;
    this.#crypto = crypto;
    this.#metrics = metrics;
    this.#cookies = new Cookies(crypto, clock);
    this.#sessions = new KeyMap(randomU32(crypto.random));
    this.#limiter = new CookieLimiter(randomU32(crypto.random));
    this.#cookieRequestDrop = dropCounter(metrics, "cookieRequest");
    this.#cookieResponseDrop = dropCounter(metrics, "cookieResponse");
    this.#handshakeDrop = dropCounter(metrics, "handshake");
    this.#cryptoDataDrop = dropCounter(metrics, "cryptoData");
    this.#host = {
      network,
      clock,
      crypto,
      keys,
      cookies: this.#cookies,
      metrics,
      logger,
      receiveBudget: new ReceiveBudget(),
      plainScratch: new Uint8Array(MAX_CRYPTO_DATA_PLAIN_SIZE),
      relayScratch: new Uint8Array(MAX_CRYPTO_DATA_PACKET_SIZE),
      requestScratch: new Uint8Array(MAX_SESSION_DATA_SIZE),
      bind: (endpoint, session) => this.#bind(endpoint, session),
      unbind: (endpoint, session) => this.#unbind(endpoint, session),
      forget: (session) => this.#forget(session),
    };
    this.#listen();
    this.#stopListening = network.onWritable(() => this.#onNetworkWritable());
  }

  /** The session with this peer, or undefined. */
  session(peer: PublicKey): Session | undefined {
    return this.#sessions.get(peer);
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /**
   * The session with a peer: a new one, which begins once it is given an endpoint. One that exists already with the same DHT
   * key is answered as it is, with the listener it has; one with another DHT key is closed as `replaced` first.
   */
  connect(peer: PublicKey, dhtPublicKey: PublicKey, listener: SessionListener): Session {
    const known = this.#sessions.get(peer);
    if (known !== undefined) {
      if (sameBytes(known.dhtPublicKey, dhtPublicKey)) return known;
      known.close("replaced");
    }
    const session = this.#newSession(peer, dhtPublicKey, listener);
    session.open();
    return session;
  }

  /**
   * Takes a packet that a relay brought, which begins with its id. `dhtPublicKey` is whose connection it came by, as the
   * relay says: cookie requests under another key are dropped.
   */
  receiveFromRelay(packet: Uint8Array, relay: RelayPath, dhtPublicKey: PublicKey): void {
    if (this.#closed) return;
    const arrived = { relay };
    switch (packet[0]) {
      case PacketId.CookieRequest:
        this.#takeRelayedCookieRequest(packet, relay, dhtPublicKey);
        break;
      case PacketId.CookieResponse:
        this.#handleCookieResponse(packet, arrived, this.#sessionsOver(dhtPublicKey));
        break;
      case PacketId.CryptoHandshake:
        this.#handleHandshake(packet, arrived);
        break;
      case PacketId.CryptoData:
        this.#handleCryptoData(packet, arrived, this.#sessionsOver(dhtPublicKey));
        break;
    }
  }

  /** A relay over which this peer is reached takes packets again, after a `send` has answered false. */
  onRelayWritable(dhtPublicKey: PublicKey): void {
    for (const session of this.#sessionsOver(dhtPublicKey)) session.onNetworkWritable();
  }

  /** Ends every session and tells the peers. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const session of [...this.#sessions.values()]) session.close("local");
    this.#stopListening();
    for (const id of HANDLED_IDS) this.#network.handle(id, undefined);
    this.#cookies.close();
  }

  #listen(): void {
    const network = this.#network;
    network.handle(PacketId.CookieRequest, (packet, endpoint, socket) => {
      const isExpected = this.isExpected?.(cookieRequestSender(packet)) ?? false;
      if (isExpected || this.#limiter.allows(endpoint, this.#clock.monotonic())) {
        this.#answerCookieRequest(packet, { endpoint, socket }, isExpected);
      } else {
        this.#cookieRequestDrop("rate-limited");
      }
    });
    network.handle(PacketId.CookieResponse, (packet, endpoint, socket) => {
      this.#handleCookieResponse(packet, { endpoint, socket }, this.#boundTo(endpoint));
    });
    network.handle(PacketId.CryptoHandshake, (packet, endpoint, socket) => {
      this.#handleHandshake(packet, { endpoint, socket });
    });
    network.handle(PacketId.CryptoData, (packet, endpoint, socket) => {
      const bound = this.#boundTo(endpoint);
      this.#handleCryptoData(packet, { endpoint, socket }, bound.length > 0 ? bound : this.#missing());
    });
  }

  /** Nothing is computed for a request under another key than the relay's word, or for one too many. */
  #takeRelayedCookieRequest(packet: Uint8Array, relay: RelayPath, dhtPublicKey: PublicKey): void {
    const isExpected = this.isExpected?.(dhtPublicKey) ?? false;
    if (!sameBytes(cookieRequestSender(packet), dhtPublicKey)) {
      this.#cookieRequestDrop("wrong-key");
    } else if (
      isExpected ||
      this.#limiter.allowsOverRelay(relay.relay ?? NAMELESS, dhtPublicKey, this.#clock.monotonic())
    ) {
      this.#answerCookieRequest(packet, { relay }, isExpected);
    } else {
      this.#cookieRequestDrop("rate-limited");
    }
  }

  /** `isFriends`: to be limited by its key, but only once it has proved genuine. */
  #answerCookieRequest(packet: Uint8Array, arrived: Arrived, isFriends: boolean): void {
    const request = openCookieRequest(this.#keys, packet, this.#cookieRequestDrop);
    if (request === undefined) return;
    if (isFriends && !this.#limiter.allowsFriend(request.dhtPublicKey, this.#clock.monotonic())) {
      this.#cookieRequestDrop("rate-limited");
      return;
    }
    const response = sealCookieResponse(this.#crypto, this.#cookies, request);
    if ("relay" in arrived) arrived.relay.send(response);
    else this.#network.send(arrived.endpoint, response, arrived.socket);
  }

  #handleCookieResponse(packet: Uint8Array, arrived: Arrived, sessions: readonly CryptoSession[]): void {
    let reason: DropReason | undefined = "unsolicited";
    for (const session of sessions) {
      reason = session.receiveCookieResponse(packet, arrived);
      if (reason === undefined) return;
    }
    this.#cookieResponseDrop(reason);
  }

  #handleHandshake(packet: Uint8Array, arrived: Arrived): void {
    const handshake = openHandshake(
      this.#crypto,
      this.#keys,
      this.#cookies,
      packet,
      ({ publicKey }) => this.#sessions.has(publicKey) || (this.isWelcome?.(publicKey) ?? true),
      this.#handshakeDrop,
    );
    if (handshake === undefined) return;
    const session = this.#sessions.get(handshake.peer);
    if (session === undefined) {
      this.#accept(handshake, arrived);
      return;
    }
    const verdict = session.judgeHandshake(handshake, arrived);
    if (verdict === "refuse") {
      this.#handshakeDrop("replayed");
    } else if (verdict === "replace") {
      session.close("replaced");
      this.#accept(handshake, arrived);
    } else if (!session.receiveHandshake(handshake, arrived, verdict)) {
      this.#handshakeDrop("weak-key");
    }
  }

  #accept(handshake: OpenedHandshake, arrived: Arrived): void {
    if (sameBytes(handshake.peer, this.#keys.self.publicKey)) {
      this.#handshakeDrop("not-for-us");
      return;
    }
    const from = "relay" in arrived ? { relay: arrived.relay } : { udp: arrived.endpoint };
    const listener = this.#ask(handshake, from);
    if (listener === undefined || this.#closed) {
      this.#handshakeDrop("unsolicited");
      return;
    }
    const existing = this.#sessions.get(handshake.peer); // made by the handler, or as the old session closed
    if (existing !== undefined && !sameBytes(existing.dhtPublicKey, handshake.dhtPublicKey)) {
      this.#handshakeDrop("unsolicited");
      return;
    }
    const session = existing ?? this.#newSession(handshake.peer, handshake.dhtPublicKey, listener);
    if (!session.receiveHandshake(handshake, arrived, "take")) {
      this.#handshakeDrop("weak-key");
      session.close("handshake-failed");
    }
  }

  #ask(handshake: OpenedHandshake, from: PacketSource): SessionListener | undefined {
    try {
      return this.onIncoming?.(handshake.peer, handshake.dhtPublicKey, from);
    } catch (error) {
      this.#host.logger.error("the handler of incoming sessions failed", { reason: String(error) });
      return undefined;
    }
  }

  #handleCryptoData(packet: Uint8Array, arrived: Arrived, sessions: readonly CryptoSession[]): void {
    if (checkCryptoDataSize(packet, this.#cryptoDataDrop) === undefined) return;
    let reason: DropReason | undefined = "wrong-address";
    const scratch = this.#receiveScratch ?? new Uint8Array(MAX_CRYPTO_DATA_PLAIN_SIZE); // when a handler makes packets arrive
    this.#receiveScratch = undefined;
    for (const session of sessions) {
      reason = session.receiveData(packet, arrived, scratch);
      if (reason !== "forged" && reason !== "unsolicited" && reason !== "replayed") break;
    }
    this.#receiveScratch = scratch;
    if (reason !== undefined) this.#cryptoDataDrop(reason);
  }

  #newSession(peer: PublicKey, dhtPublicKey: PublicKey, listener: SessionListener): CryptoSession {
    const session = new CryptoSession(this.#host, peer, dhtPublicKey, listener);
    this.#sessions.set(peer, session);
    this.#metrics.gauge("netCrypto.sessions", this.#sessions.size);
    return session;
  }

  #forget(session: CryptoSession): void {
    if (this.#sessions.get(session.peer) !== session) return;
    this.#sessions.delete(session.peer);
    this.#metrics.gauge("netCrypto.sessions", this.#sessions.size);
  }

  #bind(endpoint: Endpoint, session: CryptoSession): void {
    const key = endpointKey(endpoint);
    const others = this.#bound.get(key);
    this.#bound.set(key, others === undefined ? [session] : [...others, session]);
  }

  #unbind(endpoint: Endpoint, session: CryptoSession): void {
    const key = endpointKey(endpoint);
    const others = this.#bound.get(key)?.filter((other) => other !== session) ?? [];
    if (others.length === 0) this.#bound.delete(key);
    else this.#bound.set(key, others);
  }

  #boundTo(endpoint: Endpoint): readonly CryptoSession[] {
    return this.#bound.get(endpointKey(endpoint)) ?? NO_SESSIONS;
  }

  /**
   * Whose packet one from an unknown address may be: sessions whose peer is not heard where he was. He has moved, or his NAT
   * has; toxcore waits for the session to time out. A flood from anywhere is tried on some of them only.
   */
  #missing(): readonly CryptoSession[] {
    const now = this.#clock.monotonic();
    const missing: CryptoSession[] = [];
    for (const session of this.#sessions.values()) {
      if (!session.missesPeer) continue;
      if (!this.#strangersTried.take(now)) break;
      missing.push(session);
    }
    return missing;
  }

  #sessionsOver(dhtPublicKey: PublicKey): readonly CryptoSession[] {
    const found: CryptoSession[] = [];
    for (const session of this.#sessions.values())
      if (sameBytes(session.dhtPublicKey, dhtPublicKey)) found.push(session);
    return found;
  }

  #onNetworkWritable(): void {
    for (const session of this.#sessions.values()) session.onNetworkWritable();
  }
}

/** The limit of relays that do not say which they are. */
const NAMELESS = new Uint8Array(32);
const NO_SESSIONS: readonly CryptoSession[] = [];
const HANDLED_IDS = [PacketId.CookieRequest, PacketId.CookieResponse, PacketId.CryptoHandshake, PacketId.CryptoData];
