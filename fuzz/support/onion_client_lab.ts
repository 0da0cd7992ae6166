import type { Crypto } from "../../src/crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../../src/crypto/keys.ts";
import type { Endpoint } from "../../src/env/datagram.ts";
import { OnionClient } from "../../src/onion/client/onion_client.ts";
import type { FinderFriend } from "../../src/onion/client/types.ts";
import { isAllZero, sameBytes, toHex } from "../../src/util/bytes.ts";
import { sameEndpoint } from "../../src/util/endpoint.ts";
import { ignoreDrop } from "../../src/wire/drop.ts";
import {
  type AnnounceRequestBody,
  decodeAnnounceRequest,
  decodeAnnounceRequestBody,
} from "../../src/wire/onion/announce_request.ts";
import {
  type AnnounceResponseBody,
  encodeAnnounceResponse,
  encodeAnnounceResponseBody,
} from "../../src/wire/onion/announce_response.ts";
import { decodeOnionRequest, decodeOnionRequestLayer } from "../../src/wire/onion/onion_request.ts";
import type { PackedNode } from "../../src/wire/packed_node.ts";
import { PacketId } from "../../src/wire/packet_ids.ts";
import { Forge } from "../../test/support/forge.ts";
import { expectThat } from "./broken.ts";
import { Census } from "./census.ts";
import { fuzzCrypto } from "./memoised_crypto.ts";
import { ScriptedDht } from "./scripted_dht.ts";
import { at, type Datagram, Machine, Wire } from "./wire.ts";

const NODES = 20;
const KEPT = 256;
/** What one packet may set off: answers to it, and what waits for its turn in the queue of searches. */
const MOST_IN_REACTION = 160;

const census = new Census({
  "#announcer.#targets.live": 12,
  "#announcer.#targets.candidates": 16,
  "#announcer.#targets.#failed": 32,
  "#selfPaths.#firstHops": 64,
  "#friendPaths.#firstHops": 64,
  "#requests.#pending.#slots": 256,
  "#friends.#entries.[].value.#search.#targets.live": 8,
  "#friends.#entries.[].value.#search.#targets.candidates": 16,
  "#friends.#entries.[].value.#search.#targets.#failed": 32,
  "#friends.#entries.[].value.#search.#toAsk": 24,
  "#queue.#waiting": 4,
  "#queue.#hurrying": 4,
});

/** An announce request, as the node at the end of its path reads it. */
export interface Asked {
  readonly node: KeyPair;
  readonly publicKey: PublicKey;
  readonly body: AnnounceRequestBody;
  /** Where answers to it come from. */
  readonly firstHop: Endpoint;
}

/** Somebody who is searched for. */
export interface Sought {
  readonly keys: KeyPair;
  readonly dataKeys: KeyPair;
  dht: KeyPair;
  finder: FinderFriend | undefined;
  reachable: number;
  /** Whether anybody has said that he keeps him. */
  isClaimed: boolean;
}

/** An onion client in a network all of whose nodes are in one hand, which can read everything that the nodes together can. */
export class OnionClientLab {
  readonly wire = new Wire();
  readonly machine = new Machine(this.wire, "onion client", [at("198.51.100.1")]);
  readonly crypto: Crypto = fuzzCrypto("onion nodes");
  readonly dht = new ScriptedDht(this.machine.crypto);
  readonly self: KeyPair = this.machine.crypto.keyPair();
  readonly client: OnionClient;
  readonly forge: Forge;
  readonly nodes: readonly { readonly keys: KeyPair; readonly node: PackedNode }[];
  readonly sought: readonly Sought[];
  /** What the client asked lately, and the data key that it announces. */
  readonly #requests: Datagram[] = [];
  readonly received: Datagram[] = [];
  dataKey: PublicKey | undefined;
  /** What was said under keys that prove it, in hex: sender and payload. */
  readonly #genuine = new Set<string>();
  #reaction = 0;
  #sent = 0;

  constructor() {
    const { clock, crypto, metrics, logger, network } = this.machine;
    this.nodes = Array.from({ length: NODES }, (_, i) => {
      const keys = this.crypto.keyPair();
      const endpoint = i < NODES - 2 ? at(`203.0.${i}.1`) : at(`10.0.0.${i}`);
      return { keys, node: { publicKey: keys.publicKey, endpoint } };
    });
    this.sought = Array.from({ length: 4 }, () => ({
      ...{ keys: this.crypto.keyPair(), dataKeys: this.crypto.keyPair(), dht: this.crypto.keyPair() },
      ...{ finder: undefined, reachable: 0, isClaimed: false },
    }));
    const { dht, self } = this;
    this.client = new OnionClient({ network, dht, clock, crypto, self, metrics, logger });
    this.client.onFriendRequest((sender, data) => {
      const said = this.#genuine.has(nameOf(sender, Uint8Array.of(32, ...data)));
      expectThat(said, "a friend request arrives that nobody sent");
    });
    this.forge = new Forge(this.crypto, { dht: dht.keyPair.publicKey, self: self.publicKey });
    this.wire.onSent = (sent) => this.#note(sent);
  }

  receive(bytes: Uint8Array, from: Endpoint): void {
    this.received.push({ bytes: bytes.slice(), from, to: this.machine.endpointFor(from) });
    if (this.received.length > KEPT) this.received.shift();
    this.#reaction = 0;
    this.machine.receive(bytes, from);
    expectThat(this.#reaction <= MOST_IN_REACTION, () => `${this.#reaction} datagrams follow on one ${bytes[0]}`);
  }

  /** The answer of the node that was asked; `damage` may spoil it before and after it is sealed. */
  answer(asked: Asked, body: AnnounceResponseBody, from = asked.firstHop, damage = (bytes: Uint8Array) => bytes): void {
    const sought = this.sought.find(({ keys }) => sameBytes(keys.publicKey, asked.body.searchedKey));
    if (sought !== undefined && body.isStored === 1) sought.isClaimed = true;
    const plain = new Uint8Array(512);
    const inside = damage(plain.slice(0, encodeAnnounceResponseBody(plain, body, false)));
    const nonce = this.crypto.nonce();
    const box = this.crypto.seal(inside, nonce, this.forge.shared(asked.node, asked.publicKey));
    const packet = new Uint8Array(1024);
    const { sendbackData } = asked.body;
    const length = encodeAnnounceResponse(packet, { group: false, sendbackData, nonce, box });
    this.receive(damage(packet.slice(0, length)), from);
  }

  /** One of the last requests, the nth from the end. */
  asked(back: number): Asked | undefined {
    const request = this.#requests.at(-1 - (back % Math.max(1, this.#requests.length)));
    return request && this.#read(request);
  }

  /** Every node that was asked answers as it should; `present` are the people who are announced. */
  answerAll(present: readonly Sought[], naming = 4): void {
    for (const request of this.#requests.splice(0)) {
      const asked = this.#read(request);
      if (asked === undefined) continue;
      const nodes = this.dht.closestNodes(asked.body.searchedKey, naming, false);
      const found = present.find(({ keys }) => sameBytes(keys.publicKey, asked.body.searchedKey));
      const isOwn = sameBytes(asked.publicKey, this.self.publicKey);
      const pingId = new Uint8Array(32).fill(1);
      const isStored = found !== undefined ? 1 : isOwn && sameBytes(asked.body.pingId, pingId) ? 2 : 0;
      const pingIdOrDataKey = found?.dataKeys.publicKey ?? pingId;
      this.answer(asked, { isStored, pingIdOrDataKey, nodes, groupAnnounces: new Uint8Array(0) });
    }
  }

  add(sought: Sought): void {
    if (sought.finder !== undefined) return;
    sought.finder = this.client.addFriend(sought.keys.publicKey, {
      onDhtPublicKey: (dhtPublicKey) => {
        const said = this.#genuine.has(nameOf(sought.keys.publicKey, dhtPublicKey));
        expectThat(said, "a friend is believed to have a DHT key that he never named");
      },
      onReachable: () => {
        expectThat(sought.isClaimed, "a friend is reachable whom nobody keeps");
        sought.reachable++;
      },
    });
  }

  /** Notes that this was really said by that person. */
  vouch(sender: PublicKey, what: Uint8Array): void {
    this.#genuine.add(nameOf(sender, what));
  }

  close(isThorough: boolean): void {
    if (isThorough) census.check(this.client);
    const seconds = this.wire.now / 1000;
    const bound = 1_000 + 60 * Math.min(seconds, 600) + 10 * seconds + MOST_IN_REACTION * 4 * this.received.length;
    expectThat(this.#sent <= bound, () => `${this.#sent} datagrams are sent in ${seconds} s`);
    this.#checkFinds();
    this.machine.checkSound();
    this.client.close();
    expectThat(this.dht.listeners === 0, "it listens after the end");
    this.machine.checkGone();
  }

  /** In an honest network it is announced, and finds a friend who is. */
  #checkFinds(): void {
    const friend = this.sought[0] as Sought;
    this.dht.become([]);
    this.wire.pass(1_000);
    this.#requests.length = 0;
    this.dht.become(this.nodes.map(({ node }) => node));
    friend.finder?.remove();
    friend.finder = undefined;
    this.add(friend);
    friend.reachable = 0;
    for (let i = 0; i < 600 && (friend.reachable === 0 || this.client.connection !== "udp"); i++) {
      this.answerAll([friend]);
      this.wire.pass(50);
    }
    expectThat(this.client.connection === "udp", "it is not announced in an honest network");
    expectThat(friend.reachable > 0, "it does not find a friend in an honest network");
  }

  #note({ bytes, from, to }: Datagram): void {
    this.#reaction++;
    this.#sent++;
    expectThat(bytes[0] === PacketId.OnionRequest0, () => `the client sends a ${bytes[0]}`);
    this.#requests.push({ bytes, from, to });
    if (this.#requests.length > KEPT) this.#requests.shift();
  }

  /** What the announce node at the end of the path reads. */
  #read({ bytes, to }: Datagram): Asked | undefined {
    const request = this.#peel(bytes, to);
    const announce = request && decodeAnnounceRequest(request.data, ignoreDrop);
    if (request === undefined || announce === undefined) return undefined;
    const opened = this.#open(request.to, announce.box, announce.nonce, announce.publicKey);
    const body = opened && decodeAnnounceRequestBody(opened.plain, ignoreDrop);
    if (opened === undefined || body === undefined) return undefined;
    const publicKey = announce.publicKey.slice() as PublicKey;
    this.#checkDiscreet(publicKey, body);
    return { node: opened.keys, publicKey, body, firstHop: to };
  }

  /** Whoever searches does not say who he is, and announces nobody by it. */
  #checkDiscreet(publicKey: PublicKey, body: AnnounceRequestBody): void {
    if (sameBytes(publicKey, this.self.publicKey)) {
      expectThat(sameBytes(body.searchedKey, publicKey), "it searches for others under its own key");
      this.dataKey = body.dataPublicKey.slice() as PublicKey;
      return;
    }
    expectThat(isAllZero(body.pingId), "a search carries a ping_id");
    expectThat(isAllZero(body.dataPublicKey), "a search carries a data key");
  }

  /** Takes the three layers off. */
  #peel(bytes: Uint8Array, firstHop: Endpoint): { readonly to: Endpoint; readonly data: Uint8Array } | undefined {
    const outer = decodeOnionRequest(bytes, ignoreDrop);
    if (outer === undefined) return undefined;
    let hop = firstHop;
    let publicKey = outer.publicKey as PublicKey;
    let box = outer.box;
    for (let layer = 0; ; layer++) {
      const opened = this.#open(hop, box, outer.nonce, publicKey);
      const inner = opened && decodeOnionRequestLayer(opened.plain, ignoreDrop);
      expectThat(inner !== undefined, () => `hop ${layer} cannot read what is for it`);
      if (layer === 2) return { to: inner.next, data: inner.data };
      hop = inner.next;
      publicKey = inner.data.subarray(0, 32) as PublicKey;
      box = inner.data.subarray(32);
    }
  }

  #open(place: Endpoint, box: Uint8Array, nonce: Uint8Array, publicKey: PublicKey) {
    const here = this.nodes.find(({ node }) => sameEndpoint(node.endpoint, place));
    const plain = here && this.crypto.open(box, nonce, this.forge.shared(here.keys, publicKey));
    return here && plain && { keys: here.keys, plain };
  }
}

function nameOf(sender: Uint8Array, what: Uint8Array): string {
  return `${toHex(sender)} ${toHex(what)}`;
}
