import type { Crypto } from "../../src/crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../../src/crypto/keys.ts";
import { normalizedEndpoint } from "../../src/dht/addresses.ts";
import { Dht, type DhtLookup } from "../../src/dht/dht.ts";
import type { Endpoint } from "../../src/env/datagram.ts";
import { concatBytes, readU64, sameBytes, toHex } from "../../src/util/bytes.ts";
import { endpointKey, isLanAddress, sameEndpoint } from "../../src/util/endpoint.ts";
import { decodeDhtPacket } from "../../src/wire/dht/dht_packet.ts";
import { decodeNodesResponsePayload } from "../../src/wire/dht/nodes_response.ts";
import { ignoreDrop } from "../../src/wire/drop.ts";
import type { PackedNode } from "../../src/wire/packed_node.ts";
import { PacketId } from "../../src/wire/packet_ids.ts";
import { Forge } from "../../test/support/forge.ts";
import { Broken, expectThat } from "./broken.ts";
import { Census } from "./census.ts";
import { fuzzCrypto } from "./memoised_crypto.ts";
import { at, type Datagram, Machine, Wire } from "./wire.ts";

const KEPT = 64;
const SELF = [at("198.51.100.1"), at("2001:db8:1::1")];
/** Different networks, one network, a LAN, IPv6, mapped, and what is nobody's. */
export const PLACES: readonly Endpoint[] = [
  ...["203.0.113.1", "203.0.114.1", "203.0.115.1", "203.0.116.1"].map((address) => at(address)),
  ...["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((address) => at(address)),
  ...["10.0.0.7", "192.168.1.9", "127.0.0.1"].map((address) => at(address, 33446)),
  ...["2001:db8:2::1", "2001:db8:3::1", "fe80::1", "::ffff:203.0.117.1"].map((address) => at(address)),
  ...["198.51.100.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "ff02::1"].map((address) => at(address)),
  at("203.0.113.1", 9),
];

/** A request of the victim's that its receiver can read. */
export interface Question {
  readonly kind: "ping" | "nodes";
  readonly sendback: bigint;
  readonly receiver: KeyPair;
  readonly endpoint: Endpoint;
}

const census = new Census({
  "#pending.#requests": 512,
  "#pending.#asked": 512,
  "#table.#order.#entries": 128 * 8 + 4 * 8,
  "#table.#byEndpoint": 2 * (128 * 8 + 4 * 8),
  "#greeter.#waiting": 32,
  "#beacons.#beacons": 64 + 32,
  "#closeList.#buckets.[]": 8,
  "#selfLookup.#candidates": 16,
  "#selfLookup.#asked": 128,
  "#selfLookup.#slots": 64,
  "#searches.#searches.#entries.[].value.list.#entries": 8,
  "#searches.#searches.#entries.[].value.lookup.#candidates": 16,
  "#searches.#searches.#entries.[].value.lookup.#asked": 128,
  "#searches.#searches.#entries.[].value.lookup.#slots": 64,
  "#searches.#searches.#entries.[].value.#told.#told": 16,
  "#searches.#searches.#entries.[].value.#told.#reported": 16,
  "#searches.#searches.#entries.[].value.#direct": 2,
  "#announceServer.#store.#buckets.[]": 8,
});

/** A DHT node among peers that do what a program says. */
export class DhtLab {
  readonly wire = new Wire();
  readonly machine = new Machine(this.wire, "dht", SELF);
  readonly crypto: Crypto = fuzzCrypto("peers");
  readonly dht: Dht;
  readonly forge: Forge;
  readonly peers: readonly KeyPair[];
  readonly lookups: DhtLookup[] = [];
  /** What the victim sent and what it was sent, the last of each. */
  readonly sent: Datagram[] = [];
  readonly received: Datagram[] = [];
  readonly #readers = new Map<string, KeyPair>(); // by public key; those whose packets the program has made
  readonly #residents = new Map<string, Set<KeyPair>>(); // who was ever said to be at an endpoint
  readonly #proven = new Set<string>();
  /** What came from where, and what went there. */
  #bytesIn = 0;
  #bytesOut = 0;
  #ownBytesOut = 0;
  #isReacting = false;
  #appCalls = 0;

  constructor() {
    const { clock, crypto, metrics, logger, network } = this.machine;
    const bootstrapInfo = { version: 1_000_002_018, motd: "a node under test" };
    this.dht = new Dht({ network, clock, crypto, metrics, logger, bootstrapInfo });
    this.forge = new Forge(this.crypto, { dht: this.dht.publicKey, self: this.dht.publicKey });
    this.peers = Array.from({ length: 10 }, () => this.crypto.keyPair());
    for (const keys of this.peers) this.#readers.set(toHex(keys.publicKey), keys);
    this.wire.onSent = (datagram) => this.#note(datagram);
  }

  /** Somebody new, with keys of his own. */
  stranger(): KeyPair {
    const keys = this.crypto.keyPair();
    this.#readers.set(toHex(keys.publicKey), keys);
    return keys;
  }

  /** Somebody says that the owner of this key is there: the victim may write to him. */
  reside(publicKey: Uint8Array, endpoint: Endpoint): void {
    const keys = this.#readers.get(toHex(publicKey));
    if (keys === undefined) return;
    const key = endpointKey(normalizedEndpoint(endpoint));
    const residents = this.#residents.get(key);
    if (residents === undefined) this.#residents.set(key, new Set([keys]));
    else residents.add(keys);
  }

  /** A datagram arrives, and what is sent in answer is weighed. */
  receive(bytes: Uint8Array, from: Endpoint): void {
    this.received.push({ bytes: bytes.slice(), from, to: this.machine.endpointFor(from) });
    if (this.received.length > KEPT) this.received.shift();
    this.reside(bytes.subarray(1, 33), from);
    const before = this.#bytesOut;
    this.#bytesIn += bytes.length;
    this.#isReacting = true;
    this.machine.receive(bytes, from);
    this.#isReacting = false;
    const [bound, why] = this.#mostInReactionTo(bytes);
    const out = this.#bytesOut - before;
    expectThat(
      out <= bound,
      () => `${bytes.length} bytes of ${bytes[0]} made it send ${out}, more than ${bound}: ${why}`,
    );
  }

  /** The app looks for somebody. He is only ever found where he, or a node that was asked, says that he is. */
  lookUp(publicKey: PublicKey): void {
    const lookup = this.dht.lookUp(publicKey, (endpoint) => {
      const isSaid = [...this.#readersAt(endpoint)].some((keys) => sameBytes(keys.publicKey, publicKey));
      expectThat(isSaid, () => `somebody is found at ${endpointKey(endpoint)}, where nobody said that he is`);
    });
    this.lookups.push(lookup);
  }

  /** The app does something. */
  act(action: () => void): void {
    this.#appCalls++;
    action();
  }

  /** Reads a request of the victim's, if one of the peers can. */
  question({ bytes, to }: Datagram): Question | undefined {
    const packet = decodeDhtPacket(bytes, ignoreDrop);
    if (packet === undefined || (packet.id !== PacketId.PingRequest && packet.id !== PacketId.NodesRequest)) return;
    for (const keys of this.#readersAt(to)) {
      const payload = this.crypto.open(packet.box, packet.nonce, this.forge.shared(keys));
      if (payload === undefined) continue;
      const isPing = packet.id === PacketId.PingRequest;
      const sendback = readU64(payload, isPing ? 1 : 32);
      return { kind: isPing ? "ping" : "nodes", sendback, receiver: keys, endpoint: to };
    }
    return undefined;
  }

  /** The honest answer to a question. With nobody to name it is void for nodes requests, as from a toxcore that is alone. */
  answer({ kind, sendback, receiver, endpoint }: Question, nodes: readonly PackedNode[]): void {
    const isAnswer = kind === "ping" || nodes.length > 0;
    if (isAnswer) this.prove(receiver.publicKey, endpoint);
    for (const node of nodes) this.reside(node.publicKey, node.endpoint);
    const packet =
      kind === "ping"
        ? this.forge.pingResponse(receiver, sendback)
        : this.forge.nodesResponse(receiver, nodes.slice(0, 4), sendback);
    this.receive(packet, endpoint);
  }

  /** Whoever has answered from there may be named to others. */
  prove(publicKey: PublicKey, endpoint: Endpoint): void {
    this.#proven.add(nameOf(publicKey, endpoint));
  }

  /** Looks whether all is well, counts the tables if told so, and ends it. */
  close(isThorough: boolean): void {
    this.#checkServes();
    if (isThorough) census.check(this.dht);
    this.machine.checkSound();
    expectThat(this.dht.nodeCount <= this.#proven.size, "it counts nodes that never answered");
    const own = this.#ownBytesOut;
    const seconds = this.wire.now / 1000;
    // its own requests: to bootstrap nodes, to nodes it knows, to nodes named by those who answer
    const bound = 4 * this.#bytesIn + 8_000 * (1 + this.#appCalls) + 20_000 * Math.min(seconds, 60) + 400 * seconds;
    expectThat(own <= bound, () => `${own} bytes sent of its own accord, after ${this.#bytesIn} received`);
    this.dht.close();
    this.machine.checkGone();
  }

  /** A stranger who is honest is answered as ever. */
  #checkServes(): void {
    const honest = this.stranger();
    const from = at("203.0.200.1", 4000);
    this.sent.length = 0;
    this.receive(this.forge.pingRequest(honest, 0x1234n), from);
    const pong = this.sent.find(({ bytes, to }) => bytes[0] === PacketId.PingResponse && sameEndpoint(to, from));
    const payload = pong && this.#open(pong.bytes, honest);
    const isRight = payload !== undefined && payload.length === 9 && readU64(payload, 1) === 0x1234n;
    expectThat(isRight, "an honest ping is not answered");
    this.receive(this.forge.nodesRequest(honest, honest.publicKey, 0x4321n), from);
    const answer = this.sent.find(({ bytes, to }) => bytes[0] === PacketId.NodesResponse && sameEndpoint(to, from));
    const nodes = answer && this.#open(answer.bytes, honest);
    expectThat(
      nodes !== undefined && readU64(nodes, nodes.length - 8) === 0x4321n,
      "an honest question is not answered",
    );
  }

  #note(datagram: Datagram): void {
    const { bytes, to } = datagram;
    this.#bytesOut += bytes.length;
    if (!this.#isReacting) this.#ownBytesOut += bytes.length;
    this.sent.push(datagram);
    if (this.sent.length > KEPT) this.sent.shift();
    if (to.port === 0) throw new Broken("a datagram is sent to port 0");
    if (bytes[0] === PacketId.NodesResponse) this.#checkTold(datagram);
  }

  /** Only who has answered is named, and LAN nodes only to the LAN. */
  #checkTold({ bytes, to }: Datagram): void {
    for (const keys of this.#readersAt(to)) {
      const payload = this.#open(bytes, keys);
      if (payload === undefined) continue;
      for (const node of decodeNodesResponsePayload(payload, ignoreDrop)?.nodes ?? []) {
        const { publicKey, endpoint } = node;
        const name = nameOf(publicKey, endpoint);
        expectThat(this.#proven.has(name), () => `${name} is named, who never answered`);
        const isSecret = isLanAddress(endpoint.address) && !isLanAddress(to.address);
        expectThat(!isSecret, () => `the neighbour ${name} is named to a stranger`);
        expectThat(!sameBytes(publicKey, this.dht.publicKey), "it names itself");
      }
      return;
    }
  }

  #readersAt(endpoint: Endpoint): ReadonlySet<KeyPair> {
    return this.#residents.get(endpointKey(endpoint)) ?? NOBODY;
  }

  #open(bytes: Uint8Array, keys: KeyPair): Uint8Array | undefined {
    const packet = decodeDhtPacket(bytes, ignoreDrop);
    return packet && this.crypto.open(packet.box, packet.nonce, this.forge.shared(keys));
  }

  /** How many bytes one datagram may make the victim send, to whomever. */
  #mostInReactionTo(bytes: Uint8Array): readonly [number, string] {
    const searches = 1 + this.lookups.length;
    switch (bytes[0]) {
      case PacketId.PingRequest:
        return [2 * PING, "a pong and a ping"];
      case PacketId.NodesRequest:
        return [NODES_RESPONSE + PING, "an answer and a ping"];
      case PacketId.PingResponse:
      case PacketId.NodesResponse:
        // each search asks so many at a time, the newcomer, and one that returns
        return [searches * 8 * NODES_REQUEST, "what the searches ask"];
      case PacketId.DhtRequest:
        return [Math.max(bytes.length, 17 * NAT_PING), "passed on once, or a friend's NAT ping answered"];
      case PacketId.ForwardRequest:
      case PacketId.ForwardReply:
        return [bytes.length + FORWARD_GROWTH, "passed on once"];
      case PacketId.Forwarding:
        return [Math.max(bytes.length + FORWARD_GROWTH, 2 * bytes.length + DATA_RESPONSE), "passed on, or answered"];
      case PacketId.DataSearchRequest:
        return [DATA_SEARCH_RESPONSE, "an answer"];
      case PacketId.DataRetrieveRequest:
        return [DATA_RESPONSE, "the data, to an address that is proven"];
      case PacketId.StoreAnnounceRequest:
        return [bytes.length, "an answer"];
      case PacketId.BootstrapInfo:
        return [5 + 256, "an answer"];
      default:
        return [0, "unknown"];
    }
  }
}

const NOBODY: ReadonlySet<KeyPair> = new Set();
const PING = 82;
const NODES_REQUEST = 113;
const NODES_RESPONSE = 73 + 1 + 4 * 51 + 8;
const NAT_PING = 150;
/** A sendback in place of a key: authenticator, kind, address and the forwarder's own. */
const FORWARD_GROWTH = 2 + 254;
const DATA_SEARCH_RESPONSE = 73 + 32 + 1 + 32 + 32 + 2 + 4 * 51 + 8;
const DATA_RESPONSE = 73 + 33 + 512 + 8;

function nameOf(publicKey: PublicKey, endpoint: Endpoint): string {
  return `${toHex(publicKey)} at ${endpointKey(endpoint)}`;
}

/** What is behind the id in a DHT packet. */
export function withId(id: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(Uint8Array.of(id), ...parts);
}
