import type { Crypto } from "../crypto/crypto.ts";
import { KeyBudget, servingShares } from "../crypto/key_budget.ts";
import type { KeyPair, PublicKey } from "../crypto/keys.ts";
import type { SharedKeyCache } from "../crypto/shared_key_cache.ts";
import type { Cancel, Clock } from "../env/clock.ts";
import type { IpFamily } from "../env/datagram.ts";
import type { Logger } from "../env/logger.ts";
import type { Metrics } from "../env/metrics.ts";
import type { StreamListener, StreamPort, StreamSocket } from "../env/stream.ts";
import { dropCounter } from "../network/drop_counter.ts";
import { readU64 } from "../util/bytes.ts";
import { ToxError } from "../util/tox_error.ts";
import type { Drop } from "../wire/drop.ts";
import {
  decodeTcpHandshakeRequest,
  TCP_HANDSHAKE_PLAIN_SIZE,
  TCP_HANDSHAKE_REQUEST_SIZE,
} from "../wire/tcp/handshake.ts";
import { MAX_FRAME_BOX_SIZE } from "../wire/tcp/packets.ts";
import { type AddressShare, AddressShares } from "./address_shares.ts";
import { DeadlineQueue } from "./deadline_queue.ts";
import type { RelayForwarding, RelayOnion } from "./ports.ts";
import { RelayConnection } from "./relay_connection.ts";
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from "./relay_limits.ts";
import { SecureStream } from "./secure_stream.ts";
import { SessionKeys } from "./session_keys.ts";
import { Switchboard } from "./switchboard.ts";

export interface RelayServerOptions {
  readonly streams: StreamPort;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** The node's DHT keys. */
  readonly keyPair: KeyPair;
  /** Of that pair. */
  readonly sharedKeys: SharedKeyCache;
  /** 0 lets the system choose. */
  readonly ports: readonly number[];
  /** True when left out. */
  readonly ipv4?: boolean;
  /** True when left out. */
  readonly ipv6?: boolean;
  /** Local addresses; all when both are left out, of the one family alone when one is. */
  readonly bindIpv4?: string | undefined;
  readonly bindIpv6?: string | undefined;
  readonly limits?: Partial<RelayLimits>;
  /** Of strangers' keys; one of the relay's own when left out. */
  readonly keyBudget?: KeyBudget;
  readonly onion?: RelayOnion;
  readonly forwarding?: RelayForwarding;
}

/** In ms. toxcore's TCP_PING_FREQUENCY and TCP_PING_TIMEOUT; it has no time-out for the first two. */
const HANDSHAKE_TIMEOUT = 10_000;
const FIRST_PACKET_TIMEOUT = 10_000;
const PING_INTERVAL = 30_000;
const PING_TIMEOUT = 10_000;
/** Deadlines are looked at together, this far apart at least. */
const TICK_MS = 250;
/** Paused addresses go on earlier. */
const SHORT_TICK_MS = 5;
/** A full relay makes one place in so many ms, since that takes a look at all addresses. */
const CROWDED_MS = 10;
/** Of the time, for the keys of strangers. */
const KEY_SHARE = 0.3;

/** A TCP relay: takes connections, and has the switchboard pass on what their owners send one another. */
export class RelayServer {
  /** Whether there are friends, whose packets come before the keys of strangers. */
  hasFriends: (() => boolean) | undefined;
  readonly #options: RelayServerOptions;
  readonly #limits: RelayLimits;
  readonly #budget: KeyBudget;
  readonly #shares: AddressShares<RelayConnection>;
  readonly #switchboard: Switchboard;
  readonly #dropHandshake: Drop;
  readonly #listeners: StreamListener[] = []; // bounded by the ports given
  /** Packets of all connections are opened here, one at a time. */
  readonly #scratch = new Uint8Array(MAX_FRAME_BOX_SIZE);
  /** Every connection is in one of these four, bounded by the limits. */
  readonly #handshakes = new DeadlineQueue<RelayConnection>(HANDSHAKE_TIMEOUT);
  readonly #unconfirmed = new DeadlineQueue<RelayConnection>(FIRST_PACKET_TIMEOUT);
  readonly #pings = new DeadlineQueue<RelayConnection>(PING_INTERVAL);
  readonly #pongs = new DeadlineQueue<RelayConnection>(PING_TIMEOUT);
  /** Bounded by the addresses that are connected. */
  readonly #paused = new Set<AddressShare<RelayConnection>>();
  readonly #doomed: RelayConnection[] = []; // bounded by the connections
  #removing = false;
  #nextId = 1;
  #cancelTick: Cancel | undefined;
  #tickAt = Number.POSITIVE_INFINITY;
  /** Until then no place is made for anybody. */
  #crowdedUntil = 0;
  #closed = false;

  constructor(options: RelayServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_RELAY_LIMITS, ...options.limits };
    this.#budget =
      options.keyBudget ??
      new KeyBudget(
        options.clock,
        servingShares(() => this.hasFriends?.() ?? false, KEY_SHARE),
      );
    this.#shares = new AddressShares(this.#limits);
    this.#dropHandshake = dropCounter(options.metrics, "relayHandshake");
    this.#switchboard = new Switchboard(
      { ...options, dataLimit: 0.75 * this.#limits.queueBytes, slowReaders: this.#limits },
      (connection, why) => this.#remove(connection, why),
    );
  }

  /** Begins to listen. Rejects with a `ToxError` when none of the ports can be had; some are enough. */
  async listen(): Promise<void> {
    const { streams, ports, ipv4 = true, ipv6 = true, bindIpv4, bindIpv6, logger } = this.#options;
    const hasIpv4 = ipv4 && (bindIpv4 !== undefined || bindIpv6 === undefined);
    const hasIpv6 = ipv6 && (bindIpv6 !== undefined || bindIpv4 === undefined);
    const families: IpFamily[] = [...(hasIpv4 ? [4 as const] : []), ...(hasIpv6 ? [6 as const] : [])];
    let failure: unknown;
    for (const wanted of ports) {
      let port = wanted;
      for (const family of families) {
        const address = family === 4 ? bindIpv4 : bindIpv6;
        const bind = { family, port, queueLimit: this.#limits.queueBytes };
        try {
          const listener = await streams.listen(address === undefined ? bind : { ...bind, address });
          if (this.#closed) return listener.close();
          listener.onConnection = (stream) => this.#onConnection(stream);
          this.#listeners.push(listener);
          port = listener.port; // both families on the port that the system chose
        } catch (error) {
          failure ??= error;
          const isAbsent = error instanceof ToxError && error.code === "family-unavailable";
          logger[isAbsent ? "info" : "warn"]("relay cannot listen", { port, family, reason: String(error) });
        }
      }
    }
    if (this.#listeners.length === 0 && failure !== undefined) throw failure;
  }

  /** The ports listened on. */
  get ports(): number[] {
    return [...new Set(this.#listeners.map((listener) => listener.port))];
  }

  /** Clients, not counting connections that have not come so far. */
  get connectionCount(): number {
    return this.#switchboard.size;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#listeners) listener.close();
    this.#cancelTick?.();
    this.#switchboard.close();
    for (const queue of [this.#handshakes, this.#unconfirmed, this.#pings, this.#pongs]) {
      for (let next = queue.oldest(); next !== undefined; next = queue.oldest()) {
        queue.delete(next);
        next.state = "closed";
        next.stream.close();
      }
    }
  }

  #onConnection(socket: StreamSocket): undefined {
    const { clock, metrics } = this.#options;
    const now = clock.monotonic();
    const share = this.#shares.of(socket.remote, now);
    if (this.#closed || !share.newcomers.take(now)) {
      metrics.count("relay.server.refused");
      return void socket.close();
    }
    if (share.pending.size >= this.#limits.pendingPerAddress) this.#giveWay(first(share.pending));
    if (this.#handshakes.size >= this.#limits.handshakes) this.#giveWay(this.#handshakes.oldest());
    const connection = new RelayConnection(this.#nextId++, socket.remote, share, (connection) =>
      this.#open(socket, connection),
    );
    share.pending.add(connection);
    this.#handshakes.add(connection, now);
    this.#arm();
  }

  #open(socket: StreamSocket, connection: RelayConnection): SecureStream {
    return new SecureStream(socket, this.#options.crypto, this.#scratch, TCP_HANDSHAKE_REQUEST_SIZE, {
      onHandshake: (bytes) => this.#onHandshake(connection, bytes),
      onPacket: (packet) => this.#onPacket(connection, packet),
      onWritable: () => undefined,
      onFault: (fault) => this.#remove(connection, fault),
    });
  }

  #onHandshake(connection: RelayConnection, bytes: Uint8Array): undefined {
    const request = decodeTcpHandshakeRequest(bytes, this.#dropHandshake);
    if (request === undefined) return this.#remove(connection, "malformed");
    const { crypto, clock, sharedKeys } = this.#options;
    const plain = new Uint8Array(TCP_HANDSHAKE_PLAIN_SIZE);
    const opened = sharedKeys.openFromStranger(
      request.publicKey,
      request.box,
      request.nonce,
      this.#budget,
      plain,
      connection.remote,
    );
    if (typeof opened === "string") {
      this.#dropHandshake(opened);
      return this.#remove(connection, "refused");
    }
    const key = sharedKeys.get(request.publicKey);
    const answer = this.#budget.spend(() => {
      const session = new SessionKeys(crypto);
      const response = key && session.response(key);
      const keys = session.agree(opened);
      return response && keys && { response, keys };
    }, connection.remote);
    if (answer === undefined || answer === "rate-limited" || !connection.stream.sendRaw(answer.response)) {
      this.#dropHandshake(answer === "rate-limited" ? answer : "weak-key");
      return this.#remove(connection, "refused");
    }
    connection.stream.start(answer.keys);
    connection.publicKey = request.publicKey.slice() as PublicKey;
    connection.state = "unconfirmed";
    this.#handshakes.delete(connection);
    if (this.#unconfirmed.size >= this.#limits.unconfirmed) this.#giveWay(this.#unconfirmed.oldest());
    this.#unconfirmed.add(connection, clock.monotonic());
  }

  #onPacket(connection: RelayConnection, packet: Uint8Array): undefined {
    if (connection.state === "unconfirmed" && !this.#confirm(connection)) return;
    const { share } = connection;
    if (share.spend(packet.length, () => this.#options.clock.monotonic())) this.#pause(share);
    this.#switchboard.handle(connection, packet);
    if (this.#switchboard.hasUntold) this.#arm();
    // Its only packet that the switchboard cannot judge: an answer to a ping.
    if (connection.state === "client" && connection.pingId === undefined && this.#pongs.delete(connection)) {
      this.#pings.add(connection, this.#options.clock.monotonic());
    }
  }

  /** The first packet has come, so the other side holds the keys: it is a client now, instead of an older one. */
  #confirm(connection: RelayConnection): boolean {
    const { share, publicKey } = connection;
    const older = publicKey && this.#switchboard.client(publicKey);
    if (older !== undefined) this.#remove(older, "replaced");
    if (share.clients.size >= this.#limits.clientsPerAddress || !this.#hasRoomFor(share)) {
      this.#remove(connection, "refused");
      return false;
    }
    this.#unconfirmed.delete(connection);
    share.pending.delete(connection);
    share.clients.add(connection);
    if (share.paused) connection.stream.pause();
    connection.state = "client";
    this.#switchboard.add(connection);
    this.#pings.add(connection, this.#options.clock.monotonic());
    this.#arm();
    this.#options.metrics.gauge("relay.server.clients", this.#switchboard.size);
    return true;
  }

  /** A full relay takes a place from the address that has most, for one that has fewer. */
  #hasRoomFor(share: AddressShare<RelayConnection>): boolean {
    if (this.#switchboard.size < this.#limits.clients) return true;
    const now = this.#options.clock.monotonic();
    if (now < this.#crowdedUntil) return false;
    this.#crowdedUntil = now + CROWDED_MS;
    const largest = this.#shares.largest();
    if (largest === undefined || largest.clients.size <= share.clients.size + 1) return false;
    this.#giveWay(first(largest.clients));
    return this.#switchboard.size < this.#limits.clients;
  }

  #ping(connection: RelayConnection, now: number): undefined {
    const random = new Uint8Array(8);
    this.#options.crypto.random.fill(random);
    connection.pingId = readU64(random, 0) || 1n;
    this.#pongs.add(connection, now);
    this.#switchboard.ping(connection, connection.pingId);
  }

  #pause(share: AddressShare<RelayConnection>): undefined {
    if (share.paused) return;
    this.#options.metrics.count("relay.server.paused");
    share.pause();
    this.#paused.add(share);
    this.#arm();
  }

  #giveWay(connection: RelayConnection | undefined): undefined {
    if (connection !== undefined) this.#remove(connection, "crowded-out");
  }

  /** Ends a connection. What that does to others, full ones among them, is done one after the other, not within. */
  #remove(connection: RelayConnection, why: string): undefined {
    if (connection.state === "closed") return;
    const wasClient = connection.state === "client";
    connection.state = "closed";
    connection.stream.close();
    connection.share.pending.delete(connection);
    connection.share.clients.delete(connection);
    for (const queue of [this.#handshakes, this.#unconfirmed, this.#pings, this.#pongs]) queue.delete(connection);
    this.#options.metrics.count(`relay.server.ended.${why}`);
    if (!wasClient) return;
    this.#doomed.push(connection);
    if (this.#removing) return;
    this.#removing = true;
    for (let next = this.#doomed.pop(); next !== undefined; next = this.#doomed.pop()) this.#switchboard.remove(next);
    this.#removing = false;
    this.#options.metrics.gauge("relay.server.clients", this.#switchboard.size);
  }

  /** One timer for everything that is due. */
  #arm(): undefined {
    let due = Math.min(this.#handshakes.next(), this.#unconfirmed.next(), this.#pings.next(), this.#pongs.next());
    if (this.#switchboard.hasUntold) due = Math.min(due, this.#options.clock.monotonic() + 1);
    due = Math.ceil(due / TICK_MS) * TICK_MS;
    for (const share of this.#paused) due = Math.min(due, Math.ceil(share.resumeAt / SHORT_TICK_MS) * SHORT_TICK_MS);
    if (this.#closed || due >= this.#tickAt) return;
    this.#cancelTick?.();
    this.#tickAt = due;
    this.#cancelTick = this.#options.clock.at(due, () => this.#tick());
  }

  #tick(): undefined {
    this.#tickAt = Number.POSITIVE_INFINITY;
    const now = this.#options.clock.monotonic();
    for (const share of this.#paused) {
      if (share.resumeAt > now) continue;
      this.#paused.delete(share);
      share.resume();
    }
    this.#switchboard.tellUntold();
    const late = () => this.#handshakes.takeDue(now) ?? this.#unconfirmed.takeDue(now) ?? this.#pongs.takeDue(now);
    for (let next = late(); next !== undefined; next = late()) this.#remove(next, "timeout");
    for (let next = this.#pings.takeDue(now); next !== undefined; next = this.#pings.takeDue(now))
      this.#ping(next, now);
    this.#arm();
  }
}

function first<T>(things: Iterable<T>): T | undefined {
  for (const thing of things) return thing;
  return undefined;
}
