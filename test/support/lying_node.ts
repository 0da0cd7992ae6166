import type { Crypto } from "../../src/crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../../src/crypto/keys.ts";
import type { DatagramSocket, Endpoint } from "../../src/env/datagram.ts";
import { readU64 } from "../../src/util/bytes.ts";
import { decodeDhtPacket } from "../../src/wire/dht/dht_packet.ts";
import { decodeNodesRequestPayload } from "../../src/wire/dht/nodes_request.ts";
import { ignoreDrop } from "../../src/wire/drop.ts";
import type { PackedNode } from "../../src/wire/packed_node.ts";
import { PacketId } from "../../src/wire/packet_ids.ts";
import { Forge } from "./forge.ts";
import type { Story } from "./people.ts";

/** A node that answers every ping, and every nodes request with what the test wants said. */
export class LyingNode {
  readonly keys: KeyPair;
  /** What it says when it is asked who is near `wanted`. */
  names: (wanted: PublicKey) => readonly PackedNode[] = () => [];
  /** Nodes requests answered. */
  answers = 0;
  readonly #crypto: Crypto;
  readonly #socket: DatagramSocket;

  private constructor(crypto: Crypto, keys: KeyPair, socket: DatagramSocket) {
    this.#crypto = crypto;
    this.keys = keys;
    this.#socket = socket;
    socket.onDatagram = (bytes, from) => this.#answer(bytes, from);
  }

  static async start(story: Story, name: string, crypto: Crypto, keys: KeyPair): Promise<LyingNode> {
    const socket = await story.universe.wait(story.universe.host(name).bind({ family: 4, port: 33445 }));
    return new LyingNode(crypto, keys, socket);
  }

  /** Asks a node something, so that it pings us and takes us in. */
  introduceTo(endpoint: Endpoint, dhtPublicKey: PublicKey): void {
    this.#send(endpoint, this.#forge(dhtPublicKey).nodesRequest(this.keys));
  }

  #answer(bytes: Uint8Array, from: Endpoint): void {
    const outer = decodeDhtPacket(bytes, ignoreDrop);
    if (outer === undefined) return;
    const forge = this.#forge(outer.sender.slice() as Uint8Array as PublicKey);
    const plain = this.#crypto.open(outer.box, outer.nonce, forge.shared(this.keys));
    if (plain === undefined) return;
    if (outer.id === PacketId.PingRequest) this.#send(from, forge.pingResponse(this.keys, readU64(plain, 1)));
    if (outer.id !== PacketId.NodesRequest) return;
    const asked = decodeNodesRequestPayload(plain, ignoreDrop);
    if (asked === undefined) return;
    this.answers++;
    this.#send(from, forge.nodesResponse(this.keys, this.names(asked.target), asked.sendback));
  }

  #forge(target: PublicKey): Forge {
    return new Forge(this.#crypto, { dht: target, self: target });
  }

  #send(to: Endpoint, packet: Uint8Array): void {
    const buffer = this.#socket.acquire();
    buffer.set(packet);
    this.#socket.send(buffer, packet.length, to);
  }
}
