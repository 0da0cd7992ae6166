import { createConnection, type Socket } from "node:net";
import { expect, it } from "vitest";
import { Crypto } from "../../src/crypto/crypto.ts";
import { asPublicKey, type PublicKey } from "../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../src/crypto/shared_key_cache.ts";
import { silentLogger } from "../../src/env/logger.ts";
import { MemoryMetrics } from "../../src/env/metrics.ts";
import type { StreamEnd, StreamPort, StreamSocket } from "../../src/env/stream.ts";
import { nodeClock } from "../../src/node/clock.ts";
import { nodeRandom } from "../../src/node/random.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { RelayClient, type RelayClientListener } from "../../src/relay/relay_client.ts";
import { fromHex } from "../../src/util/bytes.ts";
import { makeEndpoint } from "../../src/util/endpoint.ts";
import { describeInterop, startBootstrapd } from "./toxcore.ts";

/** As much of a TCP socket as this test needs. */
class PlainStream implements StreamSocket {
  readonly remote = undefined;
  readonly #socket: Socket;
  onData: ((bytes: Uint8Array) => void) | undefined;
  onWritable: (() => void) | undefined;
  onEnd: ((reason: StreamEnd) => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => this.onData?.(bytes));
    socket.on("error", () => undefined);
    socket.on("close", () => this.onEnd?.("ended"));
  }
  get queued(): number {
    return this.#socket.writableLength;
  }
  write(bytes: Uint8Array): boolean {
    if (this.#socket.destroyed) return false;
    this.#socket.write(bytes);
    return true;
  }
  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  close(): void {
    this.onEnd = undefined;
    this.#socket.destroy();
  }
}

const loopback: StreamPort = {
  connect: (to) =>
    new Promise((resolve, reject) => {
      const socket = createConnection(to.port, "127.0.0.1", () => resolve(new PlainStream(socket)));
      socket.once("error", reject);
    }),
  listen: () => Promise.reject(new Error("only connects")),
};

class Client implements RelayClientListener {
  readonly key: PublicKey;
  readonly relay: RelayClient;
  readonly online = Promise.withResolvers<void>();
  readonly offline = Promise.withResolvers<void>();
  readonly ready = Promise.withResolvers<void>();
  readonly closed = Promise.withResolvers<string>();
  readonly packets: Uint8Array[] = [];
  readonly oob: Uint8Array[] = [];
  #heard = Promise.withResolvers<void>();

  constructor(relayKey: PublicKey, port: number) {
    const crypto = new Crypto(sodiumProvider, nodeRandom);
    const keyPair = crypto.keyPair();
    this.key = keyPair.publicKey;
    const sharedKeys = new SharedKeyCache(crypto, keyPair.secretKey);
    const metrics = new MemoryMetrics();
    const part = { streams: loopback, clock: nodeClock(), crypto, metrics, logger: silentLogger, keyPair, sharedKeys };
    const address = makeEndpoint(Uint8Array.of(127, 0, 0, 1), port);
    this.relay = new RelayClient(part, { publicKey: relayKey, address }, this);
  }

  /** Until something more is heard. */
  async until(done: () => boolean): Promise<void> {
    while (!done()) await this.#heard.promise;
  }

  onReady(): void {
    this.ready.resolve();
  }
  onPeer(_relay: RelayClient, _peer: PublicKey, online: boolean): void {
    (online ? this.online : this.offline).resolve();
  }
  onPacket(_relay: RelayClient, _peer: PublicKey, packet: Uint8Array): void {
    this.packets.push(packet.slice());
    this.#tell();
  }
  onOob(_relay: RelayClient, _peer: PublicKey, packet: Uint8Array): void {
    this.oob.push(packet.slice());
    this.#tell();
  }
  onOnionResponse(): void {}
  onForwarding(): void {}
  onWritable(): void {
    this.#tell();
  }
  onClosed(_relay: RelayClient, reason: string): void {
    this.closed.resolve(reason);
  }

  #tell(): void {
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }
}

describeInterop("tox-bootstrapd as a TCP relay", () => {
  it("links two of our clients, and passes on data, out-of-band packets and pings", async () => {
    await using node = await startBootstrapd({ tcpRelay: true });
    const relayKey = asPublicKey(fromHex(node.publicKey) ?? new Uint8Array());
    const alice = new Client(relayKey, node.port);
    const bob = new Client(relayKey, node.port);
    try {
      alice.relay.requestRoute(bob.key);
      bob.relay.requestRoute(alice.key);
      await Promise.all([alice.ready.promise, bob.ready.promise]);
      await Promise.all([alice.online.promise, bob.online.promise]);
      const sent = Array.from({ length: 200 }, (_, i) => new Uint8Array(1 + ((i * 37) % 1400)).fill(i));
      // A few at a time: of many at once the relay drops some, since its own socket is full.
      for (let from = 0; from < sent.length; from += 10) {
        for (const packet of sent.slice(from, from + 10)) await alice.until(() => alice.relay.sendTo(bob.key, packet));
        await bob.until(() => bob.packets.length === from + 10);
      }
      expect(bob.packets).toEqual(sent);
      expect(bob.relay.sendTo(alice.key, new Uint8Array(2029).fill(5))).toBe(true);
      await alice.until(() => alice.packets.length === 1);
      expect(bob.relay.sendOob(alice.key, new Uint8Array(1024).fill(6))).toBe(true);
      await alice.until(() => alice.oob.length === 1);
      expect(alice.oob).toEqual([new Uint8Array(1024).fill(6)]);
      expect(alice.relay.roundTripMs).toBeGreaterThan(0);
      bob.relay.dropRoute(alice.key);
      await alice.offline.promise;
      expect(alice.relay.sendTo(bob.key, Uint8Array.of(1))).toBe(false);
      expect(alice.relay.state).toBe("ready");
      await node.close();
      expect(["ended", "reset"]).toContain(await alice.closed.promise);
    } finally {
      alice.relay.close();
      bob.relay.close();
    }
  });
});
