import assert from "node:assert/strict";
import { Crypto } from "../../../../src/crypto/crypto.ts";
import type { KeyPair } from "../../../../src/crypto/keys.ts";
import type { DatagramSocket, Endpoint } from "../../../../src/env/datagram.ts";
import { sodiumProvider } from "../../../../src/node/sodium_provider.ts";
import { decodeDataSearchResponse } from "../../../../src/wire/dht/data_search.ts";
import { decodeDhtPacket } from "../../../../src/wire/dht/dht_packet.ts";
import { decodeForwarding, MAX_FORWARD_CHAIN_LENGTH } from "../../../../src/wire/dht/forwarding.ts";
import { ignoreDrop } from "../../../../src/wire/drop.ts";
import { PacketId } from "../../../../src/wire/packet_ids.ts";
import { Forge } from "../../../support/forge.ts";
import type { PublicNode } from "../../../support/people.ts";
import { keyOf, RelayGuest } from "../../../support/relay_guest.ts";
import type { Stage } from "../stage.ts";

export const tells =
  "A question reaches a node over up to four others, from UDP and from a relay, and its answer comes back";

/** Where no answer came, another chain is tried. */
const AGAIN_MS = 2_000;

export async function play(stage: Stage): Promise<void> {
  const nodes = await stage.relays(MAX_FORWARD_CHAIN_LENGTH + 2);
  await stage.until("all nodes to be in the network", () => nodes.every(({ node }) => node.nodeCount > 2));

  const host = stage.universe.host("asker");
  const socket = await stage.universe.wait(host.bind({ family: 4, port: 33445 }));
  const crypto = new Crypto(sodiumProvider, host.edges.random);
  const replies: Uint8Array[] = [];
  socket.onDatagram = (bytes) => {
    const forwarding = bytes[0] === PacketId.Forwarding ? decodeForwarding(bytes, ignoreDrop) : undefined;
    if (forwarding?.sendback.length === 0) replies.push(forwarding.data.slice());
  };
  const overUdp: Way = { crypto, replies, send: (to, packet) => sendTo(socket, to, packet) };
  for (let length = 1; length <= MAX_FORWARD_CHAIN_LENGTH; length++) await asks(stage, nodes, length, overUdp);

  const guest = new RelayGuest(stage, "guest of a relay", nodes[0] as PublicNode);
  await stage.until("the relay to take its guest", () => guest.notices.at(-1) === "ready");
  const overRelay: Way = {
    crypto: guest.crypto,
    replies: guest.forwarded,
    send: (to, packet) => void guest.relay.sendForwardRequest(to, packet),
  };
  for (let length = 0; length <= MAX_FORWARD_CHAIN_LENGTH; length++) await asks(stage, nodes, length, overRelay);
  assert.ok((nodes[0]?.host.edges.metrics.get("dht.forwardReply.passedOn") ?? 0) > 0);
  assert.ok(nodes.every((one) => one.host.edges.metrics.get("drop.forwardReply.forged") === 0));
  guest.close();
}

/** How the asker sends, and what comes back to him. */
interface Way {
  readonly crypto: Crypto;
  readonly replies: Uint8Array[]; // bounded by the test
  send(to: Endpoint, packet: Uint8Array): void;
}

/** Asks over so many nodes, others each time, until somebody answers. */
async function asks(stage: Stage, nodes: readonly PublicNode[], length: number, way: Way): Promise<void> {
  const questions: Question[] = [];
  let askedAt = Number.NEGATIVE_INFINITY;
  await stage.until(`an answer over ${length} nodes`, () => {
    if (stage.universe.now >= askedAt + AGAIN_MS) {
      askedAt = stage.universe.now;
      const chain = drawn(stage, nodes).slice(0, length + 1);
      const question = questionOver(way.crypto, chain);
      questions.push(question);
      way.send(endpointOf(chain[0]), question.packet);
    }
    return way.replies.splice(0).some((reply) => questions.some((question) => isAnswer(question, reply)));
  });
}

interface Question {
  readonly crypto: Crypto;
  readonly asker: KeyPair;
  readonly packet: Uint8Array;
  /** By whom it is to be answered. */
  readonly node: PublicNode;
}

/** Asks the last of the nodes, over those before it, what it stores under a key; the first is where it is sent to. */
function questionOver(crypto: Crypto, chain: readonly PublicNode[]): Question {
  const node = chain.at(-1) as PublicNode;
  const asker = crypto.keyPair();
  const dht = keyOf(node.at.publicKey);
  const forge = new Forge(crypto, { dht, self: dht });
  const packet = chain
    .slice(1)
    .reduceRight((inner, { at }) => forge.forwardRequest(keyOf(at.publicKey), inner), forge.dataSearchRequest(asker));
  return { crypto, asker, packet, node };
}

function drawn(stage: Stage, nodes: readonly PublicNode[]): PublicNode[] {
  const places = new Map(nodes.map((node) => [node, stage.universe.random.next()]));
  return nodes.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
}

function isAnswer({ crypto, asker, node }: Question, reply: Uint8Array): boolean {
  const packet = decodeDhtPacket(reply, ignoreDrop);
  if (packet?.id !== PacketId.DataSearchResponse) return false;
  const shared = crypto.sharedKey(packet.sender, asker.secretKey);
  const plain = shared && crypto.open(packet.box, packet.nonce, shared);
  if (plain === undefined) return false; // to another question
  assert.deepEqual(packet.sender, keyOf(node.at.publicKey));
  const answer = decodeDataSearchResponse(plain, ignoreDrop);
  assert.deepEqual(answer?.dataPublicKey, asker.publicKey);
  return true;
}

function sendTo(socket: DatagramSocket, to: Endpoint, packet: Uint8Array): void {
  const buffer = socket.acquire();
  buffer.set(packet);
  socket.send(buffer, packet.length, to);
}

function endpointOf(one: PublicNode | undefined): Endpoint {
  if (one === undefined) throw new Error("There is no such node.");
  return one.host.endpoint(one.node.udpPort);
}
