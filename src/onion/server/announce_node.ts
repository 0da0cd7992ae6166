import type { Crypto } from "../../crypto/crypto.ts";
import type { KeyBudget } from "../../crypto/key_budget.ts";
import { MAC_SIZE, NONCE_SIZE } from "../../crypto/keys.ts";
import { SharedKeyCache } from "../../crypto/shared_key_cache.ts";
import { TimedAuth } from "../../crypto/timed_auth.ts";
import type { Clock } from "../../env/clock.ts";
import { type DatagramSocket, type Endpoint, MAX_DATAGRAM_SIZE } from "../../env/datagram.ts";
import type { Metrics } from "../../env/metrics.ts";
import { dropCounter } from "../../network/drop_counter.ts";
import type { UdpNetwork } from "../../network/udp_network.ts";
import { isAllZero, sameBytes } from "../../util/bytes.ts";
import { isLanAddress } from "../../util/endpoint.ts";
import { randomU32 } from "../../util/random_numbers.ts";
import type { Drop } from "../../wire/drop.ts";
import { encodeOnionIpPort, ONION_IP_PORT_SIZE } from "../../wire/ip_port.ts";
import {
  type AnnounceRequest,
  type AnnounceRequestBody,
  decodeAnnounceRequest,
  decodeAnnounceRequestBody,
} from "../../wire/onion/announce_request.ts";
import {
  type AnnounceResponseBody,
  encodeAnnounceResponse,
  encodeAnnounceResponseBody,
  MAX_GROUP_ANNOUNCE_RESPONSE_BODY_SIZE,
} from "../../wire/onion/announce_response.ts";
import { decodeGroupAnnounce } from "../../wire/onion/group_announce.ts";
import { decodeOnionDataRequest, encodeOnionDataResponse } from "../../wire/onion/onion_data.ts";
import { decodeDeliveredRequest } from "../../wire/onion/onion_request.ts";
import { encodeOnionResponse } from "../../wire/onion/onion_response.ts";
import { MAX_ONION_NODES, MAX_ONION_PACKET_SIZE } from "../../wire/onion/sizes.ts";
import { PacketId } from "../../wire/packet_ids.ts";
import type { OnionDht } from "../ports.ts";
import { type Announcement, AnnounceStore } from "./announce_store.ts";

/** Keys of 32 bytes. toxcore keeps up to 1024. */
const CACHED_KEYS = 2048;
/** toxcore's PING_ID_TIMEOUT. */
const PING_ID_SECONDS = 300;
const NOTHING = new Uint8Array(0);

/**
 * Where others announce themselves, are found, and receive data over the path that they left here. A request of 354 bytes
 * or more gets a response of at most 465 (1.3 times as much, to the hop that it came from); data gets shorter on its way.
 * Whatever is malformed gets none.
 */
export class AnnounceNode {
  readonly #crypto: Crypto;
  readonly #network: UdpNetwork;
  readonly #dht: OnionDht;
  readonly #metrics: Metrics;
  readonly #keys: SharedKeyCache;
  readonly #budget: KeyBudget;
  readonly #pingIds: TimedAuth;
  readonly #store: AnnounceStore;
  readonly #opened = new Uint8Array(MAX_DATAGRAM_SIZE);
  readonly #plain = new Uint8Array(MAX_GROUP_ANNOUNCE_RESPONSE_BODY_SIZE);
  readonly #nonce = new Uint8Array(NONCE_SIZE);
  readonly #box = new Uint8Array(MAX_GROUP_ANNOUNCE_RESPONSE_BODY_SIZE + MAC_SIZE);
  readonly #answer = new Uint8Array(MAX_ONION_PACKET_SIZE);
  readonly #address = new Uint8Array(ONION_IP_PORT_SIZE);

  constructor(crypto: Crypto, network: UdpNetwork, dht: OnionDht, clock: Clock, metrics: Metrics, budget: KeyBudget) {
    this.#crypto = crypto;
    this.#budget = budget;
    this.#network = network;
    this.#dht = dht;
    this.#metrics = metrics;
    this.#keys = new SharedKeyCache(crypto, dht.keyPair.secretKey, CACHED_KEYS);
    this.#pingIds = new TimedAuth(crypto, clock, PING_ID_SECONDS);
    this.#store = new AnnounceStore(clock, dht.keyPair.publicKey, randomU32(crypto.random));

    const dropAnnounce = dropCounter(metrics, "announceRequest");
    const dropGroup = dropCounter(metrics, "groupAnnounceRequest");
    const dropData = dropCounter(metrics, "onionDataRequest");
    network.handle(PacketId.AnnounceRequest, (packet, from, socket) =>
      this.#onAnnounceRequest(packet, from, socket, dropAnnounce),
    );
    network.handle(PacketId.GroupAnnounceRequest, (packet, from, socket) =>
      this.#onAnnounceRequest(packet, from, socket, dropGroup),
    );
    network.handle(PacketId.OnionDataRequest, (packet) => this.#onDataRequest(packet, dropData));
  }

  /** Announcements held, the old ones included. */
  get size(): number {
    return this.#store.size;
  }

  close(): void {
    this.#network.handle(PacketId.AnnounceRequest, undefined);
    this.#network.handle(PacketId.GroupAnnounceRequest, undefined);
    this.#network.handle(PacketId.OnionDataRequest, undefined);
    this.#keys.clear();
    this.#pingIds.close();
    this.#store.clear();
  }

  #onAnnounceRequest(packet: Uint8Array, from: Endpoint, socket: DatagramSocket, drop: Drop): undefined {
    const delivered = decodeDeliveredRequest(packet, drop);
    const request = delivered && decodeAnnounceRequest(delivered.request, drop);
    if (delivered === undefined || request === undefined) return;
    const { publicKey, box, nonce } = request;
    const plain = this.#keys.openFromStranger(publicKey, box, nonce, this.#budget, this.#opened, from);
    if (typeof plain === "string") return drop(plain);
    const body = decodeAnnounceRequestBody(plain, drop);
    if (body === undefined || !isGroupAnnounceSound(body, drop)) return;

    this.#metrics.count("onion.announceRequests");
    const way = { endpoint: from, socket, sendback: delivered.sendback };
    const found = this.#announceOrFind(request, body, way);
    const answer = this.#answerFor(request, body, found, from);
    this.#respond(request, body, answer, way);
  }

  /**
   * The announcement that the response tells of. A valid ping_id announces the sender of the packet, whatever he
   * searches; only without one is the searched key looked up. handle_announce_request_common.
   */
  #announceOrFind(request: AnnounceRequest, body: AnnounceRequestBody, way: WayBack): Announcement | undefined {
    if (!this.#hasPingId(request, body, way)) return this.#store.get(body.searchedKey);
    const stored = this.#store.put({ publicKey: request.publicKey, dataPublicKey: body.dataPublicKey, ...way });
    this.#metrics.count(stored === undefined ? "onion.announcementsRefused" : "onion.announcementsStored");
    this.#metrics.gauge("onion.announcements", this.#store.size);
    return stored;
  }

  /** Whoever only searches sends zeros, and most do: what costs two HMACs is not asked about those. */
  #hasPingId(request: AnnounceRequest, { pingId }: AnnounceRequestBody, { endpoint }: WayBack): boolean {
    if (isAllZero(pingId)) return false;
    encodeOnionIpPort(this.#address, 0, endpoint);
    return this.#pingIds.check(pingId, request.publicKey, this.#address);
  }

  #answerFor(
    request: AnnounceRequest,
    body: AnnounceRequestBody,
    found: Announcement | undefined,
    from: Endpoint,
  ): AnnounceResponseBody {
    const nodes = this.#dht.closestNodes(body.searchedKey, MAX_ONION_NODES, isLanAddress(from.address));
    const tail = { nodes, groupAnnounces: NOTHING }; // we keep no groups' announces yet
    if (found !== undefined && !sameBytes(found.publicKey, request.publicKey)) {
      return { isStored: 1, pingIdOrDataKey: found.dataPublicKey, ...tail };
    }
    encodeOnionIpPort(this.#address, 0, from);
    const pingIdOrDataKey = this.#pingIds.make(request.publicKey, this.#address);
    const isOurs = found !== undefined && sameBytes(found.dataPublicKey, body.dataPublicKey);
    return { isStored: isOurs ? 2 : 0, pingIdOrDataKey, ...tail };
  }

  #respond(
    { group, publicKey }: AnnounceRequest,
    { sendbackData }: AnnounceRequestBody,
    answer: AnnounceResponseBody,
    way: WayBack,
  ): void {
    const key = this.#keys.get(publicKey);
    if (key === undefined) return;
    const length = encodeAnnounceResponseBody(this.#plain, answer, group);
    const nonce = this.#nonce;
    this.#crypto.random.fill(nonce);
    const end = this.#crypto.sealInto(this.#box, 0, this.#plain.subarray(0, length), nonce, key);
    const box = this.#box.subarray(0, end);
    this.#sendBack(encodeAnnounceResponse(this.#answer, { group, sendbackData, nonce, box }), way);
  }

  #onDataRequest(packet: Uint8Array, drop: Drop): undefined {
    const delivered = decodeDeliveredRequest(packet, drop);
    const request = delivered && decodeOnionDataRequest(delivered.request, drop);
    if (request === undefined) return;
    const announcement = this.#store.get(request.destination);
    if (announcement === undefined) return drop("not-for-us");
    this.#metrics.count("onion.dataPassedOn");
    this.#sendBack(encodeOnionDataResponse(this.#answer, request), announcement);
  }

  /** Sends the first `length` bytes of `#answer`. */
  #sendBack(length: number, way: WayBack): void {
    const buffer = way.socket.acquire();
    const data = this.#answer.subarray(0, length);
    const end = encodeOnionResponse(buffer, { depth: 3, sendback: way.sendback, data });
    this.#network.sendBuffer(way.socket, buffer, end, way.endpoint);
  }
}

/** How a response reaches its client: over the third hop, with the sendback that this one sent along. */
type WayBack = Pick<Announcement, "endpoint" | "socket" | "sendback">;

/** toxcore answers nothing to a group's announce that it cannot read. */
function isGroupAnnounceSound(body: AnnounceRequestBody, drop: Drop): boolean {
  return body.groupAnnounce.length === 0 || decodeGroupAnnounce(body.groupAnnounce, drop) !== undefined;
}
