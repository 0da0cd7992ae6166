import type { Crypto } from "../crypto/crypto.ts";
import type { PublicKey } from "../crypto/keys.ts";
import type { Metrics } from "../env/metrics.ts";
import { dropCounter } from "../network/drop_counter.ts";
import { mayPassOn } from "../onion/server/relay_policy.ts";
import { sameBytes } from "../util/bytes.ts";
import { KeyMap } from "../util/key_map.ts";
import { randomU32 } from "../util/random_numbers.ts";
import type { Drop } from "../wire/drop.ts";
import {
  decodeTcpPacket,
  encodeTcpPacket,
  FIRST_CONNECTION_ID,
  MAX_FRAME_BOX_SIZE,
  MAX_TCP_PACKET_SIZE,
  type TcpPacket,
} from "../wire/tcp/packets.ts";
import type { RelayClientId, RelayForwarding, RelayOnion } from "./ports.ts";
import type { Link, RelayConnection } from "./relay_connection.ts";
import { type SlowReaderLimits, SlowReaders } from "./slow_readers.ts";

export interface SwitchboardOptions {
  readonly crypto: Crypto;
  readonly metrics: Metrics;
  readonly onion?: RelayOnion;
  readonly forwarding?: RelayForwarding;
  /** Data is dropped for a client that has more bytes than this waiting. */
  readonly dataLimit: number;
  readonly slowReaders: SlowReaderLimits;
}

/** Ends a connection, and has `remove` called for it, now or soon. */
export type EndConnection = (connection: RelayConnection, why: string) => undefined;

/**
 * The clients of a relay and the links between them: who asked for whom, and what they send one another.
 *
 * For a receiver whose stream is full, data is dropped as toxcore does, instead of pausing the sender: one slow friend
 * would hold up all of the sender's others, and sessions recover from loss anyway. What the relay itself has to say may
 * not be lost; it has the last quarter of the queue, and who lets that fill up too is cut off.
 */
export class Switchboard {
  readonly #options: SwitchboardOptions;
  readonly #end: EndConnection;
  readonly #drop: Drop;
  readonly #slow: SlowReaders;
  readonly #byKey: KeyMap<RelayConnection>; // bounded by the server's limit of clients
  readonly #byId = new Map<RelayClientId, RelayConnection>(); // the same ones
  readonly #untold = new Set<RelayConnection>(); // clients, until they have read or are gone
  readonly #packet = new Uint8Array(MAX_FRAME_BOX_SIZE);

  constructor(options: SwitchboardOptions, end: EndConnection) {
    this.#options = options;
    this.#end = end;
    this.#drop = dropCounter(options.metrics, "relayServer");
    this.#slow = new SlowReaders(options.slowReaders, (connection) => this.#end(connection, "too-many-slow"));
    this.#byKey = new KeyMap(randomU32(options.crypto.random));
    const { onion, forwarding } = options;
    if (onion !== undefined) onion.onClientResponse = (id, data) => this.#answer(id, "onionResponse", data);
    if (forwarding !== undefined) forwarding.onClientReply = (id, data) => this.#answer(id, "forwarding", data);
  }

  get size(): number {
    return this.#byKey.size;
  }

  client(publicKey: Uint8Array): RelayConnection | undefined {
    return this.#byKey.get(publicKey);
  }

  add(connection: RelayConnection): void {
    const { publicKey } = connection;
    if (publicKey === undefined) return;
    this.#byKey.set(publicKey, connection);
    this.#byId.set(connection.id, connection);
  }

  /** Takes a client out, and tells those who were linked to it. */
  remove(connection: RelayConnection): void {
    const { publicKey } = connection;
    if (publicKey !== undefined && this.#byKey.get(publicKey) === connection) this.#byKey.delete(publicKey);
    this.#byId.delete(connection.id);
    this.#untold.delete(connection);
    this.#slow.delete(connection);
    for (const link of connection.links()) this.#unlink(link);
  }

  close(): void {
    const { onion, forwarding } = this.#options;
    if (onion !== undefined) onion.onClientResponse = undefined;
    if (forwarding !== undefined) forwarding.onClientReply = undefined;
    this.#byKey.clear();
    this.#byId.clear();
    this.#untold.clear();
  }

  ping(connection: RelayConnection, pingId: bigint): void {
    this.#control(connection, { type: "ping", pingId });
  }

  /** A packet from a client, writable. What toxcore cuts its clients off for, we do as well. */
  handle(from: RelayConnection, bytes: Uint8Array): undefined {
    const id = bytes[0] ?? 0;
    if (id >= FIRST_CONNECTION_ID) return this.#onData(from, id, bytes);
    const packet = decodeTcpPacket(bytes, this.#drop);
    if (packet === undefined) return this.#end(from, "malformed");
    switch (packet.type) {
      case "routingRequest":
        return this.#onRoutingRequest(from, packet.publicKey);
      case "connectNotice":
        return;
      case "disconnectNotice": {
        const link = from.link(packet.connectionId);
        return link === undefined ? this.#end(from, "unallocated-id") : this.#unlink(link);
      }
      case "ping":
        return this.#control(from, { type: "pong", pingId: packet.pingId });
      case "pong":
        if (packet.pingId === 0n) return this.#end(from, "malformed");
        if (packet.pingId === from.pingId) from.pingId = undefined;
        return;
      case "oobSend": {
        const to = this.#byKey.get(packet.publicKey);
        if (to === undefined || from.publicKey === undefined) return;
        return this.#data(to, { type: "oobRecv", publicKey: from.publicKey, data: packet.data });
      }
      case "onionRequest":
        if (from.remote !== undefined) this.#options.onion?.requestFromClient(from.id, from.remote, packet.data);
        return;
      case "forwardRequest": {
        if (from.remote === undefined || !mayPassOn(from.remote, packet.to, () => false)) return;
        return this.#options.forwarding?.forwardForClient(from.id, packet.to, packet.data);
      }
      default:
        return this.#end(from, "malformed"); // what only relays send
    }
  }

  /** The hot path: the id is written over in place, and the whole is sealed for the other. */
  #onData(from: RelayConnection, id: number, bytes: Uint8Array): undefined {
    const link = from.link(id);
    if (link === undefined) return this.#end(from, "unallocated-id");
    const { other } = link;
    if (other === undefined) return;
    bytes[0] = other.id;
    this.#sendData(other.owner, bytes);
  }

  #onRoutingRequest(from: RelayConnection, peer: PublicKey): undefined {
    const isSelf = from.publicKey !== undefined && sameBytes(from.publicKey, peer);
    const known = isSelf ? undefined : from.linkTo(peer);
    const link = isSelf ? undefined : (known ?? from.addLink(peer));
    this.#control(from, { type: "routingResponse", connectionId: link?.id ?? 0, publicKey: peer });
    if (link === undefined || known !== undefined || from.publicKey === undefined) return;
    if (from.state !== "client") return; // cut off by the answer
    const other = this.#byKey.get(peer)?.linkTo(from.publicKey);
    if (other === undefined || other.other !== undefined) return;
    link.other = other;
    other.other = link;
    this.#tell(link);
    if (link.other === other) this.#tell(other);
  }

  /**
   * Tells the owner whether the peer is there. One who reads slowly hears of it later, and of coming and going at once
   * nothing: a peer cannot fill his queue with it.
   */
  #tell(link: Link): undefined {
    const { owner, told } = link;
    const isThere = link.other !== undefined;
    if (told === isThere || owner.state !== "client") return;
    if (owner.stream.queued > this.#options.dataLimit) return void this.#untold.add(owner);
    link.told = isThere;
    this.#control(owner, { type: isThere ? "connectNotice" : "disconnectNotice", connectionId: link.id });
  }

  /** Whether somebody is to be told something when he has read more. */
  get hasUntold(): boolean {
    return this.#untold.size > 0;
  }

  tellUntold(): void {
    const owners = [...this.#untold];
    this.#untold.clear();
    for (const owner of owners) for (const link of owner.links()) this.#tell(link);
  }

  #unlink(link: Link): undefined {
    const { other } = link;
    link.other = undefined;
    link.owner.removeLink(link);
    if (other === undefined) return;
    other.other = undefined;
    this.#tell(other);
  }

  #answer(id: RelayClientId, type: "onionResponse" | "forwarding", data: Uint8Array): undefined {
    const to = this.#byId.get(id);
    if (to === undefined || data.length >= MAX_TCP_PACKET_SIZE) return;
    this.#data(to, { type, data });
  }

  #data(to: RelayConnection, packet: TcpPacket): undefined {
    this.#sendData(to, this.#encode(packet));
  }

  #sendData(to: RelayConnection, bytes: Uint8Array): undefined {
    const full = to.stream.queued > this.#options.dataLimit || !to.stream.send(bytes);
    this.#options.metrics.count(full ? "relay.server.packetsDropped" : "relay.server.packetsPassedOn");
    this.#slow.sentTo(to);
  }

  #control(to: RelayConnection, packet: TcpPacket): undefined {
    if (to.state !== "client") return;
    if (to.stream.send(this.#encode(packet))) this.#slow.sentTo(to);
    else this.#end(to, "overflow");
  }

  #encode(packet: TcpPacket): Uint8Array {
    return this.#packet.subarray(0, encodeTcpPacket(this.#packet, packet));
  }
}
