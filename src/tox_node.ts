import type { BootstrapNode } from "./bootstrap_node.ts";
import { Crypto } from "./crypto/crypto.ts";
import { answerBootstrapInfo } from "./dht/bootstrap_info_server.ts";
import { Dht } from "./dht/dht.ts";
import type { PortMapping } from "./env/port_mapper.ts";
import { UdpNetwork } from "./network/udp_network.ts";
import { OnionServer } from "./onion/server/onion_server.ts";
import { RelayServer } from "./relay/relay_server.ts";
import type { ToxEnv } from "./tox_env.ts";
import { dhtOptions, portMapperOf, secretKeyOf, udpOptions } from "./tox_options.ts";
import { toHex } from "./util/bytes.ts";
import { makeEndpoint } from "./util/endpoint.ts";
import { ToxError } from "./util/tox_error.ts";
import { publicKeyOf } from "./ways_in.ts";
import { PacketId } from "./wire/packet_ids.ts";

export interface ToxNodeOptions {
  /** The lasting secret key, 32 bytes or 64 hex digits. Random when left out. It is copied. */
  readonly secretKey?: Uint8Array | string;
  /** Exactly this UDP port (0: any); 33445 when left out. */
  readonly port?: number;
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
  readonly bindIpv4?: string;
  readonly bindIpv6?: string;
  readonly bootstrap?: readonly BootstrapNode[];
  /** Tells the local network, by broadcast, that we are there. False when left out. */
  readonly lan?: boolean;
  /** Whether to ask the router to let others in at our ports, as `ToxOptions.portMapping`. False when left out. */
  readonly portMapping?: boolean;
  /** Told to whoever asks, cut to 255 bytes of UTF-8. Nobody is answered when left out. */
  readonly motd?: string;
  /** Told with the motd. */
  readonly version?: number;
  /** TCP ports to relay on; 0 lets the system choose. No relay when left out, or where there is no TCP. */
  readonly relayPorts?: readonly number[];
}

export interface ToxNodeStats {
  readonly nodes: number;
  readonly announcements: number;
  readonly relayConnections: number;
}

interface Floors {
  readonly network: UdpNetwork;
  readonly dht: Dht;
  readonly onionServer: OnionServer;
}

/** A node for everybody: the DHT and the onion's relaying under a lasting key, without friends. */
export class ToxNode {
  readonly #env: ToxEnv;
  readonly #floors: Floors;
  readonly #relay: RelayServer | undefined;
  readonly #version: number;
  readonly #publicKey: string;
  #mapping: PortMapping | undefined;
  #closing: Promise<void> | undefined;

  private constructor(env: ToxEnv, floors: Floors, relay: RelayServer | undefined, version: number) {
    this.#env = env;
    this.#floors = floors;
    this.#relay = relay;
    this.#version = version;
    this.#publicKey = toHex(floors.dht.keyPair.publicKey);
  }

  /** Rejects with `port-in-use`, `permission-denied`, `network-unavailable` or `invalid-argument`. */
  static async create(env: ToxEnv, options: ToxNodeOptions = {}): Promise<ToxNode> {
    const { clock, logger, metrics } = env;
    const crypto = new Crypto(env.crypto, env.random);
    const keyPair =
      options.secretKey === undefined ? crypto.keyPair() : crypto.keyPairOf(secretKeyOf(options.secretKey));
    const portMapper = portMapperOf(env, options);
    const ofDht = dhtOptions(env, options);
    const network = await UdpNetwork.bind(env.datagrams, udpOptions({ port: 33445, ...options }), metrics);
    const base = { network, clock, crypto, logger, metrics };
    const dht = new Dht({ ...base, keyPair, ...ofDht });
    const onionServer = new OnionServer({ ...base, dht });
    const floors = { network, dht, onionServer };
    const { relayPorts: ports = [], ipv4 = true, ipv6 = true, bindIpv4, bindIpv6 } = options;
    const { streams } = env;
    const relay =
      streams &&
      new RelayServer({
        ...{ streams, clock, crypto, metrics, logger, keyPair, ports, ipv4, ipv6, bindIpv4, bindIpv6 },
        sharedKeys: dht.sharedKeys,
        onion: onionServer.relay,
        forwarding: dht.forwarder,
      });
    const node = new ToxNode(env, floors, relay, options.version ?? 1_000_002_018);
    try {
      await relay?.listen();
    } catch (error) {
      logger.warn("the TCP relay has no port: free one, or allow this program to bind ports below 1024", {
        reason: String(error),
      });
    }
    node.setMotd(options.motd);
    node.#mapping = portMapper?.open(options.bindIpv4 === undefined ? {} : { address: options.bindIpv4 });
    node.#mapping?.map("udp", node.udpPort);
    for (const port of node.relayPorts) node.#mapping?.map("tcp", port);
    logger.info("listening", { udp: node.udpPort, relay: relay?.ports.join(",") });
    for (const known of options.bootstrap ?? []) {
      node.bootstrap(known).catch((error: unknown) => {
        logger.warn("a bootstrap node cannot be used", { host: known.host, reason: String(error) });
      });
    }
    return node;
  }

  /** 64 hex digits: what others bootstrap with. */
  get publicKey(): string {
    return this.#publicKey;
  }

  get udpPort(): number {
    return this.#floors.network.port;
  }

  get relayPorts(): readonly number[] {
    return this.#relay?.ports ?? [];
  }

  /** Nodes of the DHT that we know to be alive. */
  get nodeCount(): number {
    return this.#floors.dht.nodeCount;
  }

  get stats(): ToxNodeStats {
    return {
      nodes: this.nodeCount,
      announcements: this.#floors.onionServer.announcements,
      relayConnections: this.#relay?.connectionCount ?? 0,
    };
  }

  /** Asks a node for the way into the network. Rejects with `host-not-found`, `invalid-argument` or `weak-key`. */
  async bootstrap({ host, port, publicKey }: BootstrapNode): Promise<void> {
    this.#expectOpen();
    const key = publicKeyOf(publicKey);
    const { dht, network } = this.#floors;
    if (dht.sharedKeys.get(key) === undefined) {
      throw new ToxError("weak-key", "This is no node's key: nothing can be kept secret with it.");
    }
    for (const address of await this.#env.resolver.resolve(host)) {
      if (this.#closing) return;
      const endpoint = makeEndpoint(address, port);
      if (network.has(endpoint.family)) dht.bootstrap(endpoint, key);
    }
  }

  /** Changes the message of the day; without one nobody is answered. */
  setMotd(motd: string | undefined): void {
    this.#expectOpen();
    const { network } = this.#floors;
    if (motd === undefined) network.handle(PacketId.BootstrapInfo, undefined);
    else answerBootstrapInfo(network, this.#env.metrics, { version: this.#version, motd });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      this.#relay?.close();
    } finally {
      this.#floors.onionServer.close();
      this.#floors.dht.close();
      this.#floors.network.close();
      await this.#mapping?.close();
      this.#env.release?.();
    }
  }

  #expectOpen(): void {
    if (this.#closing) throw new ToxError("closed", "This node is closed: create a new one.");
  }
}
