import { Crypto } from "../../src/crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../src/crypto/shared_key_cache.ts";
import type { Endpoint } from "../../src/env/datagram.ts";
import { silentLogger } from "../../src/env/logger.ts";
import { MemoryMetrics } from "../../src/env/metrics.ts";
import { UdpNetwork } from "../../src/network/udp_network.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { buildOnionRequest, makeOnionPath } from "../../src/onion/path_packet.ts";
import type { OnionDht } from "../../src/onion/ports.ts";
import { OnionServer } from "../../src/onion/server/onion_server.ts";
import { randomBytes } from "../../src/util/random_numbers.ts";
import { ignoreDrop } from "../../src/wire/drop.ts";
import { encodeAnnounceRequest, encodeAnnounceRequestBody } from "../../src/wire/onion/announce_request.ts";
import { decodeAnnounceResponse, decodeAnnounceResponseBody } from "../../src/wire/onion/announce_response.ts";
import { encodeOnionDataRequest } from "../../src/wire/onion/onion_data.ts";
import type { PackedNode } from "../../src/wire/packed_node.ts";
import { callRows, type Part } from "./part.ts";
import { endpointOf, QuietSocket, random, stillClock } from "./quiet.ts";

type Calls = Record<string, () => unknown>;

export const onion: Part = {
  name: "onion",
  about: "what hops and announce nodes do with one packet, from the socket's handler to the socket's `send`",
  rows: (effort) => callRows(effort, relaying()),
};

const NOTHING = new Uint8Array(0);
const crypto = new Crypto(sodiumProvider, random);

/** One machine of a path; what it sends is kept instead of sent. */
class Machine {
  readonly keyPair: KeyPair = crypto.keyPair();
  readonly endpoint: Endpoint;
  readonly #socket = new QuietSocket();
  readonly #network: UdpNetwork;
  #sent: Uint8Array = NOTHING;
  #sentLength = 0;

  constructor(number: number, nodes: readonly PackedNode[]) {
    this.endpoint = endpointOf(number);
    this.#socket.onSent = (bytes, length) => {
      this.#sent = bytes;
      this.#sentLength = length;
    };
    const metrics = new MemoryMetrics();
    this.#network = new UdpNetwork([this.#socket], metrics);
    const dht = fixedDht(this.keyPair, nodes);
    new OnionServer({ network: this.#network, dht, clock: stillClock(), crypto, metrics, logger: silentLogger });
  }

  get publicKey(): PublicKey {
    return this.keyPair.publicKey;
  }

  /** A copy of what this machine sends when it is given the packet. */
  answer(packet: Uint8Array, from: Endpoint): Uint8Array {
    this.handle(packet, from);
    return this.#sent.slice(0, this.#sentLength);
  }

  handle(packet: Uint8Array, from: Endpoint): void {
    this.#sentLength = 0;
    this.#network.receive(packet, from, this.#socket);
    if (this.#sentLength === 0) throw new Error("The packet has gone no further.");
  }
}

function fixedDht(keyPair: KeyPair, nodes: readonly PackedNode[]): OnionDht {
  return {
    keyPair,
    sharedKeys: new SharedKeyCache(crypto, keyPair.secretKey),
    connected: true,
    closestNodes: (_, count) => nodes.slice(0, count),
    randomNodes: () => [],
    isNodeAt: () => false,
    onConnected: () => () => {},
    onNode: () => () => {},
    onNodeLost: () => () => {},
    doubt: () => {},
    considerNode: () => {},
    sendDhtRequest: () => 0,
    onDhtRequest: () => {},
  };
}

function relaying(): Calls {
  const nodes = Array.from({ length: 4 }, (_, i) => ({
    publicKey: crypto.keyPair().publicKey,
    endpoint: endpointOf(i),
  }));
  const [first, second, third, store] = [11, 12, 13, 14].map((number) => new Machine(number, nodes)) as [
    Machine,
    Machine,
    Machine,
    Machine,
  ];
  const client = { keyPair: crypto.keyPair(), endpoint: endpointOf(10) };
  const sharedKeys = new SharedKeyCache(crypto, client.keyPair.secretKey);
  const path = makeOnionPath(crypto, { keyPair: client.keyPair, sharedKeys }, [first, second, third]);
  const key = crypto.sharedKey(store.publicKey, client.keyPair.secretKey);
  if (path === undefined || key === undefined) throw new Error("no path");

  const announceRequest = (pingId: Uint8Array) => {
    const publicKey = client.keyPair.publicKey;
    const [plain, packet] = [new Uint8Array(512), new Uint8Array(512)];
    const body = { pingId, searchedKey: publicKey, dataPublicKey: publicKey, sendbackData: new Uint8Array(8) };
    const length = encodeAnnounceRequestBody(plain, { ...body, groupAnnounce: NOTHING });
    const nonce = crypto.nonce();
    const box = crypto.seal(plain.slice(0, length), nonce, key);
    return packet.slice(0, encodeAnnounceRequest(packet, { group: false, nonce, publicKey, box }));
  };
  const outwards = (payload: Uint8Array) => {
    const request0 = buildOnionRequest(crypto, path, store.endpoint, payload);
    const request1 = first.answer(request0, client.endpoint);
    const request2 = second.answer(request1, first.endpoint);
    return { request0, request1, request2, delivered: third.answer(request2, second.endpoint) };
  };

  const search = announceRequest(new Uint8Array(32));
  const out = outwards(search);
  const response3 = store.answer(out.delivered, third.endpoint);
  const response2 = third.answer(response3, store.endpoint);
  const response1 = second.answer(response2, third.endpoint);
  const response = decodeAnnounceResponse(first.answer(response1, second.endpoint), ignoreDrop);
  const opened = response && crypto.open(response.box, response.nonce, key);
  const found = opened && decodeAnnounceResponseBody(opened, false, ignoreDrop);
  if (found === undefined) throw new Error("The announce node's response cannot be read.");

  const announcing = outwards(announceRequest(found.pingIdOrDataKey)).delivered;
  store.handle(announcing, third.endpoint);
  const data = new Uint8Array(512);
  const dataLength = encodeOnionDataRequest(data, {
    destination: client.keyPair.publicKey,
    nonce: crypto.nonce(),
    temporaryKey: crypto.keyPair().publicKey,
    box: randomBytes(random, 200),
  });
  const dataRequest = outwards(data.slice(0, dataLength)).delivered;

  return {
    "client: wrap a search for three hops": () => buildOnionRequest(crypto, path, store.endpoint, search),
    "client: keys for a new path": () =>
      makeOnionPath(crypto, { keyPair: client.keyPair, sharedKeys }, [first, second, third]),
    "first hop, outwards": () => first.handle(out.request0, client.endpoint),
    "second hop, outwards": () => second.handle(out.request1, first.endpoint),
    "third hop, outwards": () => third.handle(out.request2, second.endpoint),
    "announce node: answer a search": () => store.handle(out.delivered, third.endpoint),
    "announce node: store an announcement": () => store.handle(announcing, third.endpoint),
    "announce node: pass data on": () => store.handle(dataRequest, third.endpoint),
    "third hop, back": () => third.handle(response3, store.endpoint),
    "second hop, back": () => second.handle(response2, third.endpoint),
    "first hop, back": () => first.handle(response1, second.endpoint),
  };
}
