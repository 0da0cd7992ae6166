import type { KeyPair, PublicKey } from "../../../src/crypto/keys.ts";
import type { Endpoint } from "../../../src/env/datagram.ts";
import type { StreamListener, StreamPort, StreamSocket, StreamTarget } from "../../../src/env/stream.ts";
import { RelayPool } from "../../../src/relay/relay_pool.ts";
import type { PeerPath, RelayRoute, RouteListener } from "../../../src/relay/relay_route.ts";
import { RelayServer } from "../../../src/relay/relay_server.ts";
import { SecureStream } from "../../../src/relay/secure_stream.ts";
import { SessionKeys } from "../../../src/relay/session_keys.ts";
import { formatAddress, makeEndpoint, parseAddress } from "../../../src/util/endpoint.ts";
import type { PackedNode } from "../../../src/wire/packed_node.ts";
import { World } from "./world.ts";

export function place(address: string, port: number): Endpoint {
  const bytes = parseAddress(address);
  if (bytes === undefined) throw new Error(address);
  return makeEndpoint(bytes, port);
}

/** A relay somewhere, which may be down. `MemoryStreams` tells listeners apart by port: each relay has its own. */
export class Somewhere {
  readonly keys: KeyPair;
  readonly endpoint: Endpoint;
  readonly #world: PoolWorld;
  server: RelayServer | undefined;

  constructor(world: PoolWorld, endpoint: Endpoint, keys = world.crypto.keyPair()) {
    this.#world = world;
    this.keys = keys;
    this.endpoint = endpoint;
  }

  get target() {
    return { publicKey: this.keys.publicKey, address: this.endpoint };
  }

  get node(): PackedNode {
    return { publicKey: this.keys.publicKey, endpoint: this.endpoint, transport: "tcp" };
  }

  async start(): Promise<this> {
    const part = this.#world.part(this.keys, [...this.endpoint.address]);
    this.server = new RelayServer({ ...part, ports: [this.endpoint.port], ipv6: false });
    await this.server.listen();
    return this;
  }

  stop(): void {
    this.server?.close();
    this.server = undefined;
  }

  /** Instead of a relay: something that takes connections on its port. */
  async take(onConnection: (socket: StreamSocket) => void): Promise<StreamListener> {
    const listener = await this.#world.streams.host([]).listen({ family: 4, port: this.endpoint.port });
    listener.onConnection = onConnection;
    return listener;
  }

  /** A relay that shakes hands with whom it answers, and then does what `onReady` says. */
  rogue(
    onReady: (stream: SecureStream) => void,
    onPacket: (packet: Uint8Array, stream: SecureStream) => void = () => {},
    answers: (socket: StreamSocket) => boolean = () => true,
  ) {
    const { crypto } = this.#world;
    return this.take((socket) => {
      if (!answers(socket)) return;
      const stream = new SecureStream(socket, crypto, new Uint8Array(2048), 128, {
        onHandshake: (bytes) => {
          const key = crypto.sharedKey(bytes.subarray(0, 32), this.keys.secretKey);
          const plain = key && crypto.open(bytes.subarray(56), bytes.subarray(32, 56), key);
          if (key === undefined || plain === undefined) return;
          const session = new SessionKeys(crypto);
          stream.sendRaw(session.response(key));
          const keys = session.agree(plain);
          if (keys !== undefined) stream.start(keys);
          onReady(stream);
        },
        onPacket: (packet) => onPacket(packet, stream),
        onWritable: () => undefined,
        onFault: () => undefined,
      });
    });
  }
}

/** Somebody's pool, and what it connected to. */
export class Person {
  readonly keys: KeyPair;
  readonly pool: RelayPool;
  readonly attempts: string[] = [];
  readonly packets: { readonly packet: Uint8Array; readonly path: PeerPath; readonly peer: PublicKey }[] = [];
  readonly #delays = new Map<number, number>();

  constructor(world: PoolWorld, keys = world.crypto.keyPair()) {
    this.keys = keys;
    const { keyPair, ...part } = world.part(keys, [198, 51, 100, 1]);
    this.pool = new RelayPool({ ...part, self: keyPair, streams: this.#watched(world, part.streams) });
    this.pool.onPacket = (packet, path, peer) => {
      this.packets.push({ packet: packet.slice(), path, peer: peer.slice() as Uint8Array as PublicKey });
    };
  }

  /** Connecting to this relay takes so long. */
  slow({ endpoint }: { readonly endpoint: Endpoint }, ms: number): void {
    this.#delays.set(endpoint.port, ms);
  }

  get connected(): string[] {
    return this.pool.hops().map(({ endpoint }) => (endpoint ? formatAddress(endpoint.address) : "?"));
  }

  route(peer: PublicKey): Reached {
    return new Reached(this.pool, peer);
  }

  #watched(world: PoolWorld, streams: StreamPort): StreamPort {
    return {
      listen: (options) => streams.listen(options),
      connect: async (to: StreamTarget, options) => {
        this.attempts.push("family" in to ? `${formatAddress(to.address)}:${to.port}` : to.host);
        const delay = this.#delays.get(to.port);
        if (delay !== undefined) await new Promise<void>((done) => world.clock.at(world.timeline.now + delay, done));
        return streams.connect(to, options);
      },
    };
  }
}

/** A route, and what it told. */
export class Reached implements RouteListener {
  readonly heard: string[] = [];
  readonly paths = new Set<PeerPath>();
  readonly route: RelayRoute;

  constructor(pool: RelayPool, peer: PublicKey) {
    this.route = pool.routeTo(peer, this);
  }

  onPath(path: PeerPath): void {
    this.heard.push("path");
    this.paths.add(path);
  }

  onLost(path: PeerPath): void {
    this.heard.push("lost");
    this.paths.delete(path);
  }
}

export class PoolWorld extends World {
  #nextPort = 5000;

  /** A relay at this address, running. */
  relayAt(address: string): Promise<Somewhere> {
    return this.deadRelayAt(address).start();
  }

  deadRelayAt(address: string, port = this.#nextPort++): Somewhere {
    return new Somewhere(this, place(address, port));
  }
}
