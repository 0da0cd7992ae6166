import type { Crypto } from "../../src/crypto/crypto.ts";
import type { KeyPair, PublicKey, SharedKey } from "../../src/crypto/keys.ts";
import type { Endpoint } from "../../src/env/datagram.ts";
import { concatBytes } from "../../src/util/bytes.ts";
import { randomBytes } from "../../src/util/random_numbers.ts";
import { encodeDataRetrieveRequest } from "../../src/wire/dht/data_retrieve.ts";
import { encodeDataSearchRequest } from "../../src/wire/dht/data_search.ts";
import { encodeDhtPacket } from "../../src/wire/dht/dht_packet.ts";
import { encodeDhtRequest } from "../../src/wire/dht/dht_request.ts";
import { encodeForwarding, encodeForwardReply, encodeForwardRequest } from "../../src/wire/dht/forwarding.ts";
import { encodeNodesRequestPayload } from "../../src/wire/dht/nodes_request.ts";
import { encodeNodesResponsePayload } from "../../src/wire/dht/nodes_response.ts";
import { encodePingPayload } from "../../src/wire/dht/ping.ts";
import { encodeAnnouncement, encodeStoreAnnounceRequest } from "../../src/wire/dht/store_announce.ts";
import { encodeCookieRequest, encodeCookieRequestPlain } from "../../src/wire/net_crypto/cookie_request.ts";
import { encodeAnnounceRequest, encodeAnnounceRequestBody } from "../../src/wire/onion/announce_request.ts";
import {
  encodeOnionDataBody,
  encodeOnionDataRequest,
  encodeOnionDataResponse,
} from "../../src/wire/onion/onion_data.ts";
import { encodeOnionRequest, encodeOnionRequestLayer, type OnionLayer } from "../../src/wire/onion/onion_request.ts";
import { encodeOnionResponse } from "../../src/wire/onion/onion_response.ts";
import { type SendbackDepth, sendbackSize } from "../../src/wire/onion/sizes.ts";
import type { PackedNode } from "../../src/wire/packed_node.ts";
import { PacketId } from "../../src/wire/packet_ids.ts";

/** Whom the packets are for: what any stranger can know of a node. */
export interface ForgeTarget {
  readonly dht: PublicKey;
  /** The long-term key, for those who were given a Tox ID. */
  readonly self: PublicKey;
}

/** Makes well-formed packets of every kind, under whatever keys: everything that a stranger can do, and no more. */
export class Forge {
  readonly crypto: Crypto;
  readonly target: ForgeTarget;
  readonly #scratch = new Uint8Array(4096);

  constructor(crypto: Crypto, target: ForgeTarget) {
    this.crypto = crypto;
    this.target = target;
  }

  keys(): KeyPair {
    return this.crypto.keyPair();
  }

  noise(length: number): Uint8Array {
    return randomBytes(this.crypto.random, length);
  }

  shared(keys: KeyPair, other: PublicKey = this.target.dht): SharedKey {
    const shared = this.crypto.sharedKey(other, keys.secretKey);
    if (shared === undefined) throw new Error("The target has a weak key.");
    return shared;
  }

  /** What ping, nodes and announce-store packets are wrapped in. */
  dhtPacket(id: number, payload: Uint8Array, keys: KeyPair): Uint8Array {
    const nonce = this.crypto.nonce();
    const box = this.crypto.seal(payload, nonce, this.shared(keys));
    return this.#written((into) => encodeDhtPacket(into, { id, sender: keys.publicKey, nonce, box }));
  }

  pingRequest(keys = this.keys(), sendback = 7n): Uint8Array {
    return this.#ping(PacketId.PingRequest, keys, sendback);
  }

  pingResponse(keys = this.keys(), sendback = 7n): Uint8Array {
    return this.#ping(PacketId.PingResponse, keys, sendback);
  }

  nodesRequest(keys = this.keys(), wanted: PublicKey = this.target.dht, sendback = 7n): Uint8Array {
    const payload = this.#written((into) => encodeNodesRequestPayload(into, { target: wanted, sendback }));
    return this.dhtPacket(PacketId.NodesRequest, payload, keys);
  }

  nodesResponse(keys: KeyPair, nodes: readonly PackedNode[], sendback = 7n): Uint8Array {
    const payload = this.#written((into) => encodeNodesResponsePayload(into, { nodes, sendback }));
    return this.dhtPacket(PacketId.NodesResponse, payload, keys);
  }

  cookieRequest(keys = this.keys(), self = keys.publicKey): Uint8Array {
    const plain = this.#written((into) => encodeCookieRequestPlain(into, { publicKey: self, echo: this.noise(8) }));
    const nonce = this.crypto.nonce();
    const box = this.crypto.seal(plain, nonce, this.shared(keys));
    return this.#written((into) => encodeCookieRequest(into, { dhtPublicKey: keys.publicKey, nonce, box }));
  }

  dhtRequest(id: number, payload: Uint8Array, keys = this.keys(), receiver = this.target.dht): Uint8Array {
    const nonce = this.crypto.nonce();
    const box = this.crypto.seal(concatBytes(Uint8Array.of(id), payload), nonce, this.shared(keys, receiver));
    return this.#written((into) => encodeDhtRequest(into, { receiver, sender: keys.publicKey, nonce, box }));
  }

  /** One layer, to be passed on to `next`: 0x80, 0x81 or 0x82. */
  onionRequest(layer: OnionLayer, next: Endpoint, data: Uint8Array, keys = this.keys()): Uint8Array {
    const plain = this.#written((into) => encodeOnionRequestLayer(into, { next, data }));
    const nonce = this.crypto.nonce();
    const box = this.crypto.seal(plain, nonce, this.shared(keys));
    const sendback = this.noise(sendbackSize(layer));
    return this.#written((into) =>
      encodeOnionRequest(into, { layer, nonce, publicKey: keys.publicKey, box, sendback }),
    );
  }

  onionResponse(depth: SendbackDepth, data: Uint8Array, sendback = this.noise(sendbackSize(depth))): Uint8Array {
    return this.#written((into) => encodeOnionResponse(into, { depth, sendback, data }));
  }

  announceRequest(keys = this.keys(), options: { pingId?: Uint8Array; searched?: PublicKey; group?: boolean } = {}) {
    const { pingId = new Uint8Array(32), searched = keys.publicKey, group = false } = options;
    const plain = this.#written((into) =>
      encodeAnnounceRequestBody(into, {
        pingId,
        searchedKey: searched,
        dataPublicKey: keys.publicKey,
        sendbackData: this.noise(8),
        groupAnnounce: new Uint8Array(0),
      }),
    );
    const nonce = this.crypto.nonce();
    const box = this.crypto.seal(plain, nonce, this.shared(keys));
    const request = this.#written((into) =>
      encodeAnnounceRequest(into, { group, nonce, publicKey: keys.publicKey, box }),
    );
    return concatBytes(request, this.noise(sendbackSize(3)));
  }

  onionDataRequest(destination: PublicKey, box = this.noise(100)): Uint8Array {
    const temporaryKey = this.keys().publicKey;
    const nonce = this.crypto.nonce();
    const request = this.#written((into) => encodeOnionDataRequest(into, { destination, nonce, temporaryKey, box }));
    return concatBytes(request, this.noise(sendbackSize(3)));
  }

  /** `dataKey`: the target's data key, as announce nodes name it. */
  onionDataResponse(dataKey: PublicKey, payload: Uint8Array, sender = this.keys()): Uint8Array {
    const nonce = this.crypto.nonce();
    const box = this.crypto.seal(payload, nonce, this.shared(sender, this.target.self));
    const body = this.#written((into) => encodeOnionDataBody(into, { sender: sender.publicKey, box }));
    const temporary = this.keys();
    const outer = this.crypto.seal(body, nonce, this.shared(temporary, dataKey));
    return this.#written((into) =>
      encodeOnionDataResponse(into, { nonce, temporaryKey: temporary.publicKey, box: outer }),
    );
  }

  forwardRequest(next: PublicKey, data: Uint8Array): Uint8Array {
    return this.#written((into) => encodeForwardRequest(into, { next, data }));
  }

  forwarding(sendback: Uint8Array, data: Uint8Array): Uint8Array {
    return this.#written((into) => encodeForwarding(into, { sendback, data }));
  }

  forwardReply(sendback: Uint8Array, data: Uint8Array): Uint8Array {
    return this.#written((into) => encodeForwardReply(into, { sendback, data }));
  }

  dataSearchRequest(keys = this.keys(), dataPublicKey = keys.publicKey): Uint8Array {
    const payload = this.#written((into) => encodeDataSearchRequest(into, { dataPublicKey, sendback: 7n }));
    return this.dhtPacket(PacketId.DataSearchRequest, payload, keys);
  }

  dataRetrieveRequest(keys = this.keys(), auth = this.noise(32), dataPublicKey = keys.publicKey): Uint8Array {
    const payload = this.#written((into) => encodeDataRetrieveRequest(into, { dataPublicKey, auth, sendback: 7n }));
    return this.dhtPacket(PacketId.DataRetrieveRequest, payload, keys);
  }

  storeAnnounceRequest(keys = this.keys(), auth = this.noise(32), bytes = this.noise(64), dataKeys = this.keys()) {
    const plain = this.#written((into) => encodeAnnouncement(into, { auth, timeout: 900, kind: "data", bytes }));
    const nonce = this.crypto.nonce();
    const box = this.crypto.seal(plain, nonce, this.shared(dataKeys));
    const payload = this.#written((into) =>
      encodeStoreAnnounceRequest(into, { dataPublicKey: dataKeys.publicKey, nonce, box, sendback: 7n }),
    );
    return this.dhtPacket(PacketId.StoreAnnounceRequest, payload, keys);
  }

  #ping(id: number, keys: KeyPair, sendback: bigint): Uint8Array {
    const payload = this.#written((into) => encodePingPayload(into, { id: id as 0 | 1, sendback }));
    return this.dhtPacket(id, payload, keys);
  }

  #written(encode: (into: Uint8Array) => number): Uint8Array {
    return this.#scratch.slice(0, encode(this.#scratch));
  }
}
