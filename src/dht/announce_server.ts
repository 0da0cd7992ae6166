import type { Crypto } from "../crypto/crypto.ts";
import type { PublicKey } from "../crypto/keys.ts";
import { TimedAuth } from "../crypto/timed_auth.ts";
import type { Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { Metrics } from "../env/metrics.ts";
import { dropCounter } from "../network/drop_counter.ts";
import type { UdpNetwork } from "../network/udp_network.ts";
import { concatBytes } from "../util/bytes.ts";
import { isLanAddress } from "../util/endpoint.ts";
import { decodeDataRetrieveRequest, encodeDataRetrieveResponse } from "../wire/dht/data_retrieve.ts";
import {
  type DataSearchResult,
  decodeDataSearchRequest,
  encodeDataSearchResponse,
  encodeDataSearchResult,
} from "../wire/dht/data_search.ts";
import { MAX_FORWARD_DATA_SIZE } from "../wire/dht/forwarding.ts";
import { MAX_SENT_NODES } from "../wire/dht/nodes_response.ts";
import {
  type Announcement,
  decodeAnnouncement,
  decodeStoreAnnounceRequest,
  encodeStoreAnnounceResponse,
} from "../wire/dht/store_announce.ts";
import type { Drop } from "../wire/drop.ts";
import { encodeIpPort, PACKED_IPV6_SIZE } from "../wire/ip_port.ts";
import { PacketId } from "../wire/packet_ids.ts";
import { AnnounceStore } from "./announce_store.ts";
import type { DhtChannel } from "./dht_channel.ts";
import type { NodeTable } from "./node_table.ts";
import type { OpenFrom } from "./open_from.ts";

/** How long (s) a search's authenticator is good, at least. announce.c DATA_SEARCH_TIMEOUT. */
const SEARCH_WINDOW = 60;

/** Who asks, and by which way: an authenticator holds for this alone. */
interface Requester {
  readonly publicKey: PublicKey;
  readonly from: Endpoint;
  /** Empty when the request came without a forwarder. */
  readonly sendback: Uint8Array;
}

export interface AnnounceServerOptions {
  readonly network: UdpNetwork;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly channel: DhtChannel;
  readonly table: NodeTable;
  readonly openFrom: OpenFrom;
  readonly self: PublicKey;
}

type Encode = (payload: Uint8Array) => number;
type Answer = (payload: Uint8Array, requester: Requester) => Encode | undefined;

/** Lets others search, retrieve and store announcements with us, directly or forwarded. c-toxcore `announce.c`. */
export class AnnounceServer {
  readonly #options: AnnounceServerOptions;
  readonly #store: AnnounceStore;
  readonly #auth: TimedAuth;
  readonly #answers: ReadonlyMap<number, { readonly answer: Answer; readonly responseId: number; readonly drop: Drop }>;

  constructor(options: AnnounceServerOptions) {
    const { network, crypto, clock, metrics, self } = options;
    this.#options = options;
    this.#store = new AnnounceStore(self, clock);
    this.#auth = new TimedAuth(crypto, clock, SEARCH_WINDOW);
    const search = dropCounter(metrics, "dataSearchRequest");
    const retrieve = dropCounter(metrics, "dataRetrieveRequest");
    const store = dropCounter(metrics, "storeAnnounceRequest");
    this.#answers = new Map([
      [
        PacketId.DataSearchRequest,
        {
          answer: (payload: Uint8Array, requester: Requester) => this.#search(payload, requester, search),
          responseId: PacketId.DataSearchResponse,
          drop: search,
        },
      ],
      [
        PacketId.DataRetrieveRequest,
        {
          answer: (payload: Uint8Array, requester: Requester) => this.#retrieve(payload, requester, retrieve),
          responseId: PacketId.DataRetrieveResponse,
          drop: retrieve,
        },
      ],
      [
        PacketId.StoreAnnounceRequest,
        {
          answer: (payload: Uint8Array, requester: Requester) => this.#storeFor(payload, requester, store),
          responseId: PacketId.StoreAnnounceResponse,
          drop: store,
        },
      ],
    ]);
    for (const id of this.#answers.keys()) {
      network.handle(id, (packet, from, via) => {
        const response = this.respond(packet, from, NO_SENDBACK);
        if (response !== undefined) network.send(from, response, via);
      });
    }
  }

  /** The response to a request that came from `from`, over a forwarder when there is a sendback. */
  respond(packet: Uint8Array, from: Endpoint, sendback: Uint8Array): Uint8Array | undefined {
    const kind = this.#answers.get(packet[0] ?? -1);
    const opened = kind && this.#options.channel.open(packet, kind.drop, from);
    if (kind === undefined || opened === undefined) return undefined;
    const encode = kind.answer(opened.payload, { publicKey: opened.sender, from, sendback });
    if (encode === undefined) return undefined;
    const response = new Uint8Array(MAX_FORWARD_DATA_SIZE);
    const length = this.#options.channel.seal(response, kind.responseId, opened.sender, encode);
    return length > 0 ? response.subarray(0, length) : undefined;
  }

  close(): void {
    this.#auth.close();
  }

  #search(payload: Uint8Array, requester: Requester, drop: Drop): Encode | undefined {
    const request = decodeDataSearchRequest(payload, drop);
    if (request === undefined) return undefined;
    const { dataPublicKey, previousHash, sendback } = request;
    const { table, metrics } = this.#options;
    metrics.count("dht.dataSearchRequest.received");
    const stored = this.#store.get(dataPublicKey);
    const found = {
      auth: this.#auth.make(...authenticated(dataPublicKey, requester)),
      wouldStore: this.#store.wouldStore(dataPublicKey),
      nodes: table.closest(dataPublicKey, MAX_SENT_NODES, isLanAddress(requester.from.address)),
    };
    const result: DataSearchResult = stored === undefined ? found : { storedHash: this.#sha256(stored.data), ...found };
    return (into) => {
      const isKnown = previousHash !== undefined && this.#isHashOf(previousHash, dataPublicKey, result);
      return encodeDataSearchResponse(
        into,
        isKnown ? { dataPublicKey, sendback } : { dataPublicKey, result, sendback },
      );
    };
  }

  #retrieve(payload: Uint8Array, requester: Requester, drop: Drop): Encode | undefined {
    const request = decodeDataRetrieveRequest(payload, drop);
    if (request === undefined) return undefined;
    const { dataPublicKey, auth, sendback } = request;
    if (!this.#auth.check(auth, ...authenticated(dataPublicKey, requester))) return drop("expired");
    this.#options.metrics.count("dht.dataRetrieveRequest.received");
    const stored = this.#store.get(dataPublicKey);
    if (stored === undefined) return undefined;
    return (into) => encodeDataRetrieveResponse(into, { dataPublicKey, data: stored.data, sendback });
  }

  #storeFor(payload: Uint8Array, requester: Requester, drop: Drop): Encode | undefined {
    const request = decodeStoreAnnounceRequest(payload, drop);
    if (request === undefined) return undefined;
    const { dataPublicKey, sendback } = request;
    const { openFrom, clock, metrics } = this.#options;
    const plain = openFrom(dataPublicKey, request.box, request.nonce);
    if (typeof plain === "string") return drop(plain);
    const announcement = decodeAnnouncement(plain, drop);
    if (announcement === undefined) return undefined;
    if (!this.#auth.check(announcement.auth, ...authenticated(dataPublicKey, requester))) return drop("expired");
    metrics.count("dht.storeAnnounceRequest.received");
    const timeout = this.#store.grantedSeconds(announcement.timeout);
    if (!this.#keep(dataPublicKey, announcement, timeout)) return drop("table-full");
    return (into) =>
      encodeStoreAnnounceResponse(into, { dataPublicKey, timeout, time: BigInt(clock.wall()), sendback });
  }

  #keep(dataPublicKey: PublicKey, announcement: Announcement, seconds: number): boolean {
    if (announcement.kind === "data") return this.#store.store(dataPublicKey, announcement.bytes, seconds);
    const stored = this.#store.get(dataPublicKey);
    if (stored === undefined) return false;
    if (this.#options.crypto.equal(announcement.bytes, this.#sha256(stored.data))) {
      this.#store.renew(stored, seconds);
      return true;
    }
    // The owner believes that something else is stored here: what we have is out of date.
    this.#store.delete(stored);
    return false;
  }

  #isHashOf(hash: Uint8Array, dataPublicKey: PublicKey, result: DataSearchResult): boolean {
    const bytes = new Uint8Array(512);
    const length = encodeDataSearchResult(bytes, dataPublicKey, result);
    return this.#options.crypto.equal(hash, this.#sha256(bytes.subarray(0, length)));
  }

  #sha256(bytes: Uint8Array): Uint8Array {
    const hash = new Uint8Array(32);
    this.#options.crypto.provider.sha256(hash, bytes);
    return hash;
  }
}

const NO_SENDBACK = new Uint8Array(0);

/** What an authenticator is made over. announce.c create_data_search_to_auth. */
function authenticated(dataPublicKey: PublicKey, requester: Requester): readonly Uint8Array[] {
  const address = new Uint8Array(PACKED_IPV6_SIZE);
  const end = encodeIpPort(address, 0, requester.from);
  return [concatBytes(dataPublicKey, requester.publicKey, address.subarray(0, end), requester.sendback)];
}
