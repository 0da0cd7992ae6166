import type { PublicKey } from "../crypto/keys.ts";
import type { Clock } from "../env/clock.ts";
import type { Metrics } from "../env/metrics.ts";
import { dropCounter } from "../network/drop_counter.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import { DhtRequestId } from "../wire/dht/dht_request.ts";
import { decodeNatPing, encodeNatPing, NAT_PING_SIZE, type NatPing } from "../wire/dht/nat_ping.ts";
import type { Drop } from "../wire/drop.ts";
import type { DhtRequests } from "./dht_requests.ts";

/** Answers at once, and ms an answer in the long run: each goes out over up to eight nodes, and a request can be played again. */
const BURST = 16;
const INTERVAL = 250;
/** A request comes over up to eight nodes: its copies within this, in ms, are answered once. */
const COPIES_WITHIN = 1_000;

/** Whoever looks for a friend, and wants to hear of his NAT pings. */
export interface NatPingListener {
  /** He tries to reach us. */
  heardRequest(): void;
  /** He answers ours. False when we did not send that one, or he has answered it before. */
  heardResponse(pingId: bigint): boolean;
}

export interface NatPingsOptions {
  readonly requests: DhtRequests;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly isSearched: (publicKey: PublicKey) => boolean;
  readonly listenerFor: (publicKey: PublicKey) => NatPingListener | undefined;
  readonly send: (target: PublicKey, id: number, payload: Uint8Array) => number;
}

/**
 * NAT pings, by which two friends who know no way to each other agree to punch. Friends' are answered, nobody else's.
 * c-toxcore `DHT.c` (handle_nat_ping, send_nat_ping).
 */
export class NatPings {
  readonly #options: NatPingsOptions;
  readonly #drop: Drop;
  readonly #bucket = new TokenBucket(BURST, INTERVAL);
  #lastAnswered = 0n;
  #lastAnsweredAt = Number.NEGATIVE_INFINITY;

  constructor(options: NatPingsOptions) {
    this.#options = options;
    this.#drop = dropCounter(options.metrics, "natPing");
    options.requests.onRequest(DhtRequestId.NatPing, (sender, payload) => this.#handle(sender, payload));
  }

  request(target: PublicKey, pingId: bigint): void {
    this.#options.metrics.count("dht.natPing.sent");
    this.#send(target, { kind: "request", pingId });
  }

  #handle(sender: PublicKey, payload: Uint8Array): undefined {
    const { isSearched, listenerFor, metrics } = this.#options;
    const ping = decodeNatPing(payload, this.#drop);
    if (ping === undefined) return;
    if (!isSearched(sender)) return this.#drop("wrong-key");
    metrics.count("dht.natPing.received");
    const listener = listenerFor(sender);
    if (ping.kind === "request") return this.#answer(sender, ping.pingId, listener);
    if (listener?.heardResponse(ping.pingId) !== true) return this.#drop("unsolicited");
  }

  #answer(sender: PublicKey, pingId: bigint, listener: NatPingListener | undefined): undefined {
    const now = this.#options.clock.monotonic();
    const isCopy = pingId === this.#lastAnswered && now - this.#lastAnsweredAt < COPIES_WITHIN;
    if (isCopy || !this.#bucket.take(now)) return this.#drop("rate-limited");
    this.#lastAnswered = pingId;
    this.#lastAnsweredAt = now;
    this.#send(sender, { kind: "response", pingId });
    listener?.heardRequest();
  }

  #send(target: PublicKey, ping: NatPing): void {
    const payload = new Uint8Array(NAT_PING_SIZE);
    encodeNatPing(payload, ping);
    this.#options.send(target, DhtRequestId.NatPing, payload);
  }
}
