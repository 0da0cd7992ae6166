import type { KeyPair, PublicKey } from "../../src/crypto/keys.ts";
import { decodeDataSearchResponse } from "../../src/wire/dht/data_search.ts";
import { decodeDhtPacket } from "../../src/wire/dht/dht_packet.ts";
import { decodeForwarding } from "../../src/wire/dht/forwarding.ts";
import { encodeNodesRequestPayload } from "../../src/wire/dht/nodes_request.ts";
import { encodeNodesResponsePayload } from "../../src/wire/dht/nodes_response.ts";
import { encodePingPayload } from "../../src/wire/dht/ping.ts";
import { ignoreDrop } from "../../src/wire/drop.ts";
import type { PackedNode } from "../../src/wire/packed_node.ts";
import { PacketId } from "../../src/wire/packet_ids.ts";
import { DhtLab, PLACES, type Question, withId } from "../support/dht_lab.ts";
import { Program, program, repeated, step } from "../support/program.ts";
import { unhurried } from "../support/unhurried.ts";
import { at } from "../support/wire.ts";

/** A DHT node under a program of its peers: requests, answers true and false, things to pass on, time, and its own app. */
export async function fuzz(data: Uint8Array): Promise<void> {
  await unhurried(() => run(new Program(data)));
}

const WAITS = [1, 50, 130, 400, 1_000, 5_000, 20_000, 61_000, 130_000, 200_000, 3_600_000];

const Do = {
  Ping: 0,
  AskNodes: 1,
  Answer: 2,
  AnswerAll: 3,
  Lie: 4,
  Request: 5,
  Forward: 6,
  Forwarding: 7,
  ForwardReply: 8,
  Store: 9,
  Replay: 10,
  Raw: 11,
  Wait: 12,
  App: 13,
  Crowd: 14,
} as const;

const ACTIONS: ReadonlyArray<(lab: DhtLab, code: Program) => void> = [
  (lab, code) => lab.receive(code.damaged(pinging(lab, code)), code.pick(PLACES)),
  (lab, code) => lab.receive(code.damaged(askingNodes(lab, code)), code.pick(PLACES)),
  answer,
  answerAll,
  lie,
  sendRequest,
  forward,
  (lab, code) => {
    const inner = innerPacket(lab, code);
    lab.receive(code.damaged(lab.forge.forwarding(code.bytes(code.byte()).slice(0, 254), inner)), code.pick(PLACES));
  },
  replyToForwarder,
  store,
  replay,
  (lab, code) => lab.receive(withId(code.byte(), code.bytes(code.byte())), code.pick(PLACES)),
  (lab, code) => lab.wire.pass(code.pick(WAITS)),
  app,
  crowd,
];

function run(code: Program): number {
  const lab = new DhtLab();
  for (let next = code.step(ACTIONS.length); next !== undefined; next = code.step(ACTIONS.length)) {
    ACTIONS[next]?.(lab, code);
  }
  lab.close(code.isThorough);
  return lab.wire.slowest;
}

function keysOf(lab: DhtLab, code: Program): KeyPair {
  const choice = code.byte();
  return choice >= 0xf0 ? lab.stranger() : (lab.peers[choice % lab.peers.length] as KeyPair);
}

/** A peer's key, that of the victim, or one that nobody can have. */
function keyOf(lab: DhtLab, code: Program): PublicKey {
  const choice = code.byte();
  if (choice === 0xff) return lab.dht.publicKey;
  if (choice === 0xfe) return new Uint8Array(32) as PublicKey;
  return (lab.peers[choice % lab.peers.length] as KeyPair).publicKey;
}

function nodesOf(lab: DhtLab, code: Program): PackedNode[] {
  return Array.from({ length: code.byte() % 5 }, () => ({ publicKey: keyOf(lab, code), endpoint: code.pick(PLACES) }));
}

function written(encode: (into: Uint8Array) => number): Uint8Array {
  const into = new Uint8Array(2048);
  return into.slice(0, encode(into));
}

function pinging(lab: DhtLab, code: Program): Uint8Array {
  const keys = keysOf(lab, code);
  const id = PacketId.PingRequest;
  const payload = written((into) => encodePingPayload(into, { id, sendback: BigInt(code.byte()) }));
  return lab.forge.dhtPacket(id, code.damaged(payload), keys);
}

function askingNodes(lab: DhtLab, code: Program): Uint8Array {
  const keys = keysOf(lab, code);
  const target = keyOf(lab, code);
  const payload = written((into) => encodeNodesRequestPayload(into, { target, sendback: 7n }));
  return lab.forge.dhtPacket(PacketId.NodesRequest, code.damaged(payload), keys);
}

/** One of the victim's questions is answered honestly. */
function answer(lab: DhtLab, code: Program): void {
  const sent = code.recent(lab.sent);
  const question = sent && lab.question(sent);
  const nodes = nodesOf(lab, code);
  if (question !== undefined) lab.answer(question, nodes);
}

/** Everybody who was asked lately answers, and names others. */
function answerAll(lab: DhtLab, code: Program): void {
  const rounds = 1 + (code.byte() & 3);
  const naming = code.byte() & 3;
  for (let round = 0; round < rounds; round++) {
    const questions = lab.sent.splice(0).flatMap((sent) => lab.question(sent) ?? []);
    for (const question of questions) {
      const nodes = Array.from({ length: naming }, () => newNode(lab, code));
      lab.answer(question, nodes.length > 0 ? nodes : [newNode(lab, code)]);
    }
    lab.wire.pass(20);
  }
}

/** Somebody new, mostly in a network of his own. */
function newNode(lab: DhtLab, code: Program): PackedNode {
  const keys = lab.stranger();
  const salt = code.byte();
  const place = lab.received.length * 4 + lab.sent.length;
  return { publicKey: keys.publicKey, endpoint: at(`100.${128 + (salt >> 1)}.${place & 0xff}.${1 + (salt & 3)}`) };
}

/** An answer that is none: of the wrong kind, from elsewhere, under another key, or with another number. */
function lie(lab: DhtLab, code: Program): void {
  const sent = code.recent(lab.sent);
  const question: Question | undefined = sent && lab.question(sent);
  const how = code.byte();
  const isPing = ((how & 1) === 1) !== (question?.kind === "ping");
  const sendback = how & 2 ? BigInt(code.byte()) : (question?.sendback ?? 0n);
  const keys = how & 4 || question === undefined ? keysOf(lab, code) : question.receiver;
  const from = how & 8 || question === undefined ? code.pick(PLACES) : question.endpoint;
  const nodes = nodesOf(lab, code);
  for (const node of nodes) lab.reside(node.publicKey, node.endpoint);
  const id = isPing ? PacketId.PingResponse : PacketId.NodesResponse;
  const payload = written((into) =>
    isPing
      ? encodePingPayload(into, { id: PacketId.PingResponse, sendback })
      : encodeNodesResponsePayload(into, { nodes, sendback }),
  );
  // whoever knows the number, the key and the address has not lied after all
  if (sendback === question?.sendback && keys === question.receiver) lab.prove(keys.publicKey, from);
  lab.receive(code.damaged(lab.forge.dhtPacket(id, code.damaged(payload), keys)), from);
}

const REQUEST_IDS = [254, 156, 32, 99];

function sendRequest(lab: DhtLab, code: Program): void {
  const keys = keysOf(lab, code);
  const receiver = code.flag() ? lab.dht.publicKey : keyOf(lab, code);
  const id = code.pick(REQUEST_IDS);
  const payload = id === 254 ? withId(code.byte() & 1, code.bytes(8)) : code.bytes(code.byte());
  if (receiver.every((byte) => byte === 0)) return;
  lab.receive(code.damaged(lab.forge.dhtRequest(id, code.damaged(payload), keys, receiver)), code.pick(PLACES));
}

/** What is forwarded: a request of any kind. */
function innerPacket(lab: DhtLab, code: Program): Uint8Array {
  switch (code.byte() & 7) {
    case 0:
      return pinging(lab, code);
    case 1:
      return lab.forge.forwardRequest(keyOf(lab, code), askingNodes(lab, code));
    case 2:
      return storing(lab, code);
    case 3:
      return code.bytes(code.byte());
    default:
      return lab.forge.dataSearchRequest(keysOf(lab, code), keyOf(lab, code));
  }
}

function forward(lab: DhtLab, code: Program): void {
  const next = keyOf(lab, code);
  lab.receive(code.damaged(lab.forge.forwardRequest(next, innerPacket(lab, code))), code.pick(PLACES));
}

/** With a sendback that the victim has given away, or with one that it has not. */
function replyToForwarder(lab: DhtLab, code: Program): void {
  const seen = lab.sent.flatMap(({ bytes }) => (bytes[0] === PacketId.Forwarding ? [bytes] : []));
  const forwarding = code.recent(seen);
  const sendback = (forwarding && decodeForwarding(forwarding, ignoreDrop)?.sendback) ?? code.bytes(60);
  const data = code.bytes(code.byte());
  if (sendback.length > 0) lab.receive(code.damaged(lab.forge.forwardReply(sendback, data)), code.pick(PLACES));
}

/** Search, retrieve or store, with the authenticator of the last search's answer, or one made up. */
function storing(lab: DhtLab, code: Program): Uint8Array {
  const keys = keysOf(lab, code);
  const dataKeys = code.flag() ? keys : keysOf(lab, code);
  const kind = code.byte() % 3;
  if (kind === 0) return lab.forge.dataSearchRequest(keys, dataKeys.publicKey);
  const auth = code.damaged(lastAuth(lab, keys) ?? new Uint8Array(32)).slice(0, 32);
  const whole = new Uint8Array(32);
  whole.set(auth);
  if (kind === 1) return lab.forge.dataRetrieveRequest(keys, whole, dataKeys.publicKey);
  return lab.forge.storeAnnounceRequest(keys, whole, code.bytes(2 * code.byte()), dataKeys);
}

function store(lab: DhtLab, code: Program): void {
  lab.receive(code.damaged(storing(lab, code)), code.pick(PLACES));
}

function lastAuth(lab: DhtLab, keys: KeyPair): Uint8Array | undefined {
  const answer = lab.sent.findLast(({ bytes }) => bytes[0] === PacketId.DataSearchResponse);
  const packet = answer && decodeDhtPacket(answer.bytes, ignoreDrop);
  const payload = packet && lab.crypto.open(packet.box, packet.nonce, lab.forge.shared(keys));
  return payload && decodeDataSearchResponse(payload, ignoreDrop)?.result?.auth;
}

function replay(lab: DhtLab, code: Program): void {
  const earlier = code.recent(lab.received);
  if (earlier === undefined) return;
  lab.receive(code.damaged(earlier.bytes), code.flag() ? code.pick(PLACES) : earlier.from);
}

const MAX_LOOKUPS = 4;

function app(lab: DhtLab, code: Program): void {
  const what = code.byte() % 6;
  const key = keyOf(lab, code);
  const endpoint = code.pick(PLACES);
  lab.reside(key, endpoint);
  lab.act(() => {
    if (what === 0 && lab.lookups.length < MAX_LOOKUPS) lab.lookUp(key);
    else if (what === 1) lab.lookups.splice(0, 1)[0]?.stop();
    else if (what === 2) lab.dht.considerNode({ publicKey: key, endpoint });
    else if (what === 3) lab.dht.doubt(key);
    else if (what === 4) lab.dht.sendDhtRequest(key, 254, new Uint8Array(9));
    else lab.dht.bootstrap(endpoint, key);
  });
}

/** Many strangers at once, each from elsewhere or all from one place. */
function crowd(lab: DhtLab, code: Program): void {
  const count = code.byte();
  const asksNodes = code.flag();
  const together = code.flag();
  for (let i = 0; i < count; i++) {
    const from = together ? at(`192.0.3.${i}`) : at(`198.19.${i}.1`);
    const keys = lab.stranger();
    lab.receive(asksNodes ? lab.forge.nodesRequest(keys, keys.publicKey) : lab.forge.pingRequest(keys), from);
  }
}

/** What honest peers do, for the mutations to start from. */
export function* corpus(): Iterable<Uint8Array> {
  const bootstrap = step(Do.App, 5, 0, 0);
  const search = (key: number) => step(Do.App, 0, key, 0);
  const wait = (index: number) => step(Do.Wait, index);
  yield program(step(Do.Ping, 0, 7, 0, 0, 0), step(Do.AskNodes, 1, 2, 0, 0, 1), wait(1), step(Do.AnswerAll, 2, 2));
  yield program(
    bootstrap,
    step(Do.AnswerAll, 3, 3),
    wait(3),
    step(Do.AnswerAll, 3, 2),
    wait(7),
    step(Do.AnswerAll, 0, 1),
  );
  yield program(bootstrap, step(Do.AnswerAll, 3, 3), search(3), step(Do.AnswerAll, 3, 3), wait(6), wait(9), wait(10));
  yield program(
    ...[search(1), step(Do.Ping, 1, 1, 0, 0, 1), step(Do.Answer, 0, 2, 1, 1, 2, 2), wait(1)],
    ...[step(Do.Answer, 0, 1, 1, 1), step(Do.Request, 1, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)],
  );
  const [askToStore, storeIt] = [step(Do.Store, 2, 1, 0, 0, 2), step(Do.Store, 2, 1, 2, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8)];
  yield program(askToStore, storeIt, wait(4), askToStore, step(Do.Store, 2, 1, 1, 0, 0, 2), wait(8), askToStore);
  yield program(
    ...[step(Do.Ping, 4, 7, 0, 0, 4), step(Do.Answer, 0, 0), step(Do.Forward, 4, 4, 1, 2, 0, 3)],
    ...[step(Do.ForwardReply, 0, 4, 1, 2, 3, 4), step(Do.Forwarding, 4, 9, 9, 9, 9, 4, 1, 2)],
  );
  yield program(
    step(Do.Crowd, 200, 0, 0),
    step(Do.AnswerAll, 3, 3),
    repeated(6, () => wait(4)),
    step(Do.Crowd, 90, 1, 1),
  );
  yield program(
    bootstrap,
    repeated(8, (i) => step(Do.Lie, 0, i * 2 + 1, i, i, 2, i, i, i + 1, i)),
    step(Do.Replay, 2, 0, 1, 3),
  );
  yield program(repeated(12, (i) => step(Do.Raw, i * 16, 20, ...new Uint8Array(20).fill(i), i)));
}
