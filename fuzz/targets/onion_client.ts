import type { KeyPair } from "../../src/crypto/keys.ts";
import type { Endpoint } from "../../src/env/datagram.ts";
import { concatBytes } from "../../src/util/bytes.ts";
import type { IsStored } from "../../src/wire/onion/announce_response.ts";
import { encodeDhtPublicKeyPacket, encodeSealedDhtPublicKey } from "../../src/wire/onion/dht_public_key.ts";
import { OnionDataId } from "../../src/wire/onion/onion_data.ts";
import type { PackedNode } from "../../src/wire/packed_node.ts";
import { OnionClientLab, type Sought } from "../support/onion_client_lab.ts";
import { Program, program, repeated, step } from "../support/program.ts";
import { unhurried } from "../support/unhurried.ts";
import { at } from "../support/wire.ts";

/** An onion client under a program of announce nodes, friends and strangers, who answer, lie, fall silent and write. */
export async function fuzz(data: Uint8Array): Promise<void> {
  await unhurried(() => run(new Program(data)));
}

const WAITS = [1, 20, 100, 300, 1_000, 3_000, 15_000, 60_000, 310_000, 610_000];
const ELSEWHERE: readonly Endpoint[] = [at("203.0.0.1"), at("203.0.1.1"), at("192.0.2.9"), at("10.0.0.18")];

const Do = {
  Network: 0,
  Wait: 1,
  Add: 2,
  Remove: 3,
  AnswerAll: 4,
  Answer: 5,
  Online: 6,
  Ask: 7,
  Data: 8,
  DhtRequest: 9,
  Replay: 10,
  Raw: 11,
  Live: 12,
} as const;

const ACTIONS: ReadonlyArray<(lab: OnionClientLab, code: Program) => void> = [
  (lab, code) => {
    const [first, count] = [code.byte() % lab.nodes.length, code.byte() % (lab.nodes.length + 1)];
    lab.dht.become(lab.nodes.slice(first, first + count).map(({ node }) => node));
  },
  (lab, code) => lab.wire.pass(code.pick(WAITS)),
  (lab, code) => lab.add(code.pick(lab.sought)),
  (lab, code) => {
    const sought = code.pick(lab.sought);
    sought.finder?.remove();
    sought.finder = undefined;
  },
  (lab, code) => lab.answerAll(present(lab, code), code.byte() % 5),
  answer,
  (lab, code) => {
    const { finder, dht } = code.pick(lab.sought);
    if (code.flag()) finder?.setDhtPublicKey(dht.publicKey);
    finder?.setOnline(code.flag());
  },
  (lab, code) => void code.pick(lab.sought).finder?.sendFriendRequest(code.bytes(4 + code.byte())),
  writeData,
  sendDhtRequest,
  (lab, code) => {
    const earlier = code.recent(lab.received);
    if (earlier !== undefined)
      lab.receive(code.damaged(earlier.bytes), code.flag() ? code.pick(ELSEWHERE) : earlier.from);
  },
  (lab, code) => {
    const id = code.flag() ? 0x84 : 0x86;
    lab.receive(concatBytes(Uint8Array.of(id), code.bytes(2 * code.byte())), code.pick(ELSEWHERE));
  },
  (lab, code) => {
    const people = present(lab, code);
    for (let i = code.byte() & 31; i >= 0; i--) {
      lab.answerAll(people);
      lab.wire.pass(50);
    }
  },
];

function run(code: Program): number {
  const lab = new OnionClientLab();
  for (let next = code.step(ACTIONS.length); next !== undefined; next = code.step(ACTIONS.length)) {
    ACTIONS[next]?.(lab, code);
  }
  lab.close(code.isThorough);
  return lab.wire.slowest;
}

/** Those who are announced, one a bit. */
function present(lab: OnionClientLab, code: Program): Sought[] {
  const bits = code.byte();
  return lab.sought.filter((_, i) => (bits >> i) & 1);
}

function someNodes(lab: OnionClientLab, code: Program): PackedNode[] {
  return Array.from({ length: code.byte() % 5 }, () => {
    const choice = code.byte();
    const { node } = lab.nodes[choice % lab.nodes.length] as { node: PackedNode };
    return choice < 0xc0 ? node : { ...node, endpoint: code.pick(ELSEWHERE) };
  });
}

/** One request is answered, truly or not. */
function answer(lab: OnionClientLab, code: Program): void {
  const asked = lab.asked(code.byte());
  const isStored = (code.byte() % 3) as IsStored;
  const pingIdOrDataKey = code.flag() ? code.pick(lab.sought).dataKeys.publicKey : new Uint8Array(32).fill(code.byte());
  const nodes = someNodes(lab, code);
  const isElsewhere = code.byte() >= 0xc0;
  if (asked === undefined) return;
  const from = isElsewhere ? code.pick(ELSEWHERE) : asked.firstHop;
  const body = { isStored, pingIdOrDataKey, nodes, groupAnnounces: new Uint8Array(0) };
  lab.answer(asked, body, from, (bytes) => code.damaged(bytes));
}

/** A DHT key that somebody names as his. */
function dhtKeyPayload(lab: OnionClientLab, code: Program, sender: KeyPair, dht: KeyPair): Uint8Array {
  const noReplay = BigInt(code.byte()) << BigInt(8 * (code.byte() & 7));
  const payload = new Uint8Array(512);
  const nodes = someNodes(lab, code);
  const length = encodeDhtPublicKeyPacket(payload, { noReplay, dhtPublicKey: dht.publicKey, nodes });
  const whole = payload.slice(0, length);
  const said = code.damaged(whole);
  // what is damaged may still name a key, and then it is this that he has said
  lab.vouch(sender.publicKey, said.slice(9, 41));
  return said;
}

function senderOf(lab: OnionClientLab, code: Program): { readonly keys: KeyPair; readonly dht: KeyPair } {
  const choice = code.byte();
  if (choice >= 0xc0) return { keys: lab.nodes[0]?.keys as KeyPair, dht: lab.nodes[1]?.keys as KeyPair };
  const sought = lab.sought[choice % lab.sought.length] as Sought;
  if (choice & 0x40) sought.dht = lab.crypto.keyPair();
  return sought;
}

/** Somebody writes through the onion, to the data key that the client announces. */
function writeData(lab: OnionClientLab, code: Program): void {
  const { keys, dht } = senderOf(lab, code);
  const isRequest = code.flag();
  const payload = isRequest
    ? code.damaged(concatBytes(Uint8Array.of(OnionDataId.FriendRequest), code.bytes(code.byte())))
    : dhtKeyPayload(lab, code, keys, dht);
  if (isRequest) lab.vouch(keys.publicKey, payload);
  if (lab.dataKey === undefined) return;
  lab.receive(code.damaged(lab.forge.onionDataResponse(lab.dataKey, payload, keys)), code.pick(ELSEWHERE));
}

/** Somebody tells his DHT key as a DHT request. */
function sendDhtRequest(lab: OnionClientLab, code: Program): void {
  const { keys, dht } = senderOf(lab, code);
  const payload = dhtKeyPayload(lab, code, keys, dht);
  const nonce = lab.crypto.nonce();
  const box = lab.crypto.seal(payload, nonce, lab.forge.shared(keys, lab.self.publicKey));
  const sealed = new Uint8Array(56 + box.length);
  encodeSealedDhtPublicKey(sealed, { sender: keys.publicKey, nonce, box });
  const requester = code.flag() ? keys : dht;
  lab.dht.handlers.get(OnionDataId.DhtPublicKey)?.(requester.publicKey, code.damaged(sealed));
}

/** What honest networks and friends do, for the mutations to start from. */
export function* corpus(): Iterable<Uint8Array> {
  const wait = (index: number) => step(Do.Wait, index);
  const begin = [step(Do.Network, 0, 20), wait(1)];
  const live = (people: number, rounds: number) => step(Do.Live, people, rounds);
  const tell = (who: number, time: number) => step(Do.Data, who, 0, time, 2, 2, 1, 2, 0, 0, 0);
  yield program(begin, live(0, 31), wait(6), live(0, 20), wait(8), live(0, 10));
  yield program(
    begin,
    step(Do.Add, 1),
    live(2, 20),
    tell(1, 5),
    wait(2),
    step(Do.Online, 1, 1, 1),
    wait(7),
    tell(1, 6),
  );
  yield program(
    begin,
    live(0, 20),
    repeated(4, (i) => step(Do.Add, i)),
    live(15, 31),
    wait(5),
    live(15, 9),
    step(Do.Remove, 2),
  );
  yield program(
    step(Do.Network, 3, 2),
    step(Do.Add, 0),
    live(1, 31),
    step(Do.Ask, 0, 6, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    wait(6),
  );
  yield program(begin, step(Do.Add, 0), wait(9), live(1, 9), step(Do.Network, 0, 0), wait(7), begin, live(1, 31));
  yield program(
    begin,
    step(Do.Add, 2),
    repeated(9, (i) => step(Do.Answer, i, i % 3, i & 1, 2, 2, i, i + 5, 0, 0, 0)),
    wait(5),
  );
  yield program(
    begin,
    live(0, 20),
    step(Do.Data, 200, 1, 5, 1, 2, 3, 4, 5, 0, 0, 0),
    step(Do.DhtRequest, 1, 9, 0, 1, 4, 0, 0, 0),
  );
  yield program(
    begin,
    live(0, 9),
    step(Do.Add, 3),
    step(Do.DhtRequest, 0x43, 9, 1, 0, 0, 0, 0),
    repeated(5, (i) => step(Do.Replay, i, 0, i & 1, i)),
  );
  yield program(
    begin,
    step(Do.Raw, 0, 40, ...new Uint8Array(80), 0),
    step(Do.Add, 0),
    wait(8),
    live(1, 20),
    wait(9),
    live(1, 31),
  );
}
