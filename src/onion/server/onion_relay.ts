import type { Crypto } from "../../crypto/crypto.ts";
import type { KeyBudget } from "../../crypto/key_budget.ts";
import { MAC_SIZE, NONCE_SIZE, PUBLIC_KEY_SIZE } from "../../crypto/keys.ts";
import { SharedKeyCache } from "../../crypto/shared_key_cache.ts";
import type { Clock } from "../../env/clock.ts";
import { type Endpoint, MAX_DATAGRAM_SIZE } from "../../env/datagram.ts";
import type { Metrics } from "../../env/metrics.ts";
import { dropCounter } from "../../network/drop_counter.ts";
import type { UdpNetwork } from "../../network/udp_network.ts";
import type { Drop } from "../../wire/drop.ts";
import {
  decodeOnionRequest,
  decodeOnionRequestLayer,
  encodeDeliveredRequest,
  encodeOnionRequest,
  isOnionRequestData,
  type OnionLayer,
  type OnionRequest,
  type OnionRequestLayer,
} from "../../wire/onion/onion_request.ts";
import { decodeOnionResponse, encodeOnionResponse, isOnionResponseData } from "../../wire/onion/onion_response.ts";
import { MAX_ONION_PACKET_SIZE, type SendbackDepth, sendbackSize } from "../../wire/onion/sizes.ts";
import { PacketId } from "../../wire/packet_ids.ts";
import type { OnionDht } from "../ports.ts";
import { mayPassOn } from "./relay_policy.ts";
import { clientOf, SendbackBox } from "./sendback_box.ts";

/** Keys of 32 bytes a layer. toxcore keeps up to 1024. */
const CACHED_KEYS = 2048;
const LAYERS: readonly OnionLayer[] = [0, 1, 2];
const DEPTHS: readonly SendbackDepth[] = [1, 2, 3];

/**
 * Serves as a hop in the paths of others: takes one layer off a request and passes it on with a sendback, and passes
 * responses back by that. Keeps nothing but cached keys, and what it sends is always shorter than what it received.
 */
export class OnionRelay {
  readonly #network: UdpNetwork;
  readonly #metrics: Metrics;
  readonly #isNodeAt: (endpoint: Endpoint) => boolean;
  readonly #sendbacks: SendbackBox;
  readonly #dropFromClient: Drop;
  /** What came back for a client of our TCP relay, by its number there. A view. */
  onClientResponse: ((client: number, packet: Uint8Array) => void) | undefined;
  readonly #budget: KeyBudget;
  readonly #plain = new Uint8Array(MAX_DATAGRAM_SIZE);
  /** One cache a layer: the first holds clients' DHT keys, which a flood of throw-away keys in the others leaves alone. */
  readonly #keys: Readonly<Record<OnionLayer, SharedKeyCache>>;

  constructor(
    crypto: Crypto,
    network: UdpNetwork,
    clock: Clock,
    metrics: Metrics,
    dht: Pick<OnionDht, "keyPair" | "isNodeAt">,
    budget: KeyBudget,
  ) {
    this.#isNodeAt = (endpoint) => dht.isNodeAt(endpoint);
    this.#budget = budget;
    this.#network = network;
    this.#metrics = metrics;
    this.#sendbacks = new SendbackBox(crypto, clock);
    this.#dropFromClient = dropCounter(metrics, "onionRequestTcp");
    const cache = () => new SharedKeyCache(crypto, dht.keyPair.secretKey, CACHED_KEYS);
    this.#keys = { 0: cache(), 1: cache(), 2: cache() };
    for (const layer of LAYERS) {
      const drop = dropCounter(metrics, `onionRequest${layer}`);
      network.handle(PacketId.OnionRequest0 + layer, (packet, from) => this.#onRequest(packet, from, drop));
    }
    for (const depth of DEPTHS) {
      const drop = dropCounter(metrics, `onionResponse${depth}`);
      network.handle(responseId(depth), (packet) => this.#onResponse(packet, drop));
    }
  }

  /**
   * Serves a client of our TCP relay as the first hop. What it sends needs no layer for us, its connection being sealed:
   * nonce ‖ address of the second hop ‖ key ‖ box.
   */
  requestFromClient(client: number, from: Endpoint, packet: Uint8Array): undefined {
    const drop = this.#dropFromClient;
    const inner = decodeOnionRequestLayer(packet.subarray(NONCE_SIZE), drop);
    if (inner === undefined) return undefined;
    // As long as a request of this layer may become.
    if (packet.length > MAX_ONION_PACKET_SIZE - sendbackSize(1)) return drop("oversized");
    if (inner.data.length <= PUBLIC_KEY_SIZE + MAC_SIZE) return drop("truncated");
    if (!mayPassOn(from, inner.next, this.#isNodeAt)) return drop("wrong-address");
    const nonce = packet.subarray(0, NONCE_SIZE);
    return this.#passOn({ layer: 0, nonce }, inner, this.#sendbacks.sealForClient(client), drop);
  }

  close(): void {
    for (const layer of LAYERS) this.#network.handle(PacketId.OnionRequest0 + layer, undefined);
    for (const depth of DEPTHS) this.#network.handle(responseId(depth), undefined);
    for (const layer of LAYERS) this.#keys[layer].clear();
    this.#sendbacks.close();
  }

  #onRequest(packet: Uint8Array, from: Endpoint, drop: Drop): undefined {
    const request = decodeOnionRequest(packet, drop);
    if (request === undefined) return;
    const { layer, publicKey, box, nonce } = request;
    const plain = this.#keys[layer].openFromStranger(publicKey, box, nonce, this.#budget, this.#plain, from);
    if (typeof plain === "string") return drop(plain);
    const inner = decodeOnionRequestLayer(plain, drop);
    if (inner === undefined) return;
    if (request.layer === 2 && !isOnionRequestData(inner.data[0])) return drop("unknown-id");
    if (!mayPassOn(from, inner.next, this.#isNodeAt)) return drop("wrong-address");
    this.#passOn(request, inner, this.#sendbacks.seal(from, request.sendback), drop);
  }

  #passOn(
    request: Pick<OnionRequest, "layer" | "nonce">,
    { next, data }: OnionRequestLayer,
    sendback: Uint8Array,
    drop: Drop,
  ): undefined {
    const socket = this.#network.socketFor(next);
    if (socket === undefined) return drop("wrong-address");
    const buffer = socket.acquire();
    const length =
      request.layer === 2
        ? encodeDeliveredRequest(buffer, { request: data, sendback })
        : encodeOnionRequest(buffer, {
            layer: request.layer === 0 ? 1 : 2,
            nonce: request.nonce,
            publicKey: data.subarray(0, PUBLIC_KEY_SIZE),
            box: data.subarray(PUBLIC_KEY_SIZE),
            sendback,
          });
    this.#network.sendBuffer(socket, buffer, length, next);
    this.#metrics.count("onion.requestsPassedOn");
  }

  #onResponse(packet: Uint8Array, drop: Drop): undefined {
    const response = decodeOnionResponse(packet, drop);
    if (response === undefined) return;
    if (!isOnionResponseData(response.data[0])) return drop("unknown-id");
    const sendback = this.#sendbacks.open(response.sendback, drop);
    if (sendback === undefined) return;
    if (sendback.transport === "tcp") {
      if (response.depth !== 1 || this.onClientResponse === undefined) return drop("wrong-address");
      this.#metrics.count("onion.responsesPassedBack");
      return this.onClientResponse(clientOf(sendback.from), response.data) as undefined;
    }
    const socket = this.#network.socketFor(sendback.from);
    if (socket === undefined) return drop("wrong-address");
    const buffer = socket.acquire();
    let length = response.data.length;
    if (response.depth === 1) buffer.set(response.data);
    else {
      const depth = response.depth === 3 ? 2 : 1;
      length = encodeOnionResponse(buffer, { depth, sendback: sendback.rest, data: response.data });
    }
    this.#network.sendBuffer(socket, buffer, length, sendback.from);
    this.#metrics.count("onion.responsesPassedBack");
  }
}

function responseId(depth: SendbackDepth): number {
  return PacketId.OnionResponse1 + 1 - depth;
}
