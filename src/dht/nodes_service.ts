import type { PublicKey } from "../crypto/keys.ts";
import type { DatagramSocket, Endpoint } from "../env/datagram.ts";
import type { Metrics } from "../env/metrics.ts";
import { dropCounter } from "../network/drop_counter.ts";
import type { UdpNetwork } from "../network/udp_network.ts";
import { isLanAddress } from "../util/endpoint.ts";
import { DHT_PACKET_OVERHEAD, dhtPacketSender } from "../wire/dht/dht_packet.ts";
import { decodeNodesRequestPayload, NODES_REQUEST_PACKET_SIZE } from "../wire/dht/nodes_request.ts";
import {
  decodeNodesResponsePayload,
  encodeNodesResponsePayload,
  MAX_NODES_RESPONSE_PAYLOAD_SIZE,
  MAX_SENT_NODES,
} from "../wire/dht/nodes_response.ts";
import type { Drop } from "../wire/drop.ts";
import type { PackedNode } from "../wire/packed_node.ts";
import { PacketId } from "../wire/packet_ids.ts";
import type { DhtChannel } from "./dht_channel.ts";
import type { NodeTable } from "./node_table.ts";
import type { PendingRequest, PendingRequests } from "./pending_requests.ts";

export interface NodesServiceListener {
  /** Somebody has sent a request, and has been answered. `sender` is a view of the packet. */
  onRequest(sender: PublicKey, from: Endpoint): void;
  onAnswer(request: PendingRequest, from: Endpoint, nodes: readonly PackedNode[]): void;
}

/** NodesRequest and NodesResponse. c-toxcore `DHT.c` (handle_nodes_request, handle_nodes_response). */
export class NodesService {
  readonly #channel: DhtChannel;
  readonly #table: NodeTable;
  readonly #pending: PendingRequests;
  readonly #metrics: Metrics;
  readonly #listener: NodesServiceListener;
  readonly #dropRequest: Drop;
  readonly #dropResponse: Drop;

  constructor(
    network: UdpNetwork,
    channel: DhtChannel,
    table: NodeTable,
    pending: PendingRequests,
    metrics: Metrics,
    listener: NodesServiceListener,
  ) {
    this.#channel = channel;
    this.#table = table;
    this.#pending = pending;
    this.#metrics = metrics;
    this.#listener = listener;
    this.#dropRequest = dropCounter(metrics, "nodesRequest");
    this.#dropResponse = dropCounter(metrics, "nodesResponse");
    network.handle(PacketId.NodesRequest, (packet, from, via) => this.#handleRequest(packet, from, via));
    network.handle(PacketId.NodesResponse, (packet, from) => this.#handleResponse(packet, from));
  }

  #handleRequest(packet: Uint8Array, from: Endpoint, via: DatagramSocket): undefined {
    const drop = this.#dropRequest;
    if (packet.length < NODES_REQUEST_PACKET_SIZE) return drop("truncated");
    if (packet.length > NODES_REQUEST_PACKET_SIZE) return drop("oversized");
    const opened = this.#channel.open(packet, drop, from);
    const request = opened && decodeNodesRequestPayload(opened.payload, drop);
    if (opened === undefined || request === undefined) return undefined;
    this.#metrics.count("dht.nodesRequest.received");
    const nodes = this.#table.closest(request.target, MAX_SENT_NODES, isLanAddress(from.address), from.family);
    const response = { nodes, sendback: request.sendback };
    this.#channel.send(
      from,
      PacketId.NodesResponse,
      opened.sender,
      (into) => encodeNodesResponsePayload(into, response),
      via,
    );
    this.#listener.onRequest(opened.sender, from);
  }

  #handleResponse(packet: Uint8Array, from: Endpoint): undefined {
    const drop = this.#dropResponse;
    if (packet.length > DHT_PACKET_OVERHEAD + MAX_NODES_RESPONSE_PAYLOAD_SIZE) return drop("oversized");
    if (!this.#pending.awaits("nodes", dhtPacketSender(packet), from)) return drop("unsolicited");
    const opened = this.#channel.open(packet, drop);
    const response = opened && decodeNodesResponsePayload(opened.payload, drop);
    if (opened === undefined || response === undefined) return undefined;
    const request = this.#pending.take("nodes", response.sendback, opened.sender, from);
    if (request === undefined) return drop("unsolicited");
    this.#metrics.count("dht.nodesResponse.received");
    this.#listener.onAnswer(request, from, response.nodes);
  }
}
