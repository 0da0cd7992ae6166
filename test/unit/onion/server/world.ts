import { Crypto } from "../../../../src/crypto/crypto.ts";
import type { KeyPair, PublicKey, SharedKey } from "../../../../src/crypto/keys.ts";
import { nobleProvider } from "../../../../src/crypto/noble.ts";
import { SharedKeyCache } from "../../../../src/crypto/shared_key_cache.ts";
import type { Endpoint } from "../../../../src/env/datagram.ts";
import { UdpNetwork } from "../../../../src/network/udp_network.ts";
import { makeOnionPath, type OnionPathKeys } from "../../../../src/onion/path_packet.ts";
import type { OnionDht } from "../../../../src/onion/ports.ts";
import { OnionServer } from "../../../../src/onion/server/onion_server.ts";
import type { HostOptions, SimHost } from "../../../../src/testing/simulated_host.ts";
import type { Universe } from "../../../../src/testing/universe.ts";
import { sameEndpoint } from "../../../../src/util/endpoint.ts";
import { ignoreDrop } from "../../../../src/wire/drop.ts";
import {
  type AnnounceRequestBody,
  encodeAnnounceRequest,
  encodeAnnounceRequestBody,
} from "../../../../src/wire/onion/announce_request.ts";
import {
  type AnnounceResponseBody,
  decodeAnnounceResponse,
  decodeAnnounceResponseBody,
} from "../../../../src/wire/onion/announce_response.ts";
import type { PackedNode } from "../../../../src/wire/packed_node.ts";

export const PORT = 33445;

export class FakeDht implements OnionDht {
  readonly keyPair: KeyPair;
  readonly sharedKeys: SharedKeyCache;
  readonly connected = true;
  nodes: PackedNode[] = [];
  readonly asked: { key: Uint8Array; count: number; lan: boolean }[] = [];

  constructor(crypto: Crypto) {
    this.keyPair = crypto.keyPair();
    this.sharedKeys = new SharedKeyCache(crypto, this.keyPair.secretKey);
  }

  closestNodes(key: Uint8Array, count: number, lan: boolean): PackedNode[] {
    this.asked.push({ key: key.slice(), count, lan });
    return this.nodes.slice(0, count);
  }

  randomNodes(): PackedNode[] {
    return [];
  }
  onConnected(): () => void {
    return () => {};
  }
  onNode(): () => void {
    return () => {};
  }
  onNodeLost(): () => void {
    return () => {};
  }
  doubt(): void {}
  considerNode(): void {}
  isNodeAt(endpoint: Endpoint): boolean {
    return this.nodes.some((node) => sameEndpoint(node.endpoint, endpoint));
  }
  sendDhtRequest(): number {
    return 0;
  }
  onDhtRequest(): void {}
}

export interface Received {
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
}

/** A host with a socket and keys, which keeps what it receives of the ids that nobody handles for it. */
export class Machine {
  readonly host: SimHost;
  readonly crypto: Crypto;
  readonly network: UdpNetwork;
  readonly dht: FakeDht;
  readonly received: Received[] = [];

  private constructor(host: SimHost, crypto: Crypto, network: UdpNetwork) {
    this.host = host;
    this.crypto = crypto;
    this.network = network;
    this.dht = new FakeDht(crypto);
    for (let id = 0; id < 256; id++) this.#keep(id);
  }

  static async make(universe: Universe, name: string, options: HostOptions = {}): Promise<Machine> {
    const host = universe.host(name, options);
    const crypto = new Crypto(nobleProvider, host.edges.random);
    const network = await UdpNetwork.bind(host.edges.datagrams, { ports: [PORT] }, host.edges.metrics);
    return new Machine(host, crypto, network);
  }

  get publicKey(): PublicKey {
    return this.dht.keyPair.publicKey;
  }

  get endpoint(): Endpoint {
    return this.host.endpoint(PORT);
  }

  get metrics() {
    return this.host.edges.metrics;
  }

  serve(): OnionServer {
    const { clock, metrics, logger } = this.host.edges;
    return new OnionServer({ network: this.network, dht: this.dht, crypto: this.crypto, clock, metrics, logger });
  }

  send(to: Machine, packet: Uint8Array): void {
    this.network.send(to.endpoint, packet);
  }

  /** What came since the last call. */
  take(): Received[] {
    return this.received.splice(0);
  }

  path(first: Machine, second: Machine, third: Machine): OnionPathKeys {
    const path = makeOnionPath(this.crypto, this.dht, [first, second, third]);
    if (path === undefined) throw new Error("no path");
    return path;
  }

  #keep(id: number): void {
    this.network.handle(id, (bytes, from) => this.received.push({ bytes: bytes.slice(), from }));
  }
}

export interface Ask {
  /** Who asks; temporary keys when left out. */
  readonly keys?: KeyPair;
  readonly pingId?: Uint8Array;
  readonly searchedKey?: PublicKey;
  readonly dataPublicKey?: PublicKey;
  readonly sendbackData?: Uint8Array;
  readonly group?: boolean;
  readonly groupAnnounce?: Uint8Array;
}

/** An announce request, and the key that its response is sealed under. */
export interface AskPacket {
  readonly packet: Uint8Array;
  readonly key: SharedKey;
}

export function announceRequest(crypto: Crypto, node: PublicKey, ask: Ask = {}): AskPacket {
  const keys = ask.keys ?? crypto.keyPair();
  const key = crypto.sharedKey(node, keys.secretKey);
  if (key === undefined) throw new Error("a weak key");
  const zeros = new Uint8Array(32) as Uint8Array as PublicKey;
  const body: AnnounceRequestBody = {
    pingId: ask.pingId ?? zeros,
    searchedKey: ask.searchedKey ?? keys.publicKey,
    dataPublicKey: ask.dataPublicKey ?? zeros,
    sendbackData: ask.sendbackData ?? new Uint8Array(8).fill(0x5b),
    groupAnnounce: ask.groupAnnounce ?? new Uint8Array(0),
  };
  const plain = new Uint8Array(1024);
  const nonce = crypto.nonce();
  const box = crypto.seal(plain.slice(0, encodeAnnounceRequestBody(plain, body)), nonce, key);
  const packet = new Uint8Array(2048);
  const length = encodeAnnounceRequest(packet, { group: ask.group ?? false, nonce, publicKey: keys.publicKey, box });
  return { packet: packet.slice(0, length), key };
}

export function openResponse(crypto: Crypto, bytes: Uint8Array | undefined, key: SharedKey): AnnounceResponseBody {
  const response = bytes && decodeAnnounceResponse(bytes, ignoreDrop);
  const plain = response && crypto.open(response.box, response.nonce, key);
  const body = response && plain && decodeAnnounceResponseBody(plain, response.group, ignoreDrop);
  if (body === undefined) throw new Error("no announce response");
  return body;
}

export function join(...parts: (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
