import type { Crypto } from "../crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../crypto/keys.ts";
import type { SharedKeyCache } from "../crypto/shared_key_cache.ts";
import type { Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { Metrics } from "../env/metrics.ts";
import { dropCounter } from "../network/drop_counter.ts";
import type { UdpNetwork } from "../network/udp_network.ts";
import { concatBytes, sameBytes } from "../util/bytes.ts";
import { sameEndpoint } from "../util/endpoint.ts";
import {
  DHT_REQUEST_HEADER_SIZE,
  type DhtRequest,
  decodeDhtRequest,
  encodeDhtRequest,
  MAX_DHT_REQUEST_PAYLOAD_SIZE,
  MAX_DHT_REQUEST_SIZE,
} from "../wire/dht/dht_request.ts";
import type { Drop } from "../wire/drop.ts";
import { PacketId } from "../wire/packet_ids.ts";
import type { NodeTable } from "./node_table.ts";
import type { OpenFrom } from "./open_from.ts";

export type DhtRequestHandler = (sender: PublicKey, payload: Uint8Array) => void;

export interface DhtRequestsOptions {
  readonly network: UdpNetwork;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly self: KeyPair;
  readonly sharedKeys: SharedKeyCache;
  readonly openFrom: OpenFrom;
  readonly table: NodeTable;
}

/** DHT requests: ours, those for us, and those that we pass on to nodes we know. */
export class DhtRequests {
  readonly #options: DhtRequestsOptions;
  readonly #handlers = new Map<number, DhtRequestHandler>(); // bounded by the ids the code registers
  readonly #drop: Drop;

  constructor(options: DhtRequestsOptions) {
    this.#options = options;
    this.#drop = dropCounter(options.metrics, "dhtRequest");
    options.network.handle(PacketId.DhtRequest, (packet, from) => this.#handle(packet, from));
  }

  onRequest(id: number, handler: DhtRequestHandler): void {
    this.#handlers.set(id, handler);
  }

  /** Leaves a request for `target` with each of `ways`. Answers how many went out. */
  send(target: PublicKey, id: number, payload: Uint8Array, ways: readonly Endpoint[]): number {
    const { crypto, network, self, sharedKeys, metrics } = this.#options;
    const sharedKey = sharedKeys.get(target);
    if (sharedKey === undefined || payload.length > MAX_DHT_REQUEST_PAYLOAD_SIZE) return 0;
    const nonce = crypto.nonce();
    const box = crypto.seal(concatBytes(Uint8Array.of(id), payload), nonce, sharedKey);
    const packet = new Uint8Array(DHT_REQUEST_HEADER_SIZE + box.length);
    encodeDhtRequest(packet, { receiver: target, sender: self.publicKey, nonce, box });
    let sent = 0;
    for (const way of ways) if (network.send(way, packet)) sent++;
    metrics.count("dht.dhtRequest.sent", sent);
    return sent;
  }

  #handle(packet: Uint8Array, from: Endpoint): undefined {
    const request = decodeDhtRequest(packet, this.#drop);
    if (request === undefined) return;
    const { self } = this.#options;
    if (sameBytes(request.sender, self.publicKey)) return this.#drop("wrong-key");
    if (!sameBytes(request.receiver, self.publicKey)) return this.#passOn(request.receiver, packet, from);
    if (packet.length > MAX_DHT_REQUEST_SIZE) return this.#drop("oversized");
    this.#open(request, from);
  }

  #open(request: DhtRequest, from: Endpoint): undefined {
    const { openFrom, metrics } = this.#options;
    const plain = openFrom(request.sender, request.box, request.nonce, undefined, from);
    if (typeof plain === "string") return this.#drop(plain);
    // toxcore drops a request with nothing behind its id.
    if (plain.length < 2) return this.#drop("truncated");
    const handler = this.#handlers.get(plain[0] ?? 0);
    if (handler === undefined) return this.#drop("unknown-id");
    metrics.count("dht.dhtRequest.received");
    handler(request.sender.slice() as PublicKey, plain.subarray(1));
  }

  /** Once, to one address, as it is; never back to where it came from. */
  #passOn(receiver: PublicKey, packet: Uint8Array, from: Endpoint): undefined {
    const { table, network, clock, metrics } = this.#options;
    const way = table.get(receiver)?.best(clock.monotonic());
    if (way === undefined || sameEndpoint(way.endpoint, from)) return this.#drop("not-for-us");
    metrics.count("dht.dhtRequest.passedOn");
    network.send(way.endpoint, packet);
  }
}
