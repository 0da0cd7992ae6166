import type { Crypto } from "../crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../crypto/keys.ts";
import type { SharedKeyCache } from "../crypto/shared_key_cache.ts";
import type { Cancel, Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { Logger } from "../env/logger.ts";
import type { Metrics } from "../env/metrics.ts";
import type { StreamPort, StreamSocket, StreamTarget } from "../env/stream.ts";
import { dropCounter } from "../network/drop_counter.ts";
import { readU64 } from "../util/bytes.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import { ToxError } from "../util/tox_error.ts";
import { MAX_FORWARD_DATA_SIZE } from "../wire/dht/forwarding.ts";
import type { Drop, DropReason } from "../wire/drop.ts";
import { decodeTcpHandshakeResponse, TCP_HANDSHAKE_RESPONSE_SIZE } from "../wire/tcp/handshake.ts";
import {
  decodeTcpPacket,
  encodeTcpPacket,
  MAX_FRAME_BOX_SIZE,
  MAX_OOB_SIZE,
  MAX_ROUTED_DATA_SIZE,
  type TcpPacket,
} from "../wire/tcp/packets.ts";
import { ReadAhead } from "./read_ahead.ts";
import { type Route, RouteTable } from "./route_table.ts";
import { SecureStream, type StreamFault } from "./secure_stream.ts";
import { SessionKeys } from "./session_keys.ts";

export type RelayState = "connecting" | "handshake" | "ready" | "closed";

/**
 * Why a connection to a relay has ended: how the stream ended or what was wrong in it, nobody there, the proxy refused,
 * too slow (`timeout`: handshake or pong), `wrong-key`: the relay is not who we were told, or `flooding`: it kept us busy
 * with packets that say nothing.
 */
export type RelayCloseReason =
  | StreamFault
  | "connection-failed"
  | "proxy-failed"
  | "timeout"
  | "wrong-key"
  | "flooding";

export interface RelayTarget {
  readonly publicKey: PublicKey;
  readonly address: StreamTarget;
}

/** Called for one connection, in order. Bytes and keys of peers are valid only inside the call. */
export interface RelayClientListener {
  /** The handshake is done. */
  onReady(relay: RelayClient): void;
  /** A peer that we asked a route to has come, or gone. */
  onPeer(relay: RelayClient, peer: PublicKey, online: boolean): void;
  onPacket(relay: RelayClient, peer: PublicKey, packet: Uint8Array): void;
  onOob(relay: RelayClient, peer: PublicKey, packet: Uint8Array): void;
  onOnionResponse(relay: RelayClient, packet: Uint8Array): void;
  onForwarding(relay: RelayClient, data: Uint8Array): void;
  /** There is room again after a send answered false. */
  onWritable(relay: RelayClient): void;
  /** Once; never for our own `close`. Every route is gone. `error`: what was said of a connection that did not come about. */
  onClosed(relay: RelayClient, reason: RelayCloseReason, error?: ToxError): void;
}

export interface RelayClientOptions {
  readonly streams: StreamPort;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** The keys that peers know us by at the relay: the DHT's. */
  readonly keyPair: KeyPair;
  /** Of that pair. */
  readonly sharedKeys: SharedKeyCache;
}

/** In ms. toxcore's TCP_CONNECTION_TIMEOUT, TCP_PING_FREQUENCY and TCP_PING_TIMEOUT. */
const CONNECT_TIMEOUT = 10_000;
const HANDSHAKE_TIMEOUT = 10_000;
const PING_INTERVAL = 30_000;
const PING_TIMEOUT = 10_000;
/** Ours: who sends, and has heard nothing for so long, asks whether the relay is still there, and waits so long for a sign. */
const DOUBT_AFTER = 4_000;
/** Packets of the relay itself that wait while the stream is full: two for each route, and answers to pings. */
const MAX_WAITING = 1024;
/** Pings, and answers and notices about nothing: more than these at once, and one in so many ms, no honest relay has for us. */
const NUISANCES = 1024;
const NUISANCE_MS = 50;

/** One connection to one TCP relay: routes to peers, out-of-band packets, onion requests. Begins to connect at once. */
export class RelayClient {
  readonly publicKey: PublicKey;
  readonly address: StreamTarget;
  readonly #options: RelayClientOptions;
  readonly #listener: RelayClientListener;
  readonly #drop: Drop;
  readonly #routes: RouteTable;
  readonly #abort = new AbortController();
  readonly #scratch = new Uint8Array(MAX_FRAME_BOX_SIZE);
  readonly #packet = new Uint8Array(MAX_FRAME_BOX_SIZE);
  readonly #startedAt: number;
  readonly #nuisances = new TokenBucket(NUISANCES, NUISANCE_MS);
  /** Bounded by MAX_WAITING; more ends the connection. */
  #waiting: Uint8Array[] = [];
  #state: RelayState = "connecting";
  #stream: SecureStream | undefined;
  #readAhead: ReadAhead | undefined;
  #remote: Endpoint | undefined;
  #session: SessionKeys | undefined;
  #cancelTimer: Cancel | undefined;
  #cancelDoubt: Cancel | undefined;
  #doubting = false;
  #pingId: bigint | undefined;
  #pingedAt = 0;
  #heardAt = 0;
  #askedAgainAt = 0;
  #connectMs: number | undefined;
  #roundTripMs: number | undefined;

  constructor(options: RelayClientOptions, target: RelayTarget, listener: RelayClientListener) {
    this.publicKey = target.publicKey.slice() as PublicKey;
    this.address = target.address;
    this.#options = options;
    this.#listener = listener;
    this.#drop = dropCounter(options.metrics, "relayClient");
    this.#routes = new RouteTable(options.crypto.random);
    this.#startedAt = options.clock.monotonic();
    options.streams.connect(target.address, { timeoutMs: CONNECT_TIMEOUT, signal: this.#abort.signal }).then(
      (stream) => this.#onConnected(stream),
      (error: unknown) => {
        const known = error instanceof ToxError ? error : undefined;
        this.#fail(known?.code === "proxy-failed" ? "proxy-failed" : "connection-failed", known);
      },
    );
  }

  get state(): RelayState {
    return this.#state;
  }

  /** Where the relay is, for others to connect to: for one known by name as its name was looked up; behind a proxy unknown. */
  get endpoint(): Endpoint | undefined {
    return "family" in this.address ? this.address : this.#remote;
  }

  /** What connecting and the handshake took; undefined until ready. */
  get connectMs(): number | undefined {
    return this.#connectMs;
  }

  /** Of the last ping that was answered. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** Peers that a route is wanted to. */
  get routeCount(): number {
    return this.#routes.wanted;
  }

  /** Asks for a route to a peer, now or when ready. False when all 240 are taken. Asking again does nothing. */
  requestRoute(peer: PublicKey): boolean {
    if (this.#state === "closed") return false;
    const known = this.#routes.get(peer);
    if (known !== undefined) {
      known.wanted = true;
      return true;
    }
    const route = this.#routes.add(peer);
    if (route === undefined) return false;
    if (this.#state === "ready") this.#ask(route);
    return !this.#isClosed; // the relay may have let its queue fill up
  }

  dropRoute(peer: PublicKey): void {
    const route = this.#routes.get(peer);
    if (route === undefined) return;
    // The relay will answer what is asked already, with an id that is to be given back then.
    if (route.asked && route.id === undefined) route.wanted = false;
    else this.#giveBack(route);
  }

  isPeerOnline(peer: PublicKey): boolean {
    const route = this.#routes.get(peer);
    return route?.wanted === true && route.online;
  }

  /** Sends to a peer. False: it is not connected there, the packet is empty or over 2029 bytes, or the stream is full. */
  sendTo(peer: PublicKey, packet: Uint8Array): boolean {
    const route = this.#routes.get(peer);
    if (route?.id === undefined || !route.online || !route.wanted) return false;
    if (packet.length === 0 || packet.length > MAX_ROUTED_DATA_SIZE) return false;
    this.#doubt();
    const isAllowed = this.#readAhead?.allows(packet.length) ?? false;
    const sent = isAllowed && this.#send({ type: "data", connectionId: route.id, data: packet });
    if (this.#pingId === undefined && this.#readAhead?.asks) this.#ping();
    return sent;
  }

  /** Sends 1–1024 bytes to whoever is connected to the relay with that key, without a route. */
  sendOob(peer: PublicKey, packet: Uint8Array): boolean {
    if (packet.length === 0 || packet.length > MAX_OOB_SIZE) return false;
    this.#doubt();
    return this.#send({ type: "oobSend", publicKey: peer, data: packet });
  }

  /** `packet`: nonce ‖ address of the next hop, onion form ‖ key ‖ box for that hop. */
  sendOnionRequest(packet: Uint8Array): boolean {
    if (packet.length > MAX_ROUTED_DATA_SIZE) return false;
    this.#doubt();
    return this.#send({ type: "onionRequest", data: packet });
  }

  /** Has the relay forward up to 1792 bytes over UDP; what answers comes to `onForwarding`. */
  sendForwardRequest(to: Endpoint, data: Uint8Array): boolean {
    return data.length <= MAX_FORWARD_DATA_SIZE && this.#send({ type: "forwardRequest", to, data });
  }

  /** Ends the connection; the listener is not called afterwards. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#cancelTimer?.();
    this.#cancelDoubt?.();
    this.#abort.abort();
    this.#session?.wipe();
    this.#stream?.close();
    this.#stream = undefined;
    this.#waiting = [];
    this.#routes.clear();
  }

  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  #fail(reason: RelayCloseReason, error?: ToxError): undefined {
    if (this.#state === "closed") return;
    this.close();
    this.#options.metrics.count(`relay.client.closed.${reason}`);
    this.#options.logger.debug("relay connection ended", { reason });
    this.#listener.onClosed(this, reason, error);
  }

  #onConnected(socket: StreamSocket): undefined {
    if (this.#state === "closed") return void socket.close();
    const { clock, crypto, keyPair, sharedKeys } = this.#options;
    this.#readAhead = new ReadAhead(clock.monotonic() - this.#startedAt);
    this.#remote = socket.remote;
    this.#stream = new SecureStream(socket, crypto, this.#scratch, TCP_HANDSHAKE_RESPONSE_SIZE, {
      onHandshake: (bytes) => this.#onHandshake(bytes),
      onPacket: (packet) => this.#onPacket(packet),
      onWritable: () => this.#onWritable(),
      onFault: (fault) => this.#fail(fault),
    });
    const key = sharedKeys.get(this.publicKey);
    if (key === undefined) return this.#fail("wrong-key");
    this.#state = "handshake";
    this.#session = new SessionKeys(crypto);
    this.#stream.sendRaw(this.#session.request(keyPair, key));
    this.#timer(HANDSHAKE_TIMEOUT, () => this.#fail("timeout"));
  }

  #onHandshake(bytes: Uint8Array): undefined {
    const { clock, crypto, sharedKeys } = this.#options;
    const response = decodeTcpHandshakeResponse(bytes, this.#drop);
    const key = sharedKeys.get(this.publicKey);
    const plain = response && key && crypto.open(response.box, response.nonce, key);
    const keys = plain && this.#session?.agree(plain);
    if (keys === undefined) return this.#fail("wrong-key");
    this.#stream?.start(keys);
    this.#state = "ready";
    this.#heardAt = clock.monotonic();
    this.#connectMs = clock.monotonic() - this.#startedAt;
    this.#options.metrics.count("relay.client.ready");
    // The relay takes us for its client at our first packet only.
    this.#ping();
    this.#askedAgainAt = clock.monotonic();
    for (const route of this.#routes.all()) this.#ask(route);
    if (!this.#isClosed) this.#listener.onReady(this);
  }

  #onPacket(bytes: Uint8Array): undefined {
    this.#heardAt = this.#options.clock.monotonic();
    const packet = decodeTcpPacket(bytes, this.#drop);
    if (packet === undefined) return this.#fail("malformed");
    switch (packet.type) {
      case "data": {
        const route = this.#routes.byId(packet.connectionId);
        if (route === undefined || !route.online) return this.#drop("unsolicited");
        if (packet.data.length === 0) return this.#drop("truncated");
        return void this.#listener.onPacket(this, route.peer, packet.data);
      }
      case "routingResponse":
        return this.#onRoutingResponse(packet.connectionId, packet.publicKey);
      case "connectNotice":
        return this.#onNotice(packet.connectionId, true);
      case "disconnectNotice":
        return this.#onNotice(packet.connectionId, false);
      case "ping":
        // Relays cut off whoever answers a ping of 0.
        if (packet.pingId === 0n) return this.#nuisance("malformed");
        if (!this.#nuisances.take(this.#options.clock.monotonic())) return this.#fail("flooding");
        return this.#control({ type: "pong", pingId: packet.pingId });
      case "pong":
        return this.#onPong(packet.pingId);
      case "oobRecv":
        return void this.#listener.onOob(this, packet.publicKey, packet.data);
      case "onionResponse":
        return void this.#listener.onOnionResponse(this, packet.data);
      case "forwarding":
        return void this.#listener.onForwarding(this, packet.data);
      default:
        return this.#nuisance("unsolicited"); // what only clients send
    }
  }

  #onRoutingResponse(id: number, peer: PublicKey): undefined {
    const route = this.#routes.get(peer);
    if (route === undefined || !route.asked || route.id !== undefined) return this.#nuisance("unsolicited");
    route.asked = false;
    if (!this.#routes.assign(route, id)) {
      // Refused, or an id that is another's: asked again with a later ping.
      this.#options.metrics.count("relay.client.routesRefused");
      if (!route.wanted) this.#routes.delete(route);
      return undefined;
    }
    if (!route.wanted) this.#giveBack(route);
    return undefined;
  }

  #onNotice(id: number, online: boolean): undefined {
    const route = this.#routes.byId(id);
    if (route === undefined || route.online === online) return this.#nuisance("unsolicited");
    route.online = online;
    this.#listener.onPeer(this, route.peer, online);
    return undefined;
  }

  #onPong(pingId: bigint): undefined {
    if (pingId !== this.#pingId) return this.#nuisance("unsolicited");
    this.#pingId = undefined;
    this.#roundTripMs = this.#options.clock.monotonic() - this.#pingedAt;
    const mayGoOn = this.#readAhead?.answered(this.#roundTripMs);
    this.#timer(PING_INTERVAL, () => this.#ping());
    if (this.#readAhead?.asks) this.#ping();
    if (mayGoOn) this.#listener.onWritable(this);
    return undefined;
  }

  /** Drops what means nothing, and ends a connection that brings little else. Data is not counted: it may be late. */
  #nuisance(reason: DropReason): undefined {
    this.#drop(reason);
    if (!this.#nuisances.take(this.#options.clock.monotonic())) this.#fail("flooding");
  }

  /** A stream that stalls says nothing: a router that has forgotten it, or another network than before. */
  #doubt(): undefined {
    const { clock } = this.#options;
    if (this.#doubting || this.#state !== "ready" || clock.monotonic() < this.#heardAt + DOUBT_AFTER) return;
    this.#doubting = true;
    if (this.#pingId === undefined) this.#ping();
    const since = clock.monotonic();
    this.#cancelDoubt = clock.at(since + DOUBT_AFTER, () => {
      this.#doubting = false;
      if (this.#heardAt < since) this.#fail("timeout");
    });
  }

  #ping(): undefined {
    const { clock, crypto } = this.#options;
    const random = new Uint8Array(8);
    crypto.random.fill(random);
    const pingId = readU64(random, 0) || 1n;
    this.#pingId = pingId;
    this.#pingedAt = clock.monotonic();
    this.#timer(PING_TIMEOUT, () => this.#fail("timeout"));
    this.#control({ type: "ping", pingId });
    this.#askAgain();
    this.#readAhead?.pinged();
  }

  /** For routes that were refused, now and then: somebody may have given one back. */
  #askAgain(): undefined {
    const now = this.#options.clock.monotonic();
    if (now < this.#askedAgainAt + PING_INTERVAL) return;
    this.#askedAgainAt = now;
    for (const route of this.#routes.all()) if (route.id === undefined && !route.asked) this.#ask(route);
  }

  #ask(route: Route): undefined {
    route.asked = true;
    this.#control({ type: "routingRequest", publicKey: route.peer });
  }

  #giveBack(route: Route): undefined {
    const { id } = route;
    this.#routes.delete(route);
    if (id !== undefined) this.#control({ type: "disconnectNotice", connectionId: id });
  }

  #send(packet: TcpPacket): boolean {
    if (this.#state !== "ready" || this.#waiting.length > 0) return false;
    const bytes = this.#encode(packet);
    if (!this.#stream?.send(bytes)) return false;
    this.#readAhead?.sent(bytes.length);
    return true;
  }

  /** Sends a packet that must not be lost, when there is room. */
  #control(packet: TcpPacket): undefined {
    if (this.#state !== "ready" || this.#send(packet)) return undefined;
    if (this.#waiting.length >= MAX_WAITING) return this.#fail("overflow");
    this.#waiting.push(this.#encode(packet).slice());
    return undefined;
  }

  #encode(packet: TcpPacket): Uint8Array {
    return this.#packet.subarray(0, encodeTcpPacket(this.#packet, packet));
  }

  #onWritable(): undefined {
    let sent = 0;
    for (const packet of this.#waiting) {
      if (!this.#stream?.send(packet)) break;
      sent++;
    }
    this.#waiting.splice(0, sent);
    if (this.#waiting.length === 0 && this.#state === "ready") this.#listener.onWritable(this);
  }

  #timer(afterMs: number, fn: () => void): undefined {
    this.#cancelTimer?.();
    const { clock } = this.#options;
    this.#cancelTimer = clock.at(clock.monotonic() + afterMs, fn);
  }
}
