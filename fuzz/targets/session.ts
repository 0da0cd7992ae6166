import type { Endpoint } from "../../src/env/datagram.ts";
import { concatBytes } from "../../src/util/bytes.ts";
import { Program, program, repeated, step } from "../support/program.ts";
import { type Peer, SESSION_PACKETS, SessionLab } from "../support/session_lab.ts";
import { unhurried } from "../support/unhurried.ts";
import { at } from "../support/wire.ts";

/**
 * net_crypto between two who keep the rules, on a bad line, while a third, who is on the friend list, keeps none, and
 * strangers replay, garble and make up packets.
 */
export async function fuzz(data: Uint8Array): Promise<void> {
  await unhurried(() => run(new Program(data)));
}

const WAITS = [1, 5, 20, 60, 250, 1_000, 2_600, 8_000, 20_000, 120_000];
/** Whence replays come, and whither people move. */
const PLACES: readonly Endpoint[] = [
  ...["203.0.113.1", "203.0.113.2", "203.0.114.1", "192.0.2.1", "10.0.0.9"].map((address) => at(address)),
  at("203.0.113.1", 4000),
];

/** Those, or one of many. */
function place(code: Program): Endpoint {
  const choice = code.byte();
  return PLACES[choice] ?? at(`198.18.${choice >> 2}.${choice & 3}`);
}
const STRANGERS: readonly Endpoint[] = ["192.0.2.200", "192.0.2.201", "10.9.9.9"].map((address) => at(address));

const Do = {
  Wait: 0,
  Say: 1,
  Line: 2,
  Connect: 3,
  End: 4,
  Restart: 5,
  Move: 6,
  Open: 7,
  Handshake: 8,
  Inner: 9,
  Request: 10,
  Hoard: 11,
  Forget: 12,
  Replay: 13,
  Garbage: 14,
  AskCookie: 15,
  Flood: 16,
  Transmit: 17,
} as const;

const ACTIONS: ReadonlyArray<(lab: SessionLab, code: Program) => void> = [
  (lab, code) => lab.wire.pass(code.pick(WAITS)),
  say,
  (lab, code) => {
    lab.link.loss = 3 * code.byte();
    lab.link.duplication = 3 * code.byte();
    lab.link.lateness = 3 * code.byte();
    lab.link.delay = 1 + code.byte();
  },
  connect,
  end,
  (lab) => lab.honest.restart(),
  move,
  (lab) => lab.hostile.connect(),
  handshake,
  inner,
  (lab, code) => lab.hostile.request(code.bytes(code.byte())),
  hoard,
  (lab, code) => (code.flag() ? lab.hostile.changeDhtKey() : lab.hostile.forget()),
  replay,
  (lab, code) => {
    const packet = concatBytes(Uint8Array.of(code.pick(SESSION_PACKETS)), code.bytes(code.byte()));
    lab.inject(packet, code.pick(STRANGERS), true);
  },
  (lab, code) => {
    const keys = code.flag() ? lab.hostile.dht : lab.forge.keys();
    const self = code.flag() ? lab.honest.self.publicKey : keys.publicKey;
    lab.inject(code.damaged(lab.forge.cookieRequest(keys, self)), code.pick(STRANGERS), true);
  },
  flood,
  (lab, code) => {
    const last = lab.hostile.lastHandshake;
    if (last !== undefined) lab.hostile.transmit(code.damaged(last));
  },
];

function run(code: Program): number {
  const lab = new SessionLab();
  for (let next = code.step(ACTIONS.length); next !== undefined; next = code.step(ACTIONS.length)) {
    ACTIONS[next]?.(lab, code);
  }
  lab.close(code.isThorough);
  return lab.wire.slowest;
}

const SIZES = [9, 40, 600, 1373];

/** One of the three says something to another. */
function say(lab: SessionLab, code: Program): void {
  const who = code.byte();
  const count = code.byte();
  const size = code.pick(SIZES);
  const side = [lab.sideOf(lab.victim, lab.honest), lab.sideOf(lab.honest, lab.victim), lab.sideWithHostile][who % 3];
  for (let i = 0; i < count; i++) {
    if (who & 0x80) side?.sayLossy(size);
    else if (!side?.say(size)) return;
  }
}

function connect(lab: SessionLab, code: Program): void {
  const [from, to]: [Peer, Peer] = code.flag() ? [lab.victim, lab.honest] : [lab.honest, lab.victim];
  lab.connect(from, to, code.flag() ? place(code) : to.endpoint);
}

function end(lab: SessionLab, code: Program): void {
  const { victim, honest, hostile } = lab;
  const who = code.byte() % 4;
  if (who === 0) victim.netCrypto.session(honest.self.publicKey)?.kill();
  else if (who === 1) honest.netCrypto.session(victim.self.publicKey)?.kill();
  else if (who === 2) victim.netCrypto.session(hostile.self.publicKey)?.kill("timeout");
  else hostile.kill();
}

function move(lab: SessionLab, code: Program): void {
  const socket = lab.honest.machine.sockets[0];
  const to = place(code);
  if (socket !== undefined && to !== at("203.0.114.1")) lab.wire.move(socket, to);
}

function handshake(lab: SessionLab, code: Program): void {
  if (!lab.hostile.hasCookie) return;
  const how = code.byte();
  const sessionKey = how & 2 ? { sessionKey: new Uint8Array(32) as never } : {};
  lab.hostile.handshake({ sameKeys: (how & 1) === 0, ...sessionKey });
}

/** A data packet whose header may lie. */
function inner(lab: SessionLab, code: Program): void {
  const { hostile } = lab;
  const how = code.byte();
  const data = concatBytes(Uint8Array.of(code.byte()), code.bytes(code.byte() & 63));
  hostile.inner(data, {
    ...(how & 1 ? { bufferStart: (hostile.received + code.u16() - 0x8000) >>> 0 } : {}),
    ...(how & 2 ? { number: (hostile.number + code.u16() - 0x8000) >>> 0 } : {}),
    ...(how & 4 ? { number: code.u32() } : {}),
    ...(how & 8 ? { padding: code.byte() } : {}),
    ...(how & 16 ? { skip: code.u16() } : {}),
  });
  if ((how & 0x26) === 0) hostile.number = (hostile.number + 1) >>> 0;
}

/** Many packets with gaps before and between them. */
function hoard(lab: SessionLab, code: Program): void {
  const { hostile } = lab;
  const count = 4 * code.byte();
  const stride = 1 + (code.byte() & 31);
  const data = new Uint8Array(code.pick(SIZES)).fill(101);
  const fillsGap = code.flag();
  for (let i = count; i > 0; i--) hostile.inner(data, { number: (hostile.number + i * stride) >>> 0 });
  if (fillsGap) hostile.lossless(data);
}

function replay(lab: SessionLab, code: Program): void {
  const earlier = code.recent(lab.seen);
  if (earlier === undefined) return;
  lab.inject(code.damaged(earlier.bytes), code.flag() ? place(code) : earlier.from, false);
}

function flood(lab: SessionLab, code: Program): void {
  const count = code.byte();
  const together = code.flag();
  for (let i = 0; i < count; i++) {
    const keys = lab.forge.keys();
    lab.inject(lab.forge.cookieRequest(keys), together ? at("192.0.2.200") : at(`198.19.${i}.1`), true);
  }
}

/** What honest peers do, for the mutations to start from. */
export function* corpus(): Iterable<Uint8Array> {
  const wait = (index: number) => step(Do.Wait, index);
  const line = (loss: number, duplication: number, lateness: number) => step(Do.Line, loss, duplication, lateness, 9);
  const begin = [step(Do.Connect, 0, 0), wait(4)];
  const hostile = [step(Do.Open), wait(4)];
  const talk = [step(Do.Say, 0, 20, 1), step(Do.Say, 1, 30, 2), step(Do.Say, 0x80, 5, 0), step(Do.Say, 0x82, 5, 0)];
  yield program(begin, talk, wait(5));
  yield program(line(60, 60, 60), begin, wait(7), talk, wait(5), talk, wait(7));
  yield program(begin, talk, step(Do.Restart), step(Do.Connect, 0, 0), wait(4), talk, step(Do.End, 1), wait(5), begin);
  yield program(begin, step(Do.Move, 1), wait(6), talk, wait(6), talk);
  yield program(
    begin,
    talk,
    repeated(8, (i) => step(Do.Replay, i, 0, i & 1, i)),
    talk,
    wait(5),
  );
  yield program(
    hostile,
    repeated(9, (i) => step(Do.Inner, 1 << i, 100 + i, 3, 1, 2, 3, 0x80, i)),
    wait(5),
  );
  yield program(
    hostile,
    step(Do.Say, 2, 200, 3),
    step(Do.Request, 5, 1, 0, 9, 1, 2),
    wait(5),
    step(Do.Request, 0),
    wait(7),
  );
  yield program(hostile, step(Do.Hoard, 100, 3, 3, 0), wait(5), step(Do.Hoard, 20, 0, 1, 1), step(Do.End, 3));
  yield program(
    hostile,
    step(Do.Forget, 0),
    step(Do.Handshake, 1),
    wait(4),
    step(Do.Forget, 1),
    hostile,
    step(Do.Transmit),
  );
  yield program(
    step(Do.AskCookie, 0, 0, 0, 0),
    step(Do.Garbage, 3, 3, 1, 2, 3, 0),
    step(Do.Flood, 100, 1),
    step(Do.Flood, 100, 0),
  );
  yield program(
    repeated(12, (i) => step(Do.Connect, 1, 1, 10 + i)),
    repeated(6, () => wait(6)),
    begin,
    talk,
  );
  yield program(step(Do.Connect, 0, 0), step(Do.Connect, 1, 0), wait(4), talk, step(Do.End, 0), wait(1), begin, talk);
}
