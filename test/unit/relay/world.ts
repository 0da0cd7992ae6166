import { Crypto } from "../../../src/crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../../src/crypto/shared_key_cache.ts";
import { silentLogger } from "../../../src/env/logger.ts";
import { MemoryMetrics } from "../../../src/env/metrics.ts";
import type { StreamSocket } from "../../../src/env/stream.ts";
import { sodiumProvider } from "../../../src/node/sodium_provider.ts";
import { RelayClient, type RelayClientListener } from "../../../src/relay/relay_client.ts";
import { RelayServer, type RelayServerOptions } from "../../../src/relay/relay_server.ts";
import { SecureStream } from "../../../src/relay/secure_stream.ts";
import { SessionKeys } from "../../../src/relay/session_keys.ts";
import { SeededRandom } from "../../../src/testing/seeded_random.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { MemoryStreams } from "../../support/memory_streams.ts";

export const PORT = 3389;
export const RELAY_ADDRESS = makeEndpoint(Uint8Array.of(10, 0, 0, 1), PORT);

/** A relay, its clients and its enemies, in virtual time. */
export class World {
  readonly timeline = new Timeline();
  readonly clock = new VirtualClock(this.timeline, 1_700_000_000);
  readonly streams = new MemoryStreams(this.clock);
  readonly crypto = new Crypto(sodiumProvider, new SeededRandom("relay"));
  readonly metrics = new MemoryMetrics();
  readonly relayKeys = this.crypto.keyPair();

  async relay(options: Partial<RelayServerOptions> = {}): Promise<RelayServer> {
    const server = new RelayServer({ ...this.part(this.relayKeys, [10, 0, 0, 1]), ports: [PORT], ...options });
    await server.listen();
    return server;
  }

  part(keyPair: KeyPair, address: readonly number[]) {
    const { clock, crypto, metrics } = this;
    const sharedKeys = new SharedKeyCache(crypto, keyPair.secretKey);
    return {
      streams: this.streams.host(address),
      clock,
      crypto,
      metrics,
      logger: silentLogger,
      keyPair,
      sharedKeys,
    };
  }

  client(address: readonly number[] = [10, 0, 1, 1], keyPair = this.crypto.keyPair(), relayKey?: PublicKey): Client {
    return new Client(this.part(keyPair, address), relayKey ?? this.relayKeys.publicKey);
  }

  /** Has a client send as much as it may until the relay, which is near and always there, is trusted to read at once. */
  async trust(from: Client, to: Client): Promise<void> {
    for (let round = 0; round < 12; round++) {
      for (let left = 20; left > 0 && from.relay.sendTo(to.key, new Uint8Array(1400)); left--);
      await this.run(5);
    }
    to.packets.length = 0;
  }

  /** A bare connection. */
  connect(address: readonly number[] = [10, 0, 6, 6]): Promise<StreamSocket> {
    return this.streams.host(address).connect(RELAY_ADDRESS, { timeoutMs: 1000 });
  }

  /** A client that says what it likes after a proper handshake. */
  async rogue(address: readonly number[] = [10, 0, 6, 6], keyPair = this.crypto.keyPair()): Promise<Rogue> {
    const rogue = new Rogue(this, await this.connect(address), keyPair);
    await this.run(5);
    return rogue;
  }

  async run(ms: number): Promise<void> {
    const end = this.timeline.now + ms;
    for (;;) {
      for (let i = 0; i < 5; i++) await Promise.resolve();
      if (!this.timeline.step(end)) break;
    }
    this.timeline.advance(end);
  }
}

export class Client implements RelayClientListener {
  readonly key: PublicKey;
  readonly relay: RelayClient;
  readonly heard: string[] = [];
  readonly packets: Uint8Array[] = [];
  readonly onion: Uint8Array[] = [];

  constructor(part: ReturnType<World["part"]>, publicKey: PublicKey) {
    this.key = part.keyPair.publicKey;
    this.relay = new RelayClient(part, { publicKey, address: RELAY_ADDRESS }, this);
  }

  onReady(): void {
    this.heard.push("ready");
  }
  onPeer(_relay: RelayClient, _peer: PublicKey, online: boolean): void {
    this.heard.push(online ? "online" : "offline");
  }
  onPacket(_relay: RelayClient, _peer: PublicKey, packet: Uint8Array): void {
    this.packets.push(packet.slice());
  }
  onOob(_relay: RelayClient, peer: PublicKey, packet: Uint8Array): void {
    this.heard.push(`oob ${peer[0]} ${packet.join(",")}`);
  }
  onOnionResponse(_relay: RelayClient, packet: Uint8Array): void {
    this.onion.push(packet.slice());
  }
  onForwarding(_relay: RelayClient, data: Uint8Array): void {
    this.heard.push(`forwarding ${data.join(",")}`);
  }
  onWritable(): void {
    this.heard.push("writable");
  }
  onClosed(_relay: RelayClient, reason: string): void {
    this.heard.push(`closed ${reason}`);
  }
}

/** Speaks the encrypted stream, and nothing else of its own accord. */
export class Rogue {
  readonly key: PublicKey;
  readonly stream: SecureStream;
  readonly packets: Uint8Array[] = [];
  fault: string | undefined;

  constructor(world: World, socket: StreamSocket, keyPair: KeyPair) {
    const { crypto, relayKeys } = world;
    this.key = keyPair.publicKey;
    const key = crypto.sharedKey(relayKeys.publicKey, keyPair.secretKey);
    if (key === undefined) throw new Error("a weak key");
    const session = new SessionKeys(crypto);
    this.stream = new SecureStream(socket, crypto, new Uint8Array(2048), 96, {
      onHandshake: (bytes) => {
        const keys = session.agree(crypto.open(bytes.subarray(24), bytes.subarray(0, 24), key) ?? new Uint8Array());
        if (keys !== undefined) this.stream.start(keys);
      },
      onPacket: (packet) => this.packets.push(packet.slice()),
      onWritable: () => undefined,
      onFault: (fault) => {
        this.fault = fault;
      },
    });
    this.stream.sendRaw(session.request(keyPair, key));
  }

  say(...parts: (number | Uint8Array)[]): boolean {
    return this.stream.send(Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : [...part]))));
  }
}
