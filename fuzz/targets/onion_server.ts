import type { KeyPair, PublicKey } from "../../src/crypto/keys.ts";
import type { Endpoint } from "../../src/env/datagram.ts";
import type { OnionPathCandidate } from "../../src/onion/path_packet.ts";
import { concatBytes, toHex } from "../../src/util/bytes.ts";
import { encodeAnnounceRequest, encodeAnnounceRequestBody } from "../../src/wire/onion/announce_request.ts";
import type { OnionLayer } from "../../src/wire/onion/onion_request.ts";
import { SENDBACK_SIZE, type SendbackDepth, sendbackSize } from "../../src/wire/onion/sizes.ts";
import { PacketId } from "../../src/wire/packet_ids.ts";
import { OnionServerLab } from "../support/onion_server_lab.ts";
import { Program, program, repeated, step } from "../support/program.ts";
import { unhurried } from "../support/unhurried.ts";
import { at } from "../support/wire.ts";

/** A node that relays for others and keeps their announcements, under a program of those it serves. */
export async function fuzz(data: Uint8Array): Promise<void> {
  await unhurried(() => run(new Program(data)));
}

const WAITS = [1, 1_000, 60_000, 200_000, 299_000, 301_000, 700_000, 7_300_000];
const PLACES: readonly Endpoint[] = [
  ...["203.0.113.1", "203.0.114.1", "203.0.114.2", "198.51.100.1", "10.0.0.7", "10.0.0.8", "127.0.0.1"],
  ...["2001:db8:9::1", "2001:db8:1::1", "fe80::1", "::1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"],
].map((address) => at(address));

const Do = { Layer: 0, Path: 1, Announce: 2, Data: 3, Response: 4, Crowd: 5, Replay: 6, Raw: 7, Wait: 8 } as const;

const ACTIONS: ReadonlyArray<(lab: OnionServerLab, code: Program) => void> = [
  (lab, code) => {
    const layer = (code.byte() % 3) as OnionLayer;
    const next = code.pick(PLACES);
    const data = layer === 2 ? delivered(lab, code) : code.bytes(code.byte());
    lab.receive(
      code.damaged(lab.forge.onionRequest(layer, next, code.damaged(data), userOf(lab, code))),
      code.pick(PLACES),
    );
  },
  path,
  (lab, code) => {
    lab.receive(code.damaged(announcing(lab, code, true)), code.pick(PLACES));
  },
  (lab, code) => {
    const destination = keyOf(lab, code);
    lab.receive(code.damaged(lab.forge.onionDataRequest(destination, code.bytes(code.byte()))), code.pick(PLACES));
  },
  respond,
  crowd,
  (lab, code) => {
    const earlier = code.recent(lab.received);
    if (earlier === undefined) return;
    lab.receive(code.damaged(earlier.bytes), code.flag() ? code.pick(PLACES) : earlier.from);
  },
  (lab, code) => {
    lab.receive(concatBytes(Uint8Array.of(0x80 | (code.byte() & 15)), code.bytes(2 * code.byte())), code.pick(PLACES));
  },
  (lab, code) => lab.wire.pass(code.pick(WAITS)),
];

function run(code: Program): number {
  const lab = new OnionServerLab();
  for (let next = code.step(ACTIONS.length); next !== undefined; next = code.step(ACTIONS.length)) {
    ACTIONS[next]?.(lab, code);
  }
  lab.close(code.isThorough);
  return lab.wire.slowest;
}

function userOf(lab: OnionServerLab, code: Program): KeyPair {
  const choice = code.byte();
  return choice >= 0xf0 ? lab.user() : (lab.users[choice % lab.users.length] as KeyPair);
}

function keyOf(lab: OnionServerLab, code: Program): PublicKey {
  const choice = code.byte();
  if (choice === 0xff) return lab.self.publicKey;
  if (choice === 0xfe) return new Uint8Array(32) as PublicKey;
  return (lab.users[choice % lab.users.length] as KeyPair).publicKey;
}

/** An announcement or a search, with the ping_id that the sender was given last, with none, or with another's. */
function announcing(lab: OnionServerLab, code: Program, mayBeDamaged = false): Uint8Array {
  const keys = userOf(lab, code);
  const how = code.byte();
  const owner = how & 4 ? keyOf(lab, code) : keys.publicKey;
  const pingId = (how & 1 ? lab.pingIds.get(toHex(owner)) : undefined) ?? new Uint8Array(32);
  const searchedKey = how & 2 ? keyOf(lab, code) : keys.publicKey;
  const dataPublicKey = how & 8 ? keyOf(lab, code) : keys.publicKey;
  const isGroup = (how & 16) !== 0;
  const groupAnnounce = isGroup ? code.bytes(code.byte()) : new Uint8Array(0);
  const plain = new Uint8Array(512);
  const body = { pingId, searchedKey, dataPublicKey, sendbackData: new Uint8Array(8).fill(how), groupAnnounce };
  const length = encodeAnnounceRequestBody(plain, body);
  const nonce = lab.crypto.nonce();
  const inside = plain.subarray(0, length);
  const box = lab.crypto.seal(mayBeDamaged ? code.damaged(inside) : inside, nonce, lab.forge.shared(keys));
  const packet = new Uint8Array(1024);
  const end = encodeAnnounceRequest(packet, { group: isGroup, nonce, publicKey: keys.publicKey, box });
  return packet.slice(0, end + SENDBACK_SIZE);
}

/** What a third hop is to deliver. */
function delivered(lab: OnionServerLab, code: Program): Uint8Array {
  const kind = code.byte() & 3;
  if (kind === 3) return concatBytes(Uint8Array.of(code.byte()), code.bytes(code.byte()));
  const whole = kind === 2 ? lab.forge.onionDataRequest(keyOf(lab, code), code.bytes(40)) : announcing(lab, code);
  return whole.slice(0, whole.length - SENDBACK_SIZE);
}

/** A whole path, whose hops and end may be the server itself: it passes on to itself what it takes off. */
function path(lab: OnionServerLab, code: Program): void {
  const hop = (): OnionPathCandidate => (code.flag() ? { ...lab.self, endpoint: code.pick(PLACES) } : lab.self);
  const packet = lab.pathPacket(
    [hop(), hop(), hop()],
    code.flag() ? code.pick(PLACES) : lab.self.endpoint,
    delivered(lab, code),
  );
  if (packet !== undefined) lab.receive(code.damaged(packet), code.pick(PLACES));
  lab.wire.pass(50);
}

/** An answer on its way back, with a sendback that the server has made, or with one that it has not. */
function respond(lab: OnionServerLab, code: Program): void {
  const depth = (1 + (code.byte() % 3)) as SendbackDepth;
  const id = PacketId.OnionRequest0 + depth;
  const requests = lab.sent.filter(({ bytes }) => (depth === 3 ? (bytes[0] ?? 0) >= 0x83 : bytes[0] === id));
  const request = code.recent(requests)?.bytes;
  const sendback = request?.slice(-sendbackSize(depth)) ?? code.bytes(sendbackSize(depth));
  const answer = concatBytes(Uint8Array.of(code.pick([0x84, 0x86, 0x88, 0x83, 0])), code.bytes(code.byte()));
  const whole = new Uint8Array(sendbackSize(depth));
  whole.set(code.damaged(sendback).subarray(0, whole.length));
  lab.receive(code.damaged(lab.forge.onionResponse(depth, answer, whole)), code.pick(PLACES));
}

/** Many announce themselves, from one network or each from his own. */
function crowd(lab: OnionServerLab, code: Program): void {
  const count = code.byte();
  const together = code.flag();
  for (let i = 0; i < count; i++) {
    const keys = lab.user();
    const from = together ? at(`192.0.3.${i}`) : at(`198.19.${i}.1`);
    lab.receive(lab.forge.announceRequest(keys), from);
    const pingId = lab.pingIds.get(toHex(keys.publicKey));
    if (pingId !== undefined) lab.receive(lab.forge.announceRequest(keys, { pingId }), from);
  }
}

/** What honest users do, for the mutations to start from. */
export function* corpus(): Iterable<Uint8Array> {
  const announce = (who: number, how: number, ...rest: number[]) => step(Do.Announce, who, how, ...rest, 0, 0, 0);
  const wait = (index: number) => step(Do.Wait, index);
  yield program(announce(1, 0), announce(1, 1), announce(2, 2, 1), step(Do.Data, 1, 4, 1, 2, 3, 4, 0, 1));
  yield program(
    announce(1, 0),
    announce(1, 1),
    wait(4),
    announce(2, 2, 1),
    wait(0),
    wait(2),
    announce(2, 2, 1),
    announce(1, 1),
  );
  yield program(announce(3, 8, 4), announce(3, 9, 5), announce(3, 1), announce(4, 7, 3, 3), announce(4, 2, 3));
  yield program(announce(1, 16, 0), announce(1, 17, 3, 1, 2, 3), announce(2, 16, 40));
  yield program(
    step(Do.Path, 0, 0, 0, 0, 0, 1, 0),
    step(Do.Path, 0, 0, 0, 0, 2, 1),
    step(Do.Path, 1, 0, 1, 1, 0, 1, 3, 0, 1, 0),
  );
  yield program(step(Do.Layer, 0, 0, 60, ...new Uint8Array(60), 0, 0, 0, 1), step(Do.Layer, 2, 1, 0, 1, 0, 0, 0, 0, 2));
  yield program(
    ...[step(Do.Path, 0, 0, 0, 1, 0, 0, 1, 0), step(Do.Response, 2, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 1)],
    ...[step(Do.Response, 1, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0), wait(7), step(Do.Response, 0, 0, 1, 1, 1, 0, 0, 0)],
  );
  yield program(
    step(Do.Crowd, 200, 1),
    step(Do.Crowd, 200, 0),
    announce(1, 0),
    announce(1, 1),
    wait(5),
    step(Do.Crowd, 30, 0),
  );
  yield program(
    announce(1, 0),
    repeated(6, (i) => step(Do.Replay, i, 0, i & 1, i)),
    step(Do.Raw, 3, 90, ...new Uint8Array(180), 1),
  );
}
