import { Crypto } from "../../src/crypto/crypto.ts";
import type { KeyPair } from "../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../src/crypto/shared_key_cache.ts";
import type { Clock } from "../../src/env/clock.ts";
import { type Endpoint, MAX_DATAGRAM_SIZE } from "../../src/env/datagram.ts";
import { type Logger, silentLogger } from "../../src/env/logger.ts";
import { MemoryMetrics, type Metrics } from "../../src/env/metrics.ts";
import type { Random } from "../../src/env/random.ts";
import { NetCrypto } from "../../src/net_crypto/net_crypto.ts";
import type { Session, SessionListener } from "../../src/net_crypto/session.ts";
import { UdpNetwork } from "../../src/network/udp_network.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { type SimHost, Universe } from "../../src/testing/index.ts";
import type { LinkProperties } from "../../src/testing/link.ts";
import { Timeline } from "../../src/testing/timeline.ts";
import { VirtualClock } from "../../src/testing/virtual_clock.ts";
import { endpointOf, QuietSocket, random } from "./quiet.ts";
import { PORT } from "./simulated.ts";

/** Two sessions with each other, and what the second has received. */
export interface SessionPair {
  readonly sender: Session;
  readonly received: Received;
}

class Received implements SessionListener {
  packets = 0;
  bytes = 0;
  isEstablished = false;

  onEstablished(): void {
    this.isEstablished = true;
  }

  onLossless(_: Session, packet: Uint8Array): void {
    this.packets++;
    this.bytes += packet.length;
  }

  onLossy(_: Session, packet: Uint8Array): void {
    this.packets++;
    this.bytes += packet.length;
  }

  onClosed(): void {}
}

interface Surroundings {
  readonly network: UdpNetwork;
  readonly random: Random;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

interface Person {
  readonly self: KeyPair;
  readonly dht: KeyPair;
  readonly netCrypto: NetCrypto;
}

function person({ random, ...surroundings }: Surroundings): Person {
  const crypto = new Crypto(sodiumProvider, random);
  const [self, dht] = [crypto.keyPair(), crypto.keyPair()];
  const selfShared = new SharedKeyCache(crypto, self.secretKey);
  const dhtShared = new SharedKeyCache(crypto, dht.secretKey);
  const keys = { self, selfShared, dht, dhtShared };
  return { self, dht, netCrypto: new NetCrypto({ ...surroundings, keys, crypto }) };
}

/** Two sessions whose sockets are one wire without a network: what is left is their own work. */
export interface WiredPair extends SessionPair {
  /** Carries all that has been sent, and what is sent upon it, to the other end, and lets a moment pass. */
  carry(): void;
}

/** That much time passes with each `carry`, in ms: about what a packet takes. */
const MOMENT = 0.01;

export function wiredPair(): WiredPair {
  const timeline = new Timeline();
  const sockets = [new WireSocket(), new WireSocket()] as const;
  const [one, other] = sockets.map((socket) => {
    const metrics = new MemoryMetrics();
    const network = new UdpNetwork([socket], metrics);
    const clock = new VirtualClock(timeline, 0);
    return person({ network, random, clock, metrics, logger: silentLogger });
  }) as [Person, Person];
  const addresses = [endpointOf(1), endpointOf(2)] as const;
  const received = new Received();
  other.netCrypto.onIncoming = () => received;
  const sender = one.netCrypto.connect(other.self.publicKey, other.dht.publicKey, new Received());
  sender.addEndpoint(addresses[1]);
  const carry = () => {
    const end = timeline.now + MOMENT;
    while (timeline.step(end));
    timeline.advance(end);
    while (sockets[0].deliverTo(sockets[1], addresses[0]) || sockets[1].deliverTo(sockets[0], addresses[1]));
  };
  while (sender.state !== "established" || !received.isEstablished) carry();
  return { sender, received, carry };
}

/** Keeps what is sent until it is delivered. */
class WireSocket extends QuietSocket {
  readonly #free: Uint8Array[] = [];
  readonly #sent: Array<{ readonly buffer: Uint8Array; readonly length: number }> = [];
  #delivered = 0;

  override acquire(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(MAX_DATAGRAM_SIZE);
  }

  override release(buffer: Uint8Array): void {
    this.#free.push(buffer);
  }

  override send(buffer: Uint8Array, length: number): boolean {
    this.#sent.push({ buffer, length });
    return true;
  }

  /** Whether there was anything. */
  deliverTo(other: WireSocket, from: Endpoint): boolean {
    const sent = this.#sent[this.#delivered];
    if (sent === undefined) {
      this.#sent.length = 0;
      this.#delivered = 0;
      return false;
    }
    this.#delivered++;
    other.onDatagram?.(sent.buffer.subarray(0, sent.length), from);
    this.release(sent.buffer);
    return true;
  }
}

/** Two sessions over simulated links. */
export async function linkedPair(
  link: Partial<LinkProperties>,
): Promise<SessionPair & { readonly universe: Universe }> {
  const universe = new Universe({ seed: "bench", link });
  const on = async (host: SimHost) => {
    const { datagrams, metrics, clock, random, logger } = host.edges;
    const network = await UdpNetwork.bind(datagrams, { ports: [PORT], ipv6: false }, metrics);
    return person({ network, random, clock, metrics, logger });
  };
  const target = universe.host("receiver");
  const one = await on(universe.host("sender"));
  const other = await on(target);
  const received = new Received();
  other.netCrypto.onIncoming = () => received;
  const sender = one.netCrypto.connect(other.self.publicKey, other.dht.publicKey, new Received());
  sender.addEndpoint(target.endpoint(PORT));
  await universe.runUntil(() => sender.state === "established" && received.isEstablished);
  return { universe, sender, received };
}
