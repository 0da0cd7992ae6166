import { Crypto } from "../../../src/crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../../src/crypto/shared_key_cache.ts";
import type { Endpoint } from "../../../src/env/datagram.ts";
import { NetCrypto } from "../../../src/net_crypto/net_crypto.ts";
import type { SessionKeys } from "../../../src/net_crypto/ports.ts";
import type { CloseReason, Session, SessionListener } from "../../../src/net_crypto/session.ts";
import { UdpNetwork } from "../../../src/network/udp_network.ts";
import { loadCryptoProvider } from "../../../src/node/crypto_loader.ts";
import type { SimHost, Universe } from "../../../src/testing/index.ts";

export const PORT = 33445;

/** Writes down what a session tells; packets as copies. */
export class Recorder implements SessionListener {
  readonly lossless: Uint8Array[] = [];
  readonly lossy: Uint8Array[] = [];
  readonly closed: CloseReason[] = [];
  established = 0;
  writable = 0;
  pathChanges = 0;
  session: Session | undefined;
  /** Called with each lossless packet, if set. */
  hook: ((session: Session, packet: Uint8Array) => void) | undefined;

  onEstablished(session: Session): void {
    this.session = session;
    this.established++;
  }

  onLossless(session: Session, packet: Uint8Array): void {
    this.lossless.push(packet.slice());
    this.hook?.(session, packet);
  }

  onLossy(_: Session, packet: Uint8Array): void {
    this.lossy.push(packet.slice());
  }

  onClosed(_: Session, reason: CloseReason): void {
    this.closed.push(reason);
  }

  onWritable(): void {
    this.writable++;
  }

  onPathChange(): void {
    this.pathChanges++;
  }

  /** The u32 behind the id of each lossless packet. */
  get numbers(): number[] {
    return this.lossless.map(numberOf);
  }
}

/** One instance of net_crypto on a simulated host. */
export interface TestNode {
  readonly host: SimHost;
  readonly crypto: Crypto;
  readonly keys: SessionKeys;
  readonly network: UdpNetwork;
  readonly netCrypto: NetCrypto;
  readonly endpoint: Endpoint;
  /** One for each incoming session that was accepted, in order. */
  readonly incoming: Recorder[];
  accepts: boolean;
}

export interface NodeOptions {
  readonly self?: KeyPair;
  readonly dht?: KeyPair;
  readonly port?: number;
}

export async function startNode(universe: Universe, host: SimHost, options: NodeOptions = {}): Promise<TestNode> {
  const { random, datagrams, metrics, clock, logger } = host.edges;
  const crypto = new Crypto(await loadCryptoProvider(), random);
  const self = options.self ?? crypto.keyPair();
  const dht = options.dht ?? crypto.keyPair();
  const keys: SessionKeys = {
    self,
    selfShared: new SharedKeyCache(crypto, self.secretKey),
    dht,
    dhtShared: new SharedKeyCache(crypto, dht.secretKey),
  };
  const port = options.port ?? PORT;
  const network = await UdpNetwork.bind(datagrams, { ports: [port], ipv6: false }, metrics);
  const netCrypto = new NetCrypto({ network, keys, clock, crypto, metrics, logger });
  const endpoint = universe.network.intern(host.addressOf(4) ?? new Uint8Array(4), port);
  const node: TestNode = { host, crypto, keys, network, netCrypto, endpoint, incoming: [], accepts: true };
  netCrypto.onIncoming = () => {
    if (!node.accepts) return undefined;
    const recorder = new Recorder();
    node.incoming.push(recorder);
    return recorder;
  };
  return node;
}

export interface Connecting {
  readonly session: Session;
  readonly recorder: Recorder;
}

/** Begins a session from one node to another, at its endpoint unless told otherwise. */
export function connect(from: TestNode, to: TestNode, endpoint: Endpoint = to.endpoint): Connecting {
  const recorder = new Recorder();
  const session = from.netCrypto.connect(to.keys.self.publicKey, to.keys.dht.publicKey, recorder);
  recorder.session = session;
  session.addEndpoint(endpoint);
  return { session, recorder };
}

export interface ConnectedPair {
  readonly a: TestNode;
  readonly b: TestNode;
  readonly ab: Session;
  readonly ba: Session;
  readonly heardByA: Recorder;
  readonly heardByB: Recorder;
}

/** Two nodes with an established session, begun by the first. */
export async function connectedPair(universe: Universe): Promise<ConnectedPair> {
  const a = await startNode(universe, universe.host("a"));
  const b = await startNode(universe, universe.host("b"));
  const { session: ab, recorder: heardByA } = connect(a, b);
  await universe.runUntil(() => ab.state === "established" && b.incoming[0]?.established === 1, {
    what: "the session",
  });
  const heardByB = b.incoming[0] as Recorder;
  return { a, b, ab, ba: heardByB.session as Session, heardByA, heardByB };
}

/** A lossless packet: id 64 ‖ number u32 ‖ zeros. */
export function numbered(number: number, size = 20): Uint8Array {
  const packet = new Uint8Array(size);
  packet[0] = 64;
  new DataView(packet.buffer).setUint32(1, number);
  return packet;
}

export const numberOf = (packet: Uint8Array): number => new DataView(packet.buffer, packet.byteOffset).getUint32(1);

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

export const publicKeyOf = (bytes: Uint8Array): PublicKey => bytes as PublicKey;
