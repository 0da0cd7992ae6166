import type { KeyPair, PublicKey } from "../../src/crypto/keys.ts";
import type { Endpoint } from "../../src/env/datagram.ts";
import { concatBytes, fromHex } from "../../src/util/bytes.ts";
import type { OnionLayer } from "../../src/wire/onion/onion_request.ts";
import type { SendbackDepth } from "../../src/wire/onion/sizes.ts";
import { InstanceLab } from "../support/instance_lab.ts";
import { Program, program, repeated, step } from "../support/program.ts";
import { unhurried } from "../support/unhurried.ts";
import { at } from "../support/wire.ts";

/** A whole instance, in the middle of a conversation, under a program of strangers and of a friend who keeps no rule. */
export async function fuzz(data: Uint8Array): Promise<void> {
  await unhurried(() => run(new Program(data)));
}

const WAITS = [1, 5, 30, 250, 1_000, 8_000, 40_000, 130_000];
const STRANGERS: readonly Endpoint[] = ["192.0.2.1", "192.0.2.2", "203.0.115.1", "10.0.0.5"].map((address) =>
  at(address),
);
/** Addresses of people who are there, besides. */
const PLACES: readonly Endpoint[] = [
  ...["203.0.113.1", "203.0.113.9", "203.0.114.1", "198.51.100.1", "127.0.0.1"].map((address) => at(address)),
  ...STRANGERS,
];
const NAMED: readonly Endpoint[] = ["203.0.120.1", "203.0.121.1", "10.0.0.77", "203.0.113.1"].map((address) =>
  at(address),
);

const Do = {
  Stranger: 0,
  Replay: 1,
  Raw: 2,
  Wait: 3,
  Talk: 4,
  Connect: 5,
  Say: 6,
  Inner: 7,
  Tell: 8,
  Leave: 9,
  App: 10,
} as const;

type Action = (lab: InstanceLab, code: Program) => void | Promise<void>;

const ACTIONS: readonly Action[] = [
  (lab, code) => lab.inject(code.damaged(strange(lab, code)), code.pick(STRANGERS), true),
  (lab, code) => {
    const earlier = code.recent(lab.seen);
    if (earlier !== undefined)
      lab.inject(code.damaged(earlier.bytes), code.flag() ? code.pick(PLACES) : earlier.from, false);
  },
  (lab, code) => lab.inject(concatBytes(Uint8Array.of(code.byte()), code.bytes(code.byte())), code.pick(PLACES), false),
  (lab, code) => lab.pass(code.pick(WAITS)),
  (lab, code) => {
    for (let count = code.byte() & 15; count >= 0; count--) {
      if (code.flag()) lab.alice.say(lab.bob);
      else lab.bob.say(lab.alice);
    }
  },
  (lab, code) => {
    if (code.flag()) lab.mallory.changeDhtKey();
    lab.mallory.connect();
  },
  (lab, code) => lab.mallory.lossless(code.byte() & 191, code.damaged(code.bytes(code.byte()))),
  (lab, code) => {
    const [bufferStart, number] = [lab.mallory.received + code.byte() - 8, lab.mallory.number + code.byte() - 8];
    lab.mallory.inner(code.bytes(1 + code.byte()), {
      bufferStart: bufferStart >>> 0,
      number: number >>> 0,
      skip: code.u16(),
    });
  },
  (lab, code) => {
    const nodes = Array.from({ length: code.byte() & 3 }, () => ({
      publicKey: keyOf(lab, code),
      endpoint: code.pick(NAMED),
    }));
    lab.mallory.announceDhtKey(BigInt(code.byte()), nodes);
  },
  (lab, code) => (code.flag() ? lab.mallory.kill() : lab.mallory.goOnline()),
  async (lab, code) => {
    const friend = lab.malloryAsFriend;
    if (code.flag()) friend?.remove();
    else if (friend === undefined) await lab.alice.tox.addFriendWithoutRequest(hex(lab.mallory.self.publicKey));
    else friend.send("to somebody who may be there");
  },
];

async function run(code: Program): Promise<number> {
  const lab = await InstanceLab.start();
  lab.wire.slowest = 0;
  for (let next = code.step(ACTIONS.length); next !== undefined; next = code.step(ACTIONS.length)) {
    await ACTIONS[next]?.(lab, code);
  }
  await lab.close();
  return lab.wire.slowest;
}

const hex = (key: Uint8Array): string => Buffer.from(key).toString("hex");

function keyOf(lab: InstanceLab, code: Program): PublicKey {
  const { alice, bob, carol } = lab;
  const names = [
    alice.tox.publicKey,
    alice.tox.dhtPublicKey,
    bob.tox.publicKey,
    bob.tox.dhtPublicKey,
    carol.tox.dhtPublicKey,
  ];
  return fromHex(code.pick(names)) as Uint8Array as PublicKey;
}

/** A well-formed packet of any kind, under whatever keys. */
function strange(lab: InstanceLab, code: Program): Uint8Array {
  const { forge } = lab;
  const kind = code.byte() % 16;
  const keys: KeyPair = code.flag() ? lab.mallory.dht : forge.keys();
  const key = keyOf(lab, code);
  const nodes = [{ publicKey: key, endpoint: code.pick(NAMED) }];
  const bytes = code.bytes(code.byte());
  switch (kind) {
    case 0:
      return forge.pingRequest(keys);
    case 1:
      return forge.pingResponse(keys);
    case 2:
      return forge.nodesRequest(keys, key);
    case 3:
      return forge.nodesResponse(keys, nodes);
    case 4:
      return forge.cookieRequest(keys, key);
    case 5:
      return forge.dhtRequest(bytes[0] ?? 254, bytes, keys, code.flag() ? forge.target.dht : key);
    case 6:
      return forge.onionRequest((code.byte() % 3) as OnionLayer, code.pick(NAMED), bytes, keys);
    case 7:
      return forge.onionResponse((1 + (code.byte() % 3)) as SendbackDepth, bytes);
    case 8:
      return forge.announceRequest(keys, { searched: key, group: code.flag() });
    case 9:
      return forge.onionDataRequest(key, bytes);
    case 10:
      return forge.onionDataResponse(key, bytes, keys);
    case 11:
      return forge.forwardRequest(key, bytes);
    case 12:
      return forge.forwarding(code.bytes(40), forge.dataSearchRequest(keys, key));
    case 13:
      return forge.dataRetrieveRequest(keys);
    case 14:
      return forge.storeAnnounceRequest(keys, new Uint8Array(32), bytes);
    default:
      return forge.dhtPacket(code.byte(), bytes, keys);
  }
}

/** A conversation, and what goes on around it, for the mutations to start from. */
export function* corpus(): Iterable<Uint8Array> {
  const wait = (index: number) => step(Do.Wait, index);
  const talk = step(Do.Talk, 3, 0, 1, 0, 1);
  const stranger = (kind: number) => step(Do.Stranger, kind, 0, kind, kind, 3, 1, 2, 3, 0, 0, 0, kind);
  yield program(talk, wait(3), talk, wait(6), talk);
  yield program(repeated(16, stranger), wait(4), talk);
  yield program(
    talk,
    wait(2),
    repeated(8, (i) => step(Do.Replay, 9 * i, 0, i & 1, i)),
    wait(4),
    talk,
  );
  yield program(
    step(Do.Connect, 0),
    wait(2),
    step(Do.Leave, 0),
    wait(2),
    step(Do.Say, 64, 3, 65, 66, 67, 0),
    wait(3),
    talk,
  );
  yield program(
    step(Do.Tell, 2, 1, 0, 2, 1, 9),
    step(Do.Connect, 1),
    wait(3),
    step(Do.Inner, 8, 9, 3, 64, 65, 66, 67, 0, 1),
    wait(4),
  );
  yield program(
    step(Do.Connect, 0),
    wait(2),
    step(Do.App, 1),
    wait(4),
    step(Do.App, 0),
    step(Do.App, 0),
    wait(7),
    talk,
  );
  yield program(
    step(Do.Raw, 0x1b, 40, ...new Uint8Array(40), 0),
    step(Do.Raw, 0x1a, 9, ...new Uint8Array(9), 1),
    wait(1),
    talk,
  );
}
