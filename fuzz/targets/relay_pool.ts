import { concatBytes } from "../../src/util/bytes.ts";
import { Program, program, repeated, step } from "../support/program.ts";
import { place, RelayPoolLab } from "../support/relay_pool_lab.ts";
import { unhurried } from "../support/unhurried.ts";

/** The pool of somebody whose relays say whatever they like, and whose friends name relays that are none. */
export async function fuzz(data: Uint8Array): Promise<void> {
  await unhurried(() => run(new Program(data)));
}

const WAITS = [1, 5, 100, 2_000, 10_000, 31_000, 61_000, 600_000];
const PLACES = [
  "127.0.0.1",
  "10.0.0.7",
  "192.168.1.1",
  "169.254.169.254",
  "0.0.0.0",
  "224.0.0.1",
  "::1",
  "fe80::1",
  "::",
];
const PORTS = [443, 3389, 22, 0, 65535];
const MOODS = ["serve", "hang-up", "garbage"] as const;

const Do = {
  Wait: 0,
  Reach: 1,
  Suggest: 2,
  Stop: 3,
  Direct: 4,
  Answer: 5,
  Notice: 6,
  Packet: 7,
  Oob: 8,
  Raw: 9,
  HangUp: 10,
  Mood: 11,
  Give: 12,
  Elsewhere: 13,
  Send: 14,
  StopInside: 15,
} as const;

const ACTIONS: ReadonlyArray<(lab: RelayPoolLab, code: Program) => void | Promise<void>> = [
  (lab, code) => lab.pass(code.pick(WAITS)),
  (lab, code) => lab.reach(code.pick(lab.peers)),
  (lab, code) => {
    const route = code.recent(lab.routes);
    const relay = code.pick(lab.relays);
    if (route !== undefined) lab.suggest(route, relay);
  },
  (lab, code) => code.recent(lab.routes)?.stop(),
  (lab, code) => {
    const route = code.recent(lab.routes)?.route;
    lab.named++;
    if (route !== undefined) route.direct = code.flag();
  },
  (lab, code) => {
    const id = code.byte() & 31;
    say(lab, code, concatBytes(Uint8Array.of(1, id), code.pick(lab.peers).publicKey));
  },
  notices,
  (lab, code) => say(lab, code, concatBytes(Uint8Array.of(code.byte() & 31), code.bytes(code.byte()))),
  (lab, code) => {
    const id = code.pick([0x18, 0x19, 0x1a, 0x1b, 0x20]);
    say(lab, code, concatBytes(Uint8Array.of(7), code.pick(lab.peers).publicKey, Uint8Array.of(id), code.bytes(9)));
  },
  (lab, code) => {
    code.recent(lab.streams)?.sendRaw(code.bytes(code.byte()));
  },
  (lab, code) => code.recent(lab.streams)?.close(),
  (lab, code) => {
    lab.mood = code.pick(MOODS);
  },
  (lab, code) => lab.give(code.pick(lab.relays)),
  (lab, code) => {
    const route = code.recent(lab.routes);
    const endpoint = place(code.pick(PLACES), code.pick(PORTS));
    if (route !== undefined)
      lab.suggest(route, code.flag() ? lab.world.deadRelayAt("203.0.9.9") : code.pick(lab.relays), endpoint);
  },
  (lab, code) => {
    const [path] = code.recent(lab.routes)?.paths ?? [];
    const packet = concatBytes(Uint8Array.of(0x18 + (code.byte() & 3)), code.bytes(code.byte()));
    path?.send(packet);
  },
  (lab, code) => {
    const route = code.recent(lab.routes);
    if (route !== undefined) route.stopsNext = true;
  },
];

async function run(code: Program): Promise<number> {
  const lab = new RelayPoolLab();
  await lab.start();
  for (let next = code.step(ACTIONS.length); next !== undefined; next = code.step(ACTIONS.length)) {
    await ACTIONS[next]?.(lab, code);
  }
  await lab.close(code.isThorough);
  return lab.slowest;
}

function say(lab: RelayPoolLab, code: Program, packet: Uint8Array): void {
  code.recent(lab.streams)?.send(code.damaged(packet));
}

/** A peer comes and goes and comes. */
function notices(lab: RelayPoolLab, code: Program): void {
  const stream = code.recent(lab.streams);
  const id = code.byte() & 31;
  const count = 4 * code.byte();
  for (let i = 0; i < count; i++) stream?.send(Uint8Array.of(2 + (i & 1), id));
}

/** What may happen any day, for the mutations to start from. */
export function* corpus(): Iterable<Uint8Array> {
  const wait = (index: number) => step(Do.Wait, index);
  const begin = [step(Do.Reach, 0), wait(2)];
  const answered = [step(Do.Answer, 16, 0, 0, 0), step(Do.Answer, 16, 0, 1, 0), wait(1), step(Do.Notice, 0, 16, 1)];
  yield program(
    begin,
    answered,
    wait(1),
    step(Do.Send, 0, 3, 1, 9),
    step(Do.Notice, 0, 16, 200),
    wait(3),
    wait(4),
    wait(6),
  );
  yield program(
    begin,
    step(Do.Suggest, 0, 3),
    step(Do.Suggest, 0, 4),
    wait(2),
    step(Do.Direct, 0, 1),
    wait(5),
    wait(2),
  );
  yield program(
    begin,
    repeated(9, (i) => step(Do.Elsewhere, 0, i, 0, i & 1, 3)),
    wait(2),
    repeated(5, (i) => step(Do.Elsewhere, 0, 0, i, 1)),
    wait(2),
  );
  yield program(begin, step(Do.Mood, 1), step(Do.HangUp, 0), step(Do.HangUp, 1), wait(7), step(Do.Mood, 2), wait(7));
  yield program(
    begin,
    repeated(3, () => step(Do.HangUp, 0)),
    repeated(150, () => program(step(Do.HangUp, 0), wait(3))),
  );
  yield program(
    begin,
    step(Do.Reach, 0),
    answered,
    step(Do.Stop, 0),
    wait(1),
    step(Do.Send, 1, 3, 1, 4),
    step(Do.Stop, 1),
    wait(1),
  );
  yield program(
    begin,
    repeated(14, (i) => step(Do.Packet, i, 40, ...new Uint8Array(40).fill(i), 0, 0)),
    wait(1),
    step(Do.Raw, 0, 4, 0, 20, 1, 1),
    wait(4),
  );
  yield program(begin, step(Do.Oob, 0, 0, 1, 2, 3), step(Do.Oob, 3, 1, 1, 2, 3), wait(1), step(Do.Give, 3), wait(4));
  yield program(
    step(Do.Reach, 1),
    step(Do.StopInside, 0),
    step(Do.Suggest, 0, 0),
    step(Do.Suggest, 0, 2),
    wait(3),
    begin,
  );
}
