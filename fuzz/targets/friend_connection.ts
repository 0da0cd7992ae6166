import { concatBytes } from "../../src/util/bytes.ts";
import { utf8 } from "../../src/util/text.ts";
import { ToxError } from "../../src/util/tox_error.ts";
import { encodeHandled, encodeHello, encodeMessageFragment } from "../../src/wire/friend/extension.ts";
import { encodeFriendRequestData, friendRequestPacket } from "../../src/wire/friend/friend_request.ts";
import { encodeMessage } from "../../src/wire/friend/message.ts";
import { FriendPacketId } from "../../src/wire/friend/packet_ids.ts";
import { encodeNickname, encodeStatusMessage, encodeTyping, encodeUserStatus } from "../../src/wire/friend/presence.ts";
import { FriendLab } from "../support/friend_lab.ts";
import { Program, program, repeated, step } from "../support/program.ts";
import { NOSPAM, type Talker } from "../support/talker.ts";
import { unhurried } from "../support/unhurried.ts";

/**
 * Friends: two whose clients are ours, who crash, return and lose each other, and one who says whatever a program tells
 * him. Sessions are made of nothing here, so that all bytes go to what is above them.
 */
export async function fuzz(data: Uint8Array): Promise<void> {
  await unhurried(() => run(new Program(data)));
}

const WAITS = [1, 5, 30, 200, 1_000, 3_000, 9_000, 33_000, 130_000];

const Do = {
  Wait: 0,
  Talk: 1,
  Cancel: 2,
  Slow: 3,
  Finish: 4,
  Break: 5,
  Link: 6,
  Restart: 7,
  Connect: 8,
  Leave: 9,
  Say: 10,
  Number: 11,
  Hello: 12,
  Handled: 13,
  Lossy: 14,
  Ask: 15,
  Unfriend: 16,
  App: 17,
  Flood: 18,
} as const;

type Action = (lab: FriendLab, code: Program) => void | Promise<void>;

const ACTIONS: readonly Action[] = [
  (lab, code) => lab.pass(code.pick(WAITS)),
  talk,
  (lab, code) => {
    const [one] = pair(lab, code);
    one.cancel(code.recent(one.messages));
  },
  (lab, code) => {
    pair(lab, code)[0].isSlow = code.flag();
  },
  (lab, code) => pair(lab, code)[0].finish(code.byte()),
  (lab, code) => {
    const spread = 40 * code.byte();
    lab.world.breakAll(() => lab.world.random.between(0, spread));
  },
  (lab, code) => {
    lab.world.link.queueLimit = 1 + code.byte();
    lab.world.link.controlAllowance = code.byte() & 3;
    lab.world.link.maxDelay = 1 + code.byte();
  },
  (lab, code) => lab.restart(pair(lab, code)[0], code.flag() ? "crash" : "close"),
  (lab, code) => {
    if (code.flag()) lab.mallory.restart();
    if (lab.alice.person !== undefined) lab.mallory.connect(lab.alice.person);
  },
  (lab, code) => {
    lab.mallory.accepts = code.flag();
    lab.mallory.session?.kill();
  },
  (lab, code) => lab.mallory.say(code.damaged(saying(code))),
  (lab, code) => lab.mallory.say(code.damaged(numbered(code))),
  hello,
  (lab, code) => lab.mallory.say(code.damaged(encodeHandled({ epoch: epochOf(lab, code), sequence: numberOf(code) }))),
  (lab, code) => lab.mallory.say(concatBytes(Uint8Array.of(192 | code.byte()), code.bytes(code.byte())), false),
  ask,
  (lab, code) => {
    if (code.flag()) lab.alice.friend(lab.mallory)?.remove();
    else lab.addMallory();
  },
  app,
  flood,
];

async function run(code: Program): Promise<number> {
  const lab = new FriendLab();
  await lab.begin();
  for (let next = code.step(ACTIONS.length); next !== undefined; next = code.step(ACTIONS.length)) {
    await ACTIONS[next]?.(lab, code);
  }
  await lab.close(code.isThorough);
  return lab.slowest;
}

function pair(lab: FriendLab, code: Program): readonly [Talker, Talker] {
  return code.flag() ? [lab.bob, lab.alice] : [lab.alice, lab.bob];
}

const LENGTHS = [20, 400, 1354, 1355, 1372];

function talk(lab: FriendLab, code: Program): void {
  const [one, other] = pair(lab, code);
  const toMallory = code.byte() >= 0x80;
  const count = code.byte() & 63;
  const length = code.pick(LENGTHS);
  for (let i = 0; i < count; i++) {
    if (toMallory) lab.alice.sayToMallory(length);
    else one.say(other, length);
  }
}

const TOLD = [
  () => Uint8Array.of(FriendPacketId.Online),
  () => Uint8Array.of(FriendPacketId.Offline),
  () => Uint8Array.of(FriendPacketId.Alive),
  (code: Program) => encodeNickname(code.bytes(code.byte() & 127)),
  (code: Program) => encodeStatusMessage(code.bytes(code.byte())),
  (code: Program) => encodeUserStatus(code.pick(["none", "away", "busy"] as const)),
  (code: Program) => encodeTyping(code.flag()),
  (code: Program) => encodeMessage({ action: code.flag(), text: code.bytes(1 + code.byte()) }),
  (code: Program) => Uint8Array.of(FriendPacketId.ShareRelays, ...code.bytes(code.byte())),
  (code: Program) => friendRequestPacket(requestData(code)),
  (code: Program) => Uint8Array.of(code.byte(), ...code.bytes(code.byte())),
];

function saying(code: Program): Uint8Array {
  return code.pick(TOLD)(code);
}

/** Small numbers, and now and then the largest there are. */
function numberOf(code: Program): bigint {
  const low = BigInt(code.byte());
  return low === 0xffn ? 0xffff_ffff_ffff_ffffn - BigInt(code.byte()) : low;
}

function numbered(code: Program): Uint8Array {
  const flags = code.byte();
  const mark = { epoch: BigInt(code.byte() & 3), sequence: numberOf(code) };
  const text = flags & 4 ? new Uint8Array(1350).fill(97) : code.bytes(1 + (code.byte() & 31));
  return encodeMessageFragment({ ...mark, action: (flags & 1) !== 0, more: (flags & 2) !== 0, text });
}

/** Alice's epoch, as she tells it in her messages; or another. */
function epochOf(lab: FriendLab, code: Program): bigint {
  const choice = code.byte();
  return choice < 0x80 ? (lab.mallory.epoch ?? 0n) : BigInt(choice);
}

function hello(lab: FriendLab, code: Program): void {
  const how = code.byte();
  const handled = how & 2 ? { handled: { epoch: epochOf(lab, code), sequence: numberOf(code) } } : {};
  const packet = encodeHello({ version: 1 + ((how >> 3) & 1), capabilities: how & 1, ...handled });
  if (how & 4) lab.mallory.say(Uint8Array.of(FriendPacketId.Online));
  lab.mallory.say(code.damaged(packet));
}

function requestData(code: Program): Uint8Array {
  const nospam = code.flag() ? NOSPAM : code.u16();
  return encodeFriendRequestData({ nospam, message: code.bytes(code.byte()) });
}

/** Strangers, and some who are no strangers, ask for friendship. */
function ask(lab: FriendLab, code: Program): void {
  const sender = code.byte();
  const data = code.damaged(requestData(code));
  lab.request(["mallory", "bob", "alice"][sender] ?? `stranger ${sender}`, data);
}

function app(lab: FriendLab, code: Program): void {
  const [one, other] = pair(lab, code);
  const { friends } = one.person ?? {};
  const friend = code.flag() ? one.friend(lab.mallory) : one.friend(other);
  const what = code.byte() % 6;
  const text = "x".repeat(code.byte());
  if (friends === undefined) return;
  try {
    if (what === 0) friends.selfName = text;
    else if (what === 1) friends.selfStatusMessage = text;
    else if (what === 2) friends.selfStatus = code.pick(["none", "away", "busy"] as const);
    else if (what === 3) friend?.setTyping(code.flag());
    else if (what === 4) friend?.sendPacket(concatBytes(Uint8Array.of(code.byte()), utf8(text)));
    else friends.nospam = NOSPAM;
  } catch (error) {
    if (!(error instanceof ToxError)) throw error;
  }
}

/** The same thing again and again. */
function flood(lab: FriendLab, code: Program): void {
  const packet = code.flag() ? saying(code) : numbered(code);
  const count = 4 * code.byte();
  for (let i = 0; i < count; i++) lab.mallory.say(packet);
}

/** What honest people do, for the mutations to start from. */
export function* corpus(): Iterable<Uint8Array> {
  const wait = (index: number) => step(Do.Wait, index);
  const say = (who: number, count: number, length: number) => step(Do.Talk, who, 0, count, length);
  const comeOnline = [step(Do.Connect, 0), wait(3), step(Do.Hello, 5, 0)];
  const tell = (kind: number, ...rest: number[]) => step(Do.Say, kind, ...rest, 0);
  yield program(say(0, 5, 0), say(1, 5, 3), wait(3), say(0, 30, 1), step(Do.Break, 10), say(1, 20, 4), wait(4));
  yield program(
    step(Do.Slow, 1, 1),
    say(0, 20, 0),
    wait(3),
    step(Do.Finish, 1, 5),
    wait(2),
    step(Do.Restart, 1, 1),
    wait(5),
  );
  yield program(
    say(0, 9, 2),
    step(Do.Restart, 0, 1),
    say(0, 9, 2),
    step(Do.Cancel, 0, 2),
    step(Do.Restart, 0, 0),
    wait(4),
  );
  yield program(
    step(Do.Link, 3, 0, 90),
    say(0, 60, 3),
    say(1, 60, 3),
    wait(4),
    repeated(6, () => step(Do.Break, 100)),
  );
  yield program(
    comeOnline,
    repeated(9, (i) => step(Do.Number, 0, 1, i + 1, 3, 97, 98, 99, 100, 0)),
    wait(3),
    wait(6),
  );
  yield program(
    ...[
      comeOnline,
      step(Do.Talk, 0, 0x80, 9, 0),
      wait(3),
      step(Do.Handled, 0, 4, 0),
      wait(3),
      step(Do.Handled, 0, 90, 0),
    ],
    ...[step(Do.Leave, 1), wait(4), step(Do.Connect, 1), wait(3), step(Do.Hello, 7, 0, 9, 0), wait(7)],
  );
  yield program(
    ...[step(Do.Connect, 0), wait(3), tell(0), tell(3, 4, 65, 66, 67, 68), tell(4, 2, 65, 66), tell(5, 1), tell(6, 1)],
    ...[tell(7, 0, 3, 65, 66, 67, 68), tell(10, 170, 2, 1, 2), step(Do.Lossy, 20, 2, 1, 2), tell(1), tell(0), wait(6)],
  );
  yield program(
    repeated(5, (i) => step(Do.Ask, 3 + (i >> 1), 1, 4, 104, 105, 106, 107, 0)),
    step(Do.Unfriend, 1),
    wait(3),
  );
  yield program(comeOnline, step(Do.Flood, 0, 0, 1, 1, 3, 1, 2, 3, 4, 90), step(Do.Flood, 1, 0, 200), wait(4), wait(7));
  yield program(
    repeated(6, (i) => step(Do.App, i & 1, i & 1, i, 20, i)),
    wait(3),
    step(Do.App, 0, 0, 4, 5, 170),
    wait(3),
  );
}
