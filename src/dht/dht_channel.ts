import type { Crypto } from "../crypto/crypto.ts";
import { type KeyPair, MAC_SIZE, type PublicKey } from "../crypto/keys.ts";
import type { SharedKeyCache } from "../crypto/shared_key_cache.ts";
import { type DatagramSocket, type Endpoint, MAX_DATAGRAM_SIZE } from "../env/datagram.ts";
import type { UdpNetwork } from "../network/udp_network.ts";
import { sameBytes } from "../util/bytes.ts";
import { DHT_PACKET_HEADER_SIZE, decodeDhtPacket, encodeDhtPacketHeader } from "../wire/dht/dht_packet.ts";
import type { Drop } from "../wire/drop.ts";
import type { OpenFrom } from "./open_from.ts";

const NONCE_AT = 33;

export interface OpenedDhtPacket {
  /** A view of the packet. */
  readonly sender: PublicKey;
  /** Valid until the next packet is opened. */
  readonly payload: Uint8Array;
}

/** Seals and opens what travels between two DHT keys. */
export class DhtChannel {
  readonly #network: UdpNetwork;
  readonly #crypto: Crypto;
  readonly #self: KeyPair;
  readonly #sharedKeys: SharedKeyCache;
  readonly #openFrom: OpenFrom;
  readonly #payload = new Uint8Array(MAX_DATAGRAM_SIZE);
  readonly #opened = new Uint8Array(MAX_DATAGRAM_SIZE);

  /** `openFrom`: for packets that arrive; `sharedKeys` serves when it is left out. */
  constructor(
    network: UdpNetwork,
    crypto: Crypto,
    self: KeyPair,
    sharedKeys: SharedKeyCache,
    openFrom: OpenFrom = (sender, box, nonce, into) => sharedKeys.open(sender, box, nonce, into),
  ) {
    this.#network = network;
    this.#crypto = crypto;
    this.#self = self;
    this.#sharedKeys = sharedKeys;
    this.#openFrom = openFrom;
  }

  /** Whether a socket of ours reaches such addresses. */
  reaches(endpoint: Endpoint): boolean {
    return this.#network.has(endpoint.family);
  }

  /** What a packet to or from us holds. Our own key is refused: those are our packets, sent back by somebody. */
  open(packet: Uint8Array, drop: Drop, from?: Endpoint): OpenedDhtPacket | undefined {
    const outer = decodeDhtPacket(packet, drop);
    if (outer === undefined) return undefined;
    if (sameBytes(outer.sender, this.#self.publicKey)) return drop("wrong-key");
    const payload = this.#openFrom(outer.sender, outer.box, outer.nonce, this.#opened, from);
    return typeof payload === "string" ? drop(payload) : { sender: outer.sender, payload };
  }

  /** Seals into `into` what `encode` writes, and answers the packet's length; 0 for a receiver with a weak key. */
  seal(into: Uint8Array, id: number, receiver: Uint8Array, encode: (payload: Uint8Array) => number): number {
    const sharedKey = this.#sharedKeys.get(receiver);
    if (sharedKey === undefined) return 0;
    const length = encode(this.#payload);
    if (DHT_PACKET_HEADER_SIZE + length + MAC_SIZE > into.length) return 0;
    const nonce = into.subarray(NONCE_AT, DHT_PACKET_HEADER_SIZE);
    this.#crypto.random.fill(nonce);
    encodeDhtPacketHeader(into, id, this.#self.publicKey, nonce);
    return this.#crypto.sealInto(into, DHT_PACKET_HEADER_SIZE, this.#payload.subarray(0, length), nonce, sharedKey);
  }

  /** Seals and sends. False when it did not leave. */
  send(
    to: Endpoint,
    id: number,
    receiver: Uint8Array,
    encode: (payload: Uint8Array) => number,
    via: DatagramSocket | undefined = this.#network.socketFor(to),
  ): boolean {
    if (via === undefined || to.port === 0) return false;
    const buffer = via.acquire();
    const length = this.seal(buffer, id, receiver, encode);
    if (length > 0) return this.#network.sendBuffer(via, buffer, length, to);
    via.release(buffer);
    return false;
  }
}
