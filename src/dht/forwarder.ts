import type { Crypto } from "../crypto/crypto.ts";
import { AUTH_SIZE, type PublicKey } from "../crypto/keys.ts";
import { TimedAuth } from "../crypto/timed_auth.ts";
import type { Clock } from "../env/clock.ts";
import { type Endpoint, MAX_DATAGRAM_SIZE } from "../env/datagram.ts";
import type { Metrics } from "../env/metrics.ts";
import { dropCounter } from "../network/drop_counter.ts";
import type { UdpNetwork } from "../network/udp_network.ts";
import {
  decodeForwarding,
  decodeForwardReply,
  decodeForwardRequest,
  decodeForwardReturn,
  encodeForwarding,
  encodeForwardReply,
  encodeForwardReturn,
  type ForwardReturn,
  MAX_SENDBACK_SIZE,
} from "../wire/dht/forwarding.ts";
import type { Drop } from "../wire/drop.ts";
import { PacketId } from "../wire/packet_ids.ts";
import type { NodeTable } from "./node_table.ts";

/** How long (s) a reply may take, at least. forwarding.c SENDBACK_TIMEOUT. */
const SENDBACK_WINDOW = 3600;

/** A request that reached us over others. Its answer goes back by `Forwarder.reply`. All are views of the packet. */
export type ForwardedHandler = (data: Uint8Array, forwarder: Endpoint, sendback: Uint8Array) => void;

/** Passes requests on to nodes that we know, and their replies back. c-toxcore `forwarding.c`. */
export class Forwarder {
  readonly #network: UdpNetwork;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #table: NodeTable;
  readonly #auth: TimedAuth;
  readonly #onForwarded: ForwardedHandler;
  readonly #packet = new Uint8Array(MAX_DATAGRAM_SIZE);
  readonly #dropRequest: Drop;
  readonly #dropForwarding: Drop;
  readonly #dropReply: Drop;
  /** A reply for a client of our TCP relay, by its number there. A view. */
  onClientReply: ((client: number, data: Uint8Array) => void) | undefined;

  constructor(
    network: UdpNetwork,
    clock: Clock,
    crypto: Crypto,
    metrics: Metrics,
    table: NodeTable,
    onForwarded: ForwardedHandler,
  ) {
    this.#network = network;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#table = table;
    this.#onForwarded = onForwarded;
    this.#auth = new TimedAuth(crypto, clock, SENDBACK_WINDOW);
    this.#dropRequest = dropCounter(metrics, "forwardRequest");
    this.#dropForwarding = dropCounter(metrics, "forwarding");
    this.#dropReply = dropCounter(metrics, "forwardReply");
    network.handle(PacketId.ForwardRequest, (packet, from) => this.#handleRequest(packet, { to: from }));
    network.handle(PacketId.Forwarding, (packet, from) => this.#handleForwarding(packet, from));
    network.handle(PacketId.ForwardReply, (packet) => this.#handleReply(packet));
  }

  /** Sends an answer back the way its request came. */
  reply(forwarder: Endpoint, sendback: Uint8Array, data: Uint8Array): boolean {
    const length = encodeForwardReply(this.#packet, { sendback, data });
    return this.#network.send(forwarder, this.#packet.subarray(0, length));
  }

  /** Forwards for a client of our TCP relay, to wherever it says: the relay has looked that it may. */
  forwardForClient(client: number, to: Endpoint, data: Uint8Array): undefined {
    const sendback = this.#sendbackFor({ client });
    if (sendback === undefined) return;
    this.#metrics.count("dht.forwardRequest.passedOn");
    this.#sendForwarding(to, sendback, data);
  }

  close(): void {
    this.#auth.close();
  }

  /** A request to pass on, whose reply is to go back `way`. */
  #handleRequest(packet: Uint8Array, way: ForwardReturn): undefined {
    const drop = this.#dropRequest;
    const request = decodeForwardRequest(packet, drop);
    if (request === undefined) return undefined;
    const next = this.#addressOf(request.next);
    if (next === undefined) return drop("not-for-us");
    const sendback = this.#sendbackFor(way);
    if (sendback === undefined) return drop("oversized");
    this.#metrics.count("dht.forwardRequest.passedOn");
    this.#sendForwarding(next, sendback, request.data);
  }

  #handleForwarding(packet: Uint8Array, from: Endpoint): undefined {
    const forwarding = decodeForwarding(packet, this.#dropForwarding);
    if (forwarding === undefined) return undefined;
    const { sendback, data } = forwarding;
    if (data[0] === PacketId.ForwardRequest) return this.#handleRequest(data, { to: from, sendback });
    // Without a sendback it answers a request of ours, and we send none.
    if (sendback.length === 0) return this.#dropForwarding("unsolicited");
    this.#onForwarded(data, from, sendback);
  }

  #handleReply(packet: Uint8Array): undefined {
    const drop = this.#dropReply;
    const reply = decodeForwardReply(packet, drop);
    if (reply === undefined) return undefined;
    if (reply.sendback.length <= AUTH_SIZE) return drop("truncated");
    const returnBytes = reply.sendback.subarray(AUTH_SIZE);
    if (!this.#auth.check(reply.sendback.subarray(0, AUTH_SIZE), returnBytes)) return drop("forged");
    const way = decodeForwardReturn(returnBytes, drop);
    if (way === undefined) return undefined;
    this.#metrics.count("dht.forwardReply.passedOn");
    if ("client" in way) this.onClientReply?.(way.client, reply.data);
    else if (way.sendback === undefined) this.#sendForwarding(way.to, new Uint8Array(0), reply.data);
    else this.reply(way.to, way.sendback, reply.data);
  }

  #sendForwarding(to: Endpoint, sendback: Uint8Array, data: Uint8Array): void {
    const length = encodeForwarding(this.#packet, { sendback, data });
    this.#network.send(to, this.#packet.subarray(0, length));
  }

  /** Authenticator ‖ the way back, so that nobody can make us send where we have not been asked from. */
  #sendbackFor(way: ForwardReturn): Uint8Array | undefined {
    const sendback = new Uint8Array(AUTH_SIZE + 20 + MAX_SENDBACK_SIZE);
    const end = encodeForwardReturn(sendback, AUTH_SIZE, way);
    if (end > MAX_SENDBACK_SIZE) return undefined;
    sendback.set(this.#auth.make(sendback.subarray(AUTH_SIZE, end)));
    return sendback.subarray(0, end);
  }

  #addressOf(publicKey: PublicKey): Endpoint | undefined {
    return this.#table.get(publicKey)?.best(this.#clock.monotonic())?.endpoint;
  }
}
