import { Crypto } from "../../../src/crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../../src/crypto/shared_key_cache.ts";
import { DhtChannel } from "../../../src/dht/dht_channel.ts";
import type { Endpoint } from "../../../src/env/datagram.ts";
import { UdpNetwork } from "../../../src/network/udp_network.ts";
import type { HostOptions, SimHost } from "../../../src/testing/index.ts";
import { encodeNodesRequestPayload } from "../../../src/wire/dht/nodes_request.ts";
import { encodeNodesResponsePayload } from "../../../src/wire/dht/nodes_response.ts";
import { encodePingPayload } from "../../../src/wire/dht/ping.ts";
import type { PackedNode } from "../../../src/wire/packed_node.ts";
import { PacketId } from "../../../src/wire/packet_ids.ts";
import { type DhtWorld, PORT, provider } from "./dht_world.ts";

export interface Received {
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
}

/** A machine that sends whatever bytes the test wants, under a key of its own, and answers nothing by itself. */
export class Stranger {
  readonly host: SimHost;
  readonly network: UdpNetwork;
  readonly crypto: Crypto;
  readonly keyPair: KeyPair;
  readonly channel: DhtChannel;
  readonly received: Received[] = [];

  private constructor(host: SimHost, network: UdpNetwork, crypto: Crypto, keyPair: KeyPair) {
    this.host = host;
    this.network = network;
    this.crypto = crypto;
    this.keyPair = keyPair;
    this.channel = new DhtChannel(network, crypto, keyPair, new SharedKeyCache(crypto, keyPair.secretKey));
    for (let id = 0; id < 256; id++) {
      network.handle(id, (bytes, from) => void this.received.push({ bytes: bytes.slice(), from }));
    }
  }

  static async create(world: DhtWorld, name: string, hostOptions: HostOptions = {}, keyPair?: KeyPair) {
    const host = world.universe.host(name, hostOptions);
    const { datagrams, random, metrics } = host.edges;
    const crypto = new Crypto(provider, random);
    const network = await UdpNetwork.bind(datagrams, { ports: [PORT] }, metrics);
    return new Stranger(host, network, crypto, keyPair ?? crypto.keyPair());
  }

  get endpoint(): Endpoint {
    return this.host.endpoint(PORT);
  }

  get node(): PackedNode {
    return { publicKey: this.keyPair.publicKey, endpoint: this.endpoint };
  }

  /** What has arrived with this id. */
  got(id: number): Received[] {
    return this.received.filter((packet) => packet.bytes[0] === id);
  }

  /** The payload of a received packet. */
  open({ bytes }: Received): Uint8Array {
    const opened = this.channel.open(bytes, () => undefined);
    if (opened === undefined) throw new Error("This packet is not for the stranger.");
    return opened.payload;
  }

  seal(id: number, receiver: PublicKey, encode: (into: Uint8Array) => number): Uint8Array {
    const packet = new Uint8Array(2048);
    return packet.slice(0, this.channel.seal(packet, id, receiver, encode));
  }

  pingRequest(receiver: PublicKey, sendback = 1n): Uint8Array {
    const id = PacketId.PingRequest;
    return this.seal(id, receiver, (into) => encodePingPayload(into, { id, sendback }));
  }

  pingResponse(receiver: PublicKey, sendback: bigint): Uint8Array {
    const id = PacketId.PingResponse;
    return this.seal(id, receiver, (into) => encodePingPayload(into, { id, sendback }));
  }

  nodesRequest(receiver: PublicKey, target: PublicKey, sendback = 1n): Uint8Array {
    return this.seal(PacketId.NodesRequest, receiver, (into) => encodeNodesRequestPayload(into, { target, sendback }));
  }

  nodesResponse(receiver: PublicKey, sendback: bigint, nodes: readonly PackedNode[]): Uint8Array {
    return this.seal(PacketId.NodesResponse, receiver, (into) => encodeNodesResponsePayload(into, { nodes, sendback }));
  }

  send(to: Endpoint, packet: Uint8Array): void {
    this.network.send(to, packet);
  }
}
