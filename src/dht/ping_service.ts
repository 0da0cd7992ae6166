import type { PublicKey } from "../crypto/keys.ts";
import type { DatagramSocket, Endpoint } from "../env/datagram.ts";
import type { Metrics } from "../env/metrics.ts";
import { dropCounter } from "../network/drop_counter.ts";
import type { UdpNetwork } from "../network/udp_network.ts";
import { dhtPacketSender } from "../wire/dht/dht_packet.ts";
import { decodePingPayload, encodePingPayload, PING_PACKET_SIZE } from "../wire/dht/ping.ts";
import type { Drop } from "../wire/drop.ts";
import { PacketId } from "../wire/packet_ids.ts";
import type { DhtChannel } from "./dht_channel.ts";
import type { PendingRequest, PendingRequests } from "./pending_requests.ts";

export interface PingServiceListener {
  /** Somebody has sent a request, and has been answered. `sender` is a view of the packet. */
  onRequest(sender: PublicKey, from: Endpoint): void;
  onAnswer(request: PendingRequest, from: Endpoint): void;
}

/** PingRequest and PingResponse. c-toxcore `ping.c`. */
export class PingService {
  readonly #channel: DhtChannel;
  readonly #pending: PendingRequests;
  readonly #metrics: Metrics;
  readonly #listener: PingServiceListener;
  readonly #dropRequest: Drop;
  readonly #dropResponse: Drop;

  constructor(
    network: UdpNetwork,
    channel: DhtChannel,
    pending: PendingRequests,
    metrics: Metrics,
    listener: PingServiceListener,
  ) {
    this.#channel = channel;
    this.#pending = pending;
    this.#metrics = metrics;
    this.#listener = listener;
    this.#dropRequest = dropCounter(metrics, "pingRequest");
    this.#dropResponse = dropCounter(metrics, "pingResponse");
    network.handle(PacketId.PingRequest, (packet, from, via) => this.#handleRequest(packet, from, via));
    network.handle(PacketId.PingResponse, (packet, from) => this.#handleResponse(packet, from));
  }

  #handleRequest(packet: Uint8Array, from: Endpoint, via: DatagramSocket): void {
    const opened = this.#open(packet, PacketId.PingRequest, this.#dropRequest, from);
    if (opened === undefined) return;
    this.#metrics.count("dht.pingRequest.received");
    const { sender, sendback } = opened;
    const id = PacketId.PingResponse;
    this.#channel.send(from, id, sender, (into) => encodePingPayload(into, { id, sendback }), via);
    this.#listener.onRequest(sender, from);
  }

  #handleResponse(packet: Uint8Array, from: Endpoint): void {
    if (!this.#pending.awaits("ping", dhtPacketSender(packet), from)) {
      this.#dropResponse("unsolicited");
      return;
    }
    const opened = this.#open(packet, PacketId.PingResponse, this.#dropResponse);
    if (opened === undefined) return;
    const request = this.#pending.take("ping", opened.sendback, opened.sender, from);
    if (request === undefined) {
      this.#dropResponse("unsolicited");
      return;
    }
    this.#metrics.count("dht.pingResponse.received");
    this.#listener.onAnswer(request, from);
  }

  #open(
    packet: Uint8Array,
    id: number,
    drop: Drop,
    from?: Endpoint,
  ): { sender: PublicKey; sendback: bigint } | undefined {
    if (packet.length < PING_PACKET_SIZE) return drop("truncated");
    if (packet.length > PING_PACKET_SIZE) return drop("oversized");
    const opened = this.#channel.open(packet, drop, from);
    const payload = opened && decodePingPayload(opened.payload, drop);
    if (opened === undefined || payload === undefined) return undefined;
    return payload.id === id ? { sender: opened.sender, sendback: payload.sendback } : drop("malformed");
  }
}
