import nacl from "tweetnacl";
import type { DatagramSocket, Endpoint } from "../../../src/env/datagram.ts";
import type { SimHost } from "../../../src/testing/index.ts";

/**
 * The other side, written by hand from the packet layouts and on another crypto library, sharing nothing with what it tests.
 * It does only what it is told: no answer, no timer.
 */
export class MinimalPeer {
  readonly self = nacl.box.keyPair();
  dht = nacl.box.keyPair();
  session = nacl.box.keyPair();
  /** The nonce of the next data packet that it sends. */
  nonce = nacl.randomBytes(24);
  readonly received: Uint8Array[] = [];
  readonly socket: DatagramSocket;
  readonly endpoint: Endpoint;
  readonly #symmetric = nacl.randomBytes(32);
  #to: Endpoint;
  #peerSelf: Uint8Array;
  #peerDht: Uint8Array;
  #peerSession: Uint8Array | undefined;
  #peerBaseNonce: Uint8Array | undefined;

  private constructor(socket: DatagramSocket, endpoint: Endpoint, to: Endpoint, self: Uint8Array, dht: Uint8Array) {
    this.socket = socket;
    this.endpoint = endpoint;
    this.#to = to;
    this.#peerSelf = self;
    this.#peerDht = dht;
    socket.onDatagram = (bytes) => {
      this.received.push(bytes.slice());
    };
  }

  static async start(
    host: SimHost,
    to: Endpoint,
    self: Uint8Array,
    dht: Uint8Array,
    port = 33445,
  ): Promise<MinimalPeer> {
    const socket = await host.edges.datagrams.bind({ family: 4, port });
    return new MinimalPeer(socket, host.endpoint(port), to, self, dht);
  }

  /** Sends from another port of the same host from now on. */
  async otherSocket(host: SimHost, port: number): Promise<DatagramSocket> {
    return await host.edges.datagrams.bind({ family: 4, port });
  }

  send(bytes: Uint8Array, socket: DatagramSocket = this.socket): void {
    const buffer = socket.acquire();
    buffer.set(bytes);
    socket.send(buffer, bytes.length, this.#to);
  }

  /** Packets with this first byte, oldest first. */
  of(id: number): Uint8Array[] {
    return this.received.filter((bytes) => bytes[0] === id);
  }

  cookieRequest(echo: Uint8Array): Uint8Array {
    const plain = join(this.self.publicKey, new Uint8Array(32), echo);
    const nonce = nacl.randomBytes(24);
    return join([0x18], this.dht.publicKey, nonce, nacl.box(plain, nonce, this.#peerDht, this.dht.secretKey));
  }

  /** The cookie and the echo in a cookie response. */
  openCookieResponse(packet: Uint8Array): { cookie: Uint8Array; echo: Uint8Array } {
    const plain = nacl.box.open(packet.slice(25), packet.slice(1, 25), this.#peerDht, this.dht.secretKey);
    if (plain === null) throw new Error("The cookie response does not open.");
    return { cookie: plain.slice(0, 112), echo: plain.slice(112) };
  }

  /** Who asks, in a cookie request. */
  openCookieRequest(packet: Uint8Array): { dht: Uint8Array; self: Uint8Array; echo: Uint8Array } {
    const dht = packet.slice(1, 33);
    const plain = nacl.box.open(packet.slice(57), packet.slice(33, 57), dht, this.dht.secretKey);
    if (plain === null) throw new Error("The cookie request does not open.");
    return { dht, self: plain.slice(0, 32), echo: plain.slice(64) };
  }

  /** A cookie of this peer's own making; its contents are its own affair. */
  cookie(): Uint8Array {
    const nonce = nacl.randomBytes(24);
    return join(nonce, nacl.secretbox(new Uint8Array(72), nonce, this.#symmetric));
  }

  cookieResponse(echo: Uint8Array): Uint8Array {
    const nonce = nacl.randomBytes(24);
    const plain = join(this.cookie(), echo);
    return join([0x19], nonce, nacl.box(plain, nonce, this.#peerDht, this.dht.secretKey));
  }

  /** A handshake with the present session key and nonce, under a cookie that the other side made. */
  handshake(cookie: Uint8Array, sessionKey: Uint8Array = this.session.publicKey): Uint8Array {
    const nonce = nacl.randomBytes(24);
    const plain = join(this.nonce, sessionKey, nacl.hash(cookie), this.cookie());
    return join([0x1a], cookie, nonce, nacl.box(plain, nonce, this.#peerSelf, this.self.secretKey));
  }

  /** Opens a handshake and takes its session key and base nonce. Answers the cookie to answer with. */
  takeHandshake(packet: Uint8Array): Uint8Array {
    const plain = nacl.box.open(packet.slice(137), packet.slice(113, 137), this.#peerSelf, this.self.secretKey);
    if (plain === null) throw new Error("The handshake does not open.");
    const hash = nacl.hash(packet.slice(1, 113));
    if (!nacl.verify(hash, plain.slice(56, 120))) throw new Error("The handshake's cookie hash is wrong.");
    this.#peerBaseNonce = plain.slice(0, 24);
    this.#peerSession = plain.slice(24, 56);
    return plain.slice(120);
  }

  /** A data packet of the plain bytes, under the next nonce or one that many further on. */
  data(plain: Uint8Array, skip = 0): Uint8Array {
    this.nonce = plus(this.nonce, skip);
    const packet = join([0x1b], this.nonce.slice(22), nacl.secretbox(plain, this.nonce, this.#sharedKey));
    this.nonce = plus(this.nonce, 1);
    return packet;
  }

  /** A data packet of header, padding and data. */
  packet(bufferStart: number, number: number, ...data: number[]): Uint8Array {
    return this.data(join(u32(bufferStart), u32(number), data));
  }

  /** Opens a data packet whose nonce is that many (mod 65536) behind the base nonce of the other side's handshake. */
  open(packet: Uint8Array): { bufferStart: number; number: number; data: Uint8Array; padding: number } {
    if (this.#peerBaseNonce === undefined) throw new Error("No handshake has been taken.");
    const base = this.#peerBaseNonce;
    const tail = ((packet[1] ?? 0) << 8) | (packet[2] ?? 0);
    const baseTail = ((base[22] ?? 0) << 8) | (base[23] ?? 0);
    const plain = nacl.secretbox.open(packet.slice(3), plus(base, (tail - baseTail) & 0xffff), this.#sharedKey);
    if (plain === null) throw new Error("The data packet does not open.");
    const view = new DataView(plain.buffer, plain.byteOffset);
    let at = 8;
    while (plain[at] === 0) at++;
    return { bufferStart: view.getUint32(0), number: view.getUint32(4), data: plain.slice(at), padding: at - 8 };
  }

  get opened(): Array<{ bufferStart: number; number: number; data: Uint8Array }> {
    return this.of(0x1b).map((packet) => this.open(packet));
  }

  get #sharedKey(): Uint8Array {
    if (this.#peerSession === undefined) throw new Error("No handshake has been taken.");
    return nacl.box.before(this.#peerSession, this.session.secretKey);
  }
}

export function join(...parts: ReadonlyArray<Uint8Array | readonly number[]>): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

export const u32 = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff);

function plus(nonce: Uint8Array, amount: number): Uint8Array {
  let value = nonce.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) + BigInt(amount);
  const bytes = new Uint8Array(24);
  for (let i = 23; i >= 0; i--) {
    bytes[i] = Number(value & 0xffn);
    value >>= 8n;
  }
  return bytes;
}
