import { concatBytes } from "../../src/util/bytes.ts";
import { Program, program, repeated, step } from "../support/program.ts";
import { RelayLab } from "../support/relay_lab.ts";
import { unhurried } from "../support/unhurried.ts";

/** A TCP relay under a program of those who connect to it. */
export async function fuzz(data: Uint8Array): Promise<void> {
  await unhurried(() => run(new Program(data)));
}

const WAITS = [1, 5, 20, 300, 9_000, 11_000, 31_000, 45_000];
const ADDRESSES = [
  [10, 0, 1, 1],
  [10, 0, 1, 2],
  [203, 0, 113, 1],
  [127, 0, 0, 1],
];
/** First bytes of packets: those of clients, of relays, and of nobody. */
const IDS = [0, 2, 3, 4, 5, 6, 8, 10, 1, 7, 9, 11, 12, 15];

const Do = {
  Wait: 0,
  Join: 1,
  Ask: 2,
  Data: 3,
  Oob: 4,
  Packet: 5,
  Raw: 6,
  Garbage: 7,
  Leave: 8,
  Read: 9,
  Crowd: 10,
} as const;

const ACTIONS: ReadonlyArray<(lab: RelayLab, code: Program) => void | Promise<void>> = [
  (lab, code) => lab.pass(code.pick(WAITS)),
  (lab, code) => lab.join(code.pick(ADDRESSES), keysOf(lab, code)),
  (lab, code) => say(lab, code, () => concatBytes(Uint8Array.of(0), keysOf(lab, code).publicKey)),
  data,
  (lab, code) =>
    say(lab, code, (own) => concatBytes(Uint8Array.of(6), keysOf(lab, code).publicKey, own, code.bytes(code.byte()))),
  (lab, code) => say(lab, code, () => concatBytes(Uint8Array.of(code.pick(IDS)), code.bytes(code.byte()))),
  (lab, code) => {
    code.recent(lab.rogues)?.stream.sendRaw(code.bytes(code.byte()));
  },
  async (lab, code) => {
    const socket = await lab.world.connect(code.pick(ADDRESSES));
    socket.write(code.bytes(code.byte()));
  },
  (lab, code) => code.recent(lab.rogues)?.stream.close(),
  (lab, code) => {
    const stream = code.recent(lab.rogues)?.stream;
    if (code.flag()) stream?.pause();
    else stream?.resume();
  },
  crowd,
];

async function run(code: Program): Promise<number> {
  const lab = new RelayLab();
  await lab.start();
  for (let next = code.step(ACTIONS.length); next !== undefined; next = code.step(ACTIONS.length)) {
    await ACTIONS[next]?.(lab, code);
  }
  await lab.close();
  return lab.slowest;
}

function keysOf(lab: RelayLab, code: Program) {
  const choice = code.byte();
  return choice === 0xff ? lab.world.relayKeys : (lab.keys[choice % lab.keys.length] ?? lab.world.relayKeys);
}

function say(lab: RelayLab, code: Program, make: (own: Uint8Array) => Uint8Array): void {
  const rogue = code.recent(lab.rogues);
  if (rogue !== undefined) lab.say(rogue, code.damaged(make(rogue.key)));
}

/** Many data packets, on an id that may be allocated. */
function data(lab: RelayLab, code: Program): void {
  const rogue = code.recent(lab.rogues);
  const id = 16 + (code.byte() & 7);
  const count = 1 + (code.byte() & 31);
  const rest = new Uint8Array(8 * code.byte());
  if (rogue === undefined) return;
  for (let i = 0; i < count; i++) lab.say(rogue, concatBytes(Uint8Array.of(id), rogue.key, rest).slice(0, 2030));
}

/** Connections from one address, which may shake hands. */
async function crowd(lab: RelayLab, code: Program): Promise<void> {
  const address = code.pick(ADDRESSES);
  const count = code.byte() & 63;
  const shakesHands = code.flag();
  for (let i = 0; i < count; i++) {
    if (shakesHands) await lab.join(address, lab.world.crypto.keyPair());
    else await lab.world.connect(address);
  }
}

/** What honest clients do, for the mutations to start from. */
export function* corpus(): Iterable<Uint8Array> {
  const wait = (index: number) => step(Do.Wait, index);
  const join = (who: number, where = who) => step(Do.Join, where, who);
  const ask = (from: number, whom: number) => step(Do.Ask, from, whom, 0);
  const ping = (from: number) => step(Do.Packet, from, 3, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0);
  const linked = [join(1), join(2), ping(0), ping(1), ask(1, 2), ask(0, 1), wait(1)];
  yield program(linked, step(Do.Data, 1, 0, 3, 9), step(Do.Data, 0, 0, 1, 200), wait(2), step(Do.Leave, 0), wait(1));
  yield program(linked, step(Do.Oob, 1, 2, 3, 1, 2, 3, 0), step(Do.Oob, 0, 1, 0, 0), wait(1));
  yield program(linked, step(Do.Packet, 0, 2, 1, 16, 0), wait(1), ask(0, 1), wait(1), step(Do.Data, 1, 0, 1, 1));
  yield program(linked, join(1, 3), ping(0), ask(0, 2), wait(1), step(Do.Data, 0, 0, 1, 1), wait(6), wait(7));
  yield program(
    linked,
    step(Do.Read, 0, 1),
    repeated(8, () => step(Do.Data, 1, 0, 31, 250)),
    wait(3),
    step(Do.Read, 0, 0),
    wait(3),
  );
  yield program(
    join(1),
    ping(0),
    repeated(12, (i) => step(Do.Packet, 0, i, 40, ...new Uint8Array(40).fill(i), 0)),
    wait(5),
  );
  yield program(
    step(Do.Garbage, 0, 200, ...new Uint8Array(200).fill(7)),
    join(2),
    step(Do.Raw, 0, 4, 0, 20, 1, 2),
    wait(6),
  );
  yield program(step(Do.Crowd, 0, 40, 1), step(Do.Crowd, 1, 40, 0), wait(5), step(Do.Crowd, 0, 20, 1), linked, wait(6));
  yield program(
    join(1),
    ping(0),
    repeated(20, (i) => ask(0, i)),
    step(Do.Join, 2, 0xff),
    ping(0),
    ask(0, 0xff),
    ask(0, 1),
  );
}
