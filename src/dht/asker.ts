import type { PublicKey } from "../crypto/keys.ts";
import type { Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { Metrics } from "../env/metrics.ts";
import { sameBytes } from "../util/bytes.ts";
import { sameEndpoint } from "../util/endpoint.ts";
import { encodeNodesRequestPayload } from "../wire/dht/nodes_request.ts";
import { encodePingPayload } from "../wire/dht/ping.ts";
import { PacketId } from "../wire/packet_ids.ts";
import type { DhtChannel } from "./dht_channel.ts";
import type { NodeTable } from "./node_table.ts";
import type { PendingRequests } from "./pending_requests.ts";

/** How long (ms) a node that was asked for the first time may take before others ask it too. */
const PROOF_TIME = 1_000;

/** Sends pings and nodes requests, and remembers them as under way. */
export class Asker {
  readonly #channel: DhtChannel;
  readonly #pending: PendingRequests;
  readonly #table: NodeTable;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #self: PublicKey;

  constructor(
    channel: DhtChannel,
    pending: PendingRequests,
    table: NodeTable,
    clock: Clock,
    metrics: Metrics,
    self: PublicKey,
  ) {
    this.#channel = channel;
    this.#pending = pending;
    this.#table = table;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#self = self;
  }

  /** Asks whether the node lives. False when nothing could be sent. */
  ping(publicKey: PublicKey, endpoint: Endpoint): boolean {
    if (!this.#canAsk(publicKey, endpoint)) return false;
    const id = PacketId.PingRequest;
    const { sendback } = this.#pending.add("ping", publicKey, endpoint, undefined);
    this.#noteAsked(publicKey, endpoint);
    this.#metrics.count("dht.pingRequest.sent");
    return this.#channel.send(endpoint, id, publicKey, (into) => encodePingPayload(into, { id, sendback }));
  }

  /** Asks for the nodes next to `target`. `onAnswer` is called before the named nodes are looked at. */
  nodes(publicKey: PublicKey, endpoint: Endpoint, target: PublicKey, onAnswer?: () => void): boolean {
    if (!this.#canAsk(publicKey, endpoint)) return false;
    const { sendback } = this.#pending.add("nodes", publicKey, endpoint, onAnswer);
    this.#noteAsked(publicKey, endpoint);
    this.#metrics.count("dht.nodesRequest.sent");
    return this.#channel.send(endpoint, PacketId.NodesRequest, publicKey, (into) =>
      encodeNodesRequestPayload(into, { target, sendback }),
    );
  }

  /** Whether a ping to this node, at this address, is under way. */
  isPinging(publicKey: PublicKey, endpoint: Endpoint): boolean {
    return this.#pending.awaits("ping", publicKey, endpoint);
  }

  /** Whether this node, at this address, was asked anything within the last `ms`, and has not answered it. */
  wasAskedWithin(ms: number, publicKey: PublicKey, endpoint: Endpoint): boolean {
    return this.#pending.wasAskedWithin(ms, publicKey, endpoint);
  }

  /**
   * Whether somebody else has just asked this node, which has never answered us at this address. Once it does, all lists that
   * want it have it; until then one request is enough, lest a liar's answer becomes one request for each of our friends
   * to an address that he chose.
   */
  isBeingProven(publicKey: PublicKey, endpoint: Endpoint): boolean {
    if (!this.#pending.wasAskedWithin(PROOF_TIME, publicKey, endpoint)) return false;
    const known = this.#table.get(publicKey)?.association(endpoint.family);
    return known === undefined || !sameEndpoint(known.endpoint, endpoint);
  }

  #canAsk(publicKey: PublicKey, endpoint: Endpoint): boolean {
    return this.#channel.reaches(endpoint) && !sameBytes(publicKey, this.#self);
  }

  /** A node that was asked anything need not be pinged soon. */
  #noteAsked(publicKey: PublicKey, endpoint: Endpoint): void {
    const association = this.#table.get(publicKey)?.association(endpoint.family);
    if (association !== undefined) association.lastAsked = this.#clock.monotonic();
  }
}
