import type { Crypto } from "../../src/crypto/crypto.ts";
import type { KeyPair } from "../../src/crypto/keys.ts";
import type { Endpoint } from "../../src/env/datagram.ts";
import { buildOnionRequest, makeOnionPath, type OnionPathCandidate } from "../../src/onion/path_packet.ts";
import { OnionServer } from "../../src/onion/server/onion_server.ts";
import { isAllZero, sameBytes, toHex } from "../../src/util/bytes.ts";
import { formatEndpoint, isLanAddress, sameEndpoint } from "../../src/util/endpoint.ts";
import { ignoreDrop } from "../../src/wire/drop.ts";
import { decodeAnnounceRequest, decodeAnnounceRequestBody } from "../../src/wire/onion/announce_request.ts";
import {
  type AnnounceResponseBody,
  decodeAnnounceResponse,
  decodeAnnounceResponseBody,
} from "../../src/wire/onion/announce_response.ts";
import { decodeDeliveredRequest } from "../../src/wire/onion/onion_request.ts";
import { decodeOnionResponse } from "../../src/wire/onion/onion_response.ts";
import type { PackedNode } from "../../src/wire/packed_node.ts";
import { PacketId } from "../../src/wire/packet_ids.ts";
import { Forge } from "../../test/support/forge.ts";
import { FakeDht } from "../../test/unit/onion/server/world.ts";
import { expectThat } from "./broken.ts";
import { Census } from "./census.ts";
import { fuzzCrypto } from "./memoised_crypto.ts";
import { at, type Datagram, Machine, Wire } from "./wire.ts";

const KEPT = 64;
const SELF = [at("198.51.100.1"), at("2001:db8:1::1")];
/** An announcement lives for 300 s, a ping_id for 600 at most. */
const MAX_ANNOUNCEMENTS = 160;
/** What a response may be longer than its request: 465 bytes for 354. */
const ANNOUNCE_RATIO = 465 / 354;

const census = new Census({
  "#announceNode.#store.#entries.#entries": MAX_ANNOUNCEMENTS,
  "#announceNode.#keys.#kept": 2048,
});

/** Knows four nodes, of which one is a neighbour in the LAN. */
class FourNodes extends FakeDht {
  override closestNodes(key: Uint8Array, count: number, lan: boolean): PackedNode[] {
    return super.closestNodes(key, count, lan).filter(({ endpoint }) => lan || !isLanAddress(endpoint.address));
  }
}

/** An onion server, and whoever uses it. */
export class OnionServerLab {
  readonly wire = new Wire();
  readonly machine = new Machine(this.wire, "onion server", SELF);
  readonly crypto: Crypto = fuzzCrypto("onion users");
  readonly dht = new FourNodes(this.machine.crypto);
  readonly forge = new Forge(this.crypto, { dht: this.dht.keyPair.publicKey, self: this.dht.keyPair.publicKey });
  readonly users: readonly KeyPair[];
  readonly sent: Datagram[] = [];
  readonly received: Datagram[] = [];
  /** The last ping_id that each was given, by public key. */
  readonly pingIds = new Map<string, Uint8Array>();
  readonly #server: OnionServer;
  readonly #byKey = new Map<string, KeyPair>();
  /** The data keys with which each has announced himself, if the server took it. */
  readonly #dataKeys = new Map<string, Set<string>>();
  #reaction: Datagram[] = [];

  constructor() {
    const { clock, crypto, metrics, logger, network } = this.machine;
    const places = [at("203.0.113.1"), at("203.0.114.1"), at("2001:db8:9::1"), at("10.0.0.7")];
    this.dht.nodes = places.map((endpoint) => ({ publicKey: crypto.keyPair().publicKey, endpoint }));
    this.#server = new OnionServer({ network, dht: this.dht, clock, crypto, metrics, logger });
    this.users = Array.from({ length: 8 }, () => this.user());
    this.wire.onSent = (datagram) => this.#note(datagram);
  }

  user(): KeyPair {
    const keys = this.crypto.keyPair();
    this.#byKey.set(toHex(keys.publicKey), keys);
    return keys;
  }

  /** A datagram arrives: at most one leaves, and hardly longer. */
  receive(bytes: Uint8Array, from: Endpoint): Datagram | undefined {
    this.received.push({ bytes: bytes.slice(), from, to: this.machine.endpointFor(from) });
    if (this.received.length > KEPT) this.received.shift();
    this.#noteAnnouncement(bytes);
    this.#reaction = [];
    this.machine.receive(bytes, from);
    const [sent, ...more] = this.#reaction;
    expectThat(more.length === 0, () => `${bytes[0]} is answered with ${more.length + 1} datagrams`);
    if (sent === undefined) return undefined;
    const isAnnounce = bytes[0] === PacketId.AnnounceRequest || bytes[0] === PacketId.GroupAnnounceRequest;
    const most = isAnnounce ? bytes.length * ANNOUNCE_RATIO : bytes.length;
    expectThat(sent.bytes.length <= most, () => `${bytes.length} bytes of ${bytes[0]} became ${sent.bytes.length}`);
    if (isAnnounce) this.#checkResponse(bytes, sent, from);
    else this.#checkPassedOn(sent.to, from);
    return sent;
  }

  /** A request on its way over three hops, all of which may be the server. */
  pathPacket(
    hops: readonly [OnionPathCandidate, OnionPathCandidate, OnionPathCandidate],
    to: Endpoint,
    data: Uint8Array,
  ) {
    const keyPair = this.users[0] as KeyPair;
    const path = makeOnionPath(this.crypto, { keyPair, sharedKeys: this.dht.sharedKeys }, hops);
    return path && buildOnionRequest(this.crypto, path, to, data);
  }

  get self(): OnionPathCandidate {
    return { publicKey: this.dht.keyPair.publicKey, endpoint: SELF[0] as Endpoint };
  }

  close(isThorough: boolean): void {
    expectThat(this.#server.announcements <= MAX_ANNOUNCEMENTS, "too many announcements are kept");
    if (isThorough) census.check(this.#server);
    this.#checkServes();
    this.machine.checkSound();
    this.#server.close();
    this.machine.checkGone();
  }

  /** Once what is stored has grown old, somebody honest can be announced, found and reached. */
  #checkServes(): void {
    this.wire.pass(301_000);
    const [honest, searcher] = [this.user(), this.user()];
    const from = at("203.0.200.1", 4000);
    this.receive(this.forge.announceRequest(honest), from);
    const pingId = this.pingIds.get(toHex(honest.publicKey));
    expectThat(pingId !== undefined, "an honest announcer is given no ping_id");
    this.receive(this.forge.announceRequest(honest, { pingId }), from);
    const found = this.receive(this.forge.announceRequest(searcher, { searched: honest.publicKey }), at("203.0.201.1"));
    const body = found && this.#open(found.bytes, searcher);
    expectThat(body?.isStored === 1, "an honest announcer is not found");
    expectThat(sameBytes(body.pingIdOrDataKey, honest.publicKey), "he is found with another data key");
    const passed = this.receive(this.forge.onionDataRequest(honest.publicKey), at("203.0.202.1"));
    expectThat(passed !== undefined && sameEndpoint(passed.to, from), "data does not reach an honest announcer");
  }

  #note(datagram: Datagram): void {
    this.#reaction.push(datagram);
    this.sent.push(datagram);
    if (this.sent.length > KEPT) this.sent.shift();
  }

  /** Nobody but himself, and nobody without a ping_id, can announce somebody. */
  #noteAnnouncement(bytes: Uint8Array): void {
    const delivered = decodeDeliveredRequest(bytes, ignoreDrop);
    const request = delivered && decodeAnnounceRequest(delivered.request, ignoreDrop);
    const keys = request && this.#byKey.get(toHex(request.publicKey));
    const plain = keys && request && this.crypto.open(request.box, request.nonce, this.forge.shared(keys));
    const body = plain && decodeAnnounceRequestBody(plain, ignoreDrop);
    if (body === undefined || request === undefined || isAllZero(body.pingId)) return;
    const name = toHex(request.publicKey);
    const dataKeys = this.#dataKeys.get(name) ?? new Set();
    this.#dataKeys.set(name, dataKeys.add(toHex(body.dataPublicKey)));
  }

  #checkResponse(bytes: Uint8Array, sent: Datagram, from: Endpoint): void {
    expectThat(sameEndpoint(sent.to, from), "a response goes elsewhere");
    const delivered = decodeDeliveredRequest(bytes, ignoreDrop);
    const request = delivered && decodeAnnounceRequest(delivered.request, ignoreDrop);
    const keys = request && this.#byKey.get(toHex(request.publicKey));
    if (keys === undefined || request === undefined) return;
    const body = this.#open(sent.bytes, keys);
    const plain = this.crypto.open(request.box, request.nonce, this.forge.shared(keys));
    const asked = plain && decodeAnnounceRequestBody(plain, ignoreDrop);
    expectThat(body !== undefined && asked !== undefined, "a response does not open");
    if (body.isStored !== 1) {
      this.pingIds.set(toHex(keys.publicKey), body.pingIdOrDataKey.slice());
    } else {
      const dataKeys = this.#dataKeys.get(toHex(asked.searchedKey));
      expectThat(dataKeys?.has(toHex(body.pingIdOrDataKey)) === true, "somebody is found who did not announce himself");
    }
    const secret = body.nodes.find(({ endpoint }) => isLanAddress(endpoint.address) && !isLanAddress(from.address));
    expectThat(secret === undefined, "a neighbour is named to a stranger");
  }

  /** Back to where somebody came from, or on to a host; into the LAN only to a node that only it can reach. */
  #checkPassedOn(to: Endpoint, from: Endpoint): void {
    if (this.received.some((earlier) => sameEndpoint(earlier.from, to))) return;
    const [first = 0] = to.address;
    const isHost = to.family === 4 ? first !== 0 && first < 224 : first !== 0xff && !isAllZero(to.address);
    expectThat(isHost && to.port !== 0, () => `something is passed on to ${formatEndpoint(to)}`);
    const reachesIn = isLanAddress(to.address) && !isLanAddress(from.address);
    const isNeighbourNode = from.family !== to.family && this.dht.isNodeAt(to);
    expectThat(!reachesIn || isNeighbourNode, () => `a stranger reaches ${formatEndpoint(to)} in the LAN`);
  }

  #open(bytes: Uint8Array, keys: KeyPair): AnnounceResponseBody | undefined {
    const outer = decodeOnionResponse(bytes, ignoreDrop);
    const response = outer && decodeAnnounceResponse(outer.data, ignoreDrop);
    const plain = response && this.crypto.open(response.box, response.nonce, this.forge.shared(keys));
    return response && plain && decodeAnnounceResponseBody(plain, response.group, ignoreDrop);
  }
}
