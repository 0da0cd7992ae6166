import { Crypto } from "../../src/crypto/crypto.ts";
import type { KeyPair, Nonce, PublicKey } from "../../src/crypto/keys.ts";
import { addToNonce } from "../../src/crypto/nonce.ts";
import type { CryptoProvider } from "../../src/crypto/provider.ts";
import { SharedKeyCache } from "../../src/crypto/shared_key_cache.ts";
import type { Clock } from "../../src/env/clock.ts";
import type { DatagramSocket, Endpoint } from "../../src/env/datagram.ts";
import type { Edges } from "../../src/env/edges.ts";
import { Cookies } from "../../src/net_crypto/cookies.ts";
import { DataChannel } from "../../src/net_crypto/data_channel.ts";
import {
  openCookieResponse,
  openHandshake,
  sealCookieRequest,
  sealHandshake,
} from "../../src/net_crypto/handshake_crypto.ts";
import type { SessionKeys } from "../../src/net_crypto/ports.ts";
import { concatBytes, sameBytes, writeU32 } from "../../src/util/bytes.ts";
import { randomBytes } from "../../src/util/random_numbers.ts";
import { DHT_REQUEST_HEADER_SIZE, encodeDhtRequest } from "../../src/wire/dht/dht_request.ts";
import { ignoreDrop } from "../../src/wire/drop.ts";
import { Capability, EXTENSION_VERSION, encodeHello, type Hello } from "../../src/wire/friend/extension.ts";
import { FriendPacketId } from "../../src/wire/friend/packet_ids.ts";
import { plainBufferStart, plainDataAt, plainPacketNumber } from "../../src/wire/net_crypto/crypto_data.ts";
import { SessionPacketId } from "../../src/wire/net_crypto/session_ids.ts";
import {
  encodeDhtPublicKeyPacket,
  encodeSealedDhtPublicKey,
  MAX_DHT_PUBLIC_KEY_PACKET_SIZE,
} from "../../src/wire/onion/dht_public_key.ts";
import { OnionDataId } from "../../src/wire/onion/onion_data.ts";
import type { PackedNode } from "../../src/wire/packed_node.ts";
import { PacketId } from "../../src/wire/packet_ids.ts";

/** Whom to torment. */
export interface Victim {
  readonly endpoint: Endpoint;
  readonly publicKey: PublicKey;
  readonly dhtPublicKey: PublicKey;
}

/** A data packet of the victim's. */
export interface Inner {
  readonly bufferStart: number;
  readonly number: number;
  readonly data: Uint8Array;
}

/** What a data packet says; all of it may be a lie. What is left out is as an honest peer would have it. */
export interface Lies {
  readonly bufferStart?: number;
  readonly number?: number;
  /** Zeros before the data. */
  readonly padding?: number;
  /** Nonces left out before this packet's. */
  readonly skip?: number;
}

export interface HostileOptions {
  readonly edges: Edges;
  readonly provider: CryptoProvider;
  readonly victim: Victim;
  /** 0 lets the system choose. */
  readonly port?: number;
}

/** What he needs besides a socket. */
export interface HostileMeans {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly victim: Victim;
}

const KEPT = 20_000;

/**
 * Somebody on the victim's friend list who keeps no rule: opens a session by hand and sends whatever he is told to. It has
 * no timers and answers nothing but what opens the session, and acknowledges only if `acknowledges` is set.
 */
export class HostileFriend {
  readonly crypto: Crypto;
  readonly self: KeyPair;
  dht: KeyPair;
  /** The victim's data packets, opened, the last 20,000. */
  readonly heard: Inner[] = [];
  /** Every datagram to and from the victim. */
  readonly traffic = { sentPackets: 0, sentBytes: 0, receivedPackets: 0, receivedBytes: 0 };
  acknowledges = false;
  /** Whether a cookie response makes him send a handshake. */
  handshakes = true;
  /** Whether the victim's handshake makes him confirm the session. */
  confirms = true;
  /** Of the last handshake sent. */
  lastHandshake: Uint8Array | undefined;
  /** The number of the next honest lossless packet. */
  number = 0;
  /** How far the victim's lossless packets have come without a gap. */
  received = 0;
  readonly #victim: Victim;
  readonly #socket: DatagramSocket;
  readonly #cookies: Cookies;
  readonly #early = new Set<number>(); // bounded by what the victim sends
  readonly #plain = new Uint8Array(2048);
  readonly #packet = new Uint8Array(2048);
  readonly #opened = new Uint8Array(2048);
  #keys: SessionKeys;
  #cookie: Uint8Array | undefined;
  #session: KeyPair;
  #nonce: Nonce;
  #channel: DataChannel | undefined;
  #closed = false;

  constructor({ crypto, clock, victim }: HostileMeans, socket: DatagramSocket) {
    this.#victim = victim;
    this.#socket = socket;
    this.crypto = crypto;
    this.self = this.crypto.keyPair();
    this.dht = this.crypto.keyPair();
    this.#keys = this.#keysWith(this.dht);
    this.#cookies = new Cookies(this.crypto, clock);
    this.#session = this.crypto.keyPair();
    this.#nonce = this.crypto.nonce();
    socket.onDatagram = (bytes) => this.#receive(bytes);
  }

  static async bind({ edges, provider, victim, port = 0 }: HostileOptions): Promise<HostileFriend> {
    const socket = await edges.datagrams.bind({ family: 4, port });
    const crypto = new Crypto(provider, edges.random);
    return new HostileFriend({ crypto, clock: edges.clock, victim }, socket);
  }

  get socket(): DatagramSocket {
    return this.#socket;
  }

  get hasCookie(): boolean {
    return this.#cookie !== undefined;
  }

  /** Both handshakes are done; the victim may not know yet. */
  get established(): boolean {
    return this.#channel !== undefined;
  }

  /** Asks for a cookie; the rest follows as `handshakes` and `confirms` say. */
  connect(): void {
    this.forget();
    const shared = this.#keys.dhtShared.get(this.#victim.dhtPublicKey);
    if (shared === undefined) throw new Error("The victim's DHT key is weak.");
    this.transmit(sealCookieRequest(this.crypto, this.#keys, shared, new Uint8Array(8)));
  }

  /** Sends a handshake under the last cookie, for a session with new keys unless told otherwise. */
  handshake(options: { readonly sameKeys?: boolean; readonly sessionKey?: PublicKey } = {}): void {
    if (this.#cookie === undefined) throw new Error("There is no cookie yet.");
    if (!options.sameKeys) this.forget();
    const shared = this.#keys.selfShared.get(this.#victim.publicKey);
    if (shared === undefined) throw new Error("The victim's key is weak.");
    const own = this.#cookies.make(this.#victim.publicKey, this.#victim.dhtPublicKey);
    const sessionKey = options.sessionKey ?? this.#session.publicKey;
    this.lastHandshake = sealHandshake(this.crypto, shared, this.#cookie, own, this.#nonce, sessionKey);
    this.transmit(this.lastHandshake);
  }

  /** Drops the session and tells nobody. */
  forget(): void {
    this.#session = this.crypto.keyPair();
    this.#nonce = this.crypto.nonce();
    this.#channel = undefined;
    this.#early.clear();
    this.number = 0;
    this.received = 0;
  }

  /** Has another DHT key from now on. */
  changeDhtKey(): void {
    this.dht = this.crypto.keyPair();
    this.#keys = this.#keysWith(this.dht);
  }

  /** One data packet: honest but for the lies. Without a session nothing happens. */
  inner(data: Uint8Array, lies: Lies = {}): void {
    if (this.#channel === undefined) return;
    const { bufferStart = this.received, number = this.number, padding = 0, skip = 0 } = lies;
    const size = 8 + padding + data.length;
    writeU32(this.#plain, 0, bufferStart);
    writeU32(this.#plain, 4, number);
    this.#plain.fill(0, 8, 8 + padding);
    this.#plain.set(data, 8 + padding);
    addToNonce(this.#nonce, skip);
    const length = this.#channel.seal(this.#packet, this.#plain.subarray(0, size));
    this.transmit(this.#packet.subarray(0, length));
  }

  /** A lossless packet under the next number. */
  lossless(...data: ReadonlyArray<number | Uint8Array>): void {
    this.inner(join(data), { number: this.number });
    this.number = (this.number + 1) >>> 0;
  }

  lossy(...data: ReadonlyArray<number | Uint8Array>): void {
    this.inner(join(data));
  }

  request(...bytes: ReadonlyArray<number | Uint8Array>): void {
    this.inner(join([SessionPacketId.Request, ...bytes]));
  }

  kill(): void {
    this.inner(Uint8Array.of(SessionPacketId.Kill));
  }

  /** Comes online as one of ours does, or as toxcore does when `hello` is undefined. */
  goOnline(hello: Hello | undefined = HELLO): void {
    this.lossless(FriendPacketId.Online);
    if (hello) this.lossless(encodeHello(hello));
  }

  /** Tells the victim a DHT key of his by DHT request, as friends do. */
  announceDhtKey(noReplay: bigint, nodes: readonly PackedNode[] = []): void {
    const shared = this.#keys.selfShared.get(this.#victim.publicKey);
    const dhtShared = this.#keys.dhtShared.get(this.#victim.dhtPublicKey);
    if (shared === undefined || dhtShared === undefined) throw new Error("The victim's keys are weak.");
    const payload = new Uint8Array(MAX_DHT_PUBLIC_KEY_PACKET_SIZE);
    const size = encodeDhtPublicKeyPacket(payload, { noReplay, dhtPublicKey: this.dht.publicKey, nodes });
    const nonce = this.crypto.nonce();
    const box = this.crypto.seal(payload.subarray(0, size), nonce, shared);
    const sealed = new Uint8Array(56 + box.length);
    encodeSealedDhtPublicKey(sealed, { sender: this.self.publicKey, nonce, box });
    const outer = this.crypto.nonce();
    const outerBox = this.crypto.seal(concatBytes(Uint8Array.of(OnionDataId.DhtPublicKey), sealed), outer, dhtShared);
    const packet = new Uint8Array(DHT_REQUEST_HEADER_SIZE + outerBox.length);
    const { publicKey } = this.dht;
    encodeDhtRequest(packet, { receiver: this.#victim.dhtPublicKey, sender: publicKey, nonce: outer, box: outerBox });
    this.transmit(packet);
  }

  /** Sends a datagram as it is. */
  transmit(bytes: Uint8Array): void {
    if (this.#closed) return;
    const buffer = this.#socket.acquire();
    buffer.set(bytes);
    this.traffic.sentPackets++;
    this.traffic.sentBytes += bytes.length;
    this.#socket.send(buffer, bytes.length, this.#victim.endpoint);
  }

  /** The victim's packets with this id, oldest first. */
  of(id: number): Inner[] {
    return this.heard.filter(({ data }) => data[0] === id);
  }

  close(): void {
    this.#closed = true;
    this.#socket.close();
  }

  #keysWith(dht: KeyPair): SessionKeys {
    return {
      self: this.self,
      selfShared: new SharedKeyCache(this.crypto, this.self.secretKey),
      dht,
      dhtShared: new SharedKeyCache(this.crypto, dht.secretKey),
    };
  }

  #receive(bytes: Uint8Array): void {
    this.traffic.receivedPackets++;
    this.traffic.receivedBytes += bytes.length;
    if (bytes[0] === PacketId.CookieResponse) this.#takeCookie(bytes);
    else if (bytes[0] === PacketId.CryptoHandshake) this.#takeHandshake(bytes);
    else if (bytes[0] === PacketId.CryptoData) this.#takeData(bytes);
  }

  #takeCookie(bytes: Uint8Array): void {
    const shared = this.#keys.dhtShared.get(this.#victim.dhtPublicKey);
    const response = shared && openCookieResponse(this.crypto, shared, bytes, ignoreDrop);
    if (response === undefined) return;
    this.#cookie = response.cookie;
    if (this.handshakes) this.handshake({ sameKeys: true });
  }

  #takeHandshake(bytes: Uint8Array): void {
    const handshake = openHandshake(this.crypto, this.#keys, this.#cookies, bytes, () => true, ignoreDrop);
    if (handshake === undefined || !sameBytes(handshake.peer, this.#victim.publicKey)) return;
    if (this.#channel?.isOf(handshake.sessionPublicKey, handshake.baseNonce)) return;
    const shared = this.crypto.sharedKey(handshake.sessionPublicKey, this.#session.secretKey);
    if (shared === undefined) return;
    const { sessionPublicKey, baseNonce } = handshake;
    this.#channel = new DataChannel(this.crypto, shared, this.#nonce, sessionPublicKey, baseNonce);
    if (this.confirms) this.request();
  }

  #takeData(bytes: Uint8Array): void {
    const size = this.#channel?.open(bytes, this.#opened);
    if (typeof size !== "number") return;
    const data = this.#opened.slice(plainDataAt(this.#opened, size), size);
    const inner = { bufferStart: plainBufferStart(this.#opened), number: plainPacketNumber(this.#opened), data };
    if (this.heard.length >= KEPT) this.heard.splice(0, KEPT / 2);
    this.heard.push(inner);
    const id = data[0] ?? 0;
    if (id < 16 || id > 191) return;
    this.#early.add(inner.number);
    while (this.#early.delete(this.received)) this.received = (this.received + 1) >>> 0;
    if (this.acknowledges) this.request();
  }
}

/** What one of ours says. */
export const HELLO: Hello = { version: EXTENSION_VERSION, capabilities: Capability.NumberedMessages };

/** Random bytes of a random length below `limit`, not empty. */
export function noise(crypto: Crypto, limit: number): Uint8Array {
  const length = 1 + (((randomBytes(crypto.random, 1)[0] ?? 0) * 257) % (limit - 1));
  return randomBytes(crypto.random, length);
}

function join(parts: ReadonlyArray<number | Uint8Array>): Uint8Array {
  return concatBytes(...parts.map((part) => (typeof part === "number" ? Uint8Array.of(part) : part)));
}
