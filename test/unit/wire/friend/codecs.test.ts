import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ignoreDrop } from "../../../../src/wire/drop.ts";
import {
  decodeHandled,
  decodeHello,
  decodeMessageFragment,
  decodeNatReport,
  decodePunchReady,
  encodeHandled,
  encodeHello,
  encodeMessageFragment,
  encodeNatReport,
  encodePunchReady,
  MAX_FRAGMENT_SIZE,
  type NatKind,
} from "../../../../src/wire/friend/extension.ts";
import { decodeFriendRequestData, encodeFriendRequestData } from "../../../../src/wire/friend/friend_request.ts";
import { decodeMessage, encodeMessage } from "../../../../src/wire/friend/message.ts";
import { customPacketKind } from "../../../../src/wire/friend/packet_ids.ts";
import {
  decodeNickname,
  decodeStatusMessage,
  decodeTyping,
  decodeUserStatus,
  encodeNickname,
  encodeStatusMessage,
  encodeTyping,
  encodeUserStatus,
  type UserStatus,
} from "../../../../src/wire/friend/presence.ts";
import { decodeShareRelays, encodeShareRelays } from "../../../../src/wire/friend/share_relays.ts";
import { arbitraryPackedNode, arbitraryU32, arbitraryU64 } from "../../../support/arbitraries.ts";
import { codecProperties } from "../../../support/codec_properties.ts";

const some = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength });
const mark = fc.record({ epoch: arbitraryU64, sequence: arbitraryU64 });
const variableLength = true;

codecProperties("friend request data", {
  arbitrary: fc.record({ nospam: arbitraryU32, message: some(1016) }),
  encode: encodeFriendRequestData,
  decode: decodeFriendRequestData,
  variableLength,
});

codecProperties("nickname", {
  arbitrary: fc.uint8Array({ maxLength: 128 }),
  encode: encodeNickname,
  decode: decodeNickname,
  variableLength,
});

codecProperties("status message", {
  arbitrary: fc.uint8Array({ maxLength: 1007 }),
  encode: encodeStatusMessage,
  decode: decodeStatusMessage,
  variableLength,
});

codecProperties("user status", {
  arbitrary: fc.constantFrom<UserStatus>("none", "away", "busy"),
  encode: encodeUserStatus,
  decode: decodeUserStatus,
});

codecProperties("typing", { arbitrary: fc.boolean(), encode: encodeTyping, decode: decodeTyping });

codecProperties("message", {
  arbitrary: fc.record({ action: fc.boolean(), text: some(1372) }),
  encode: encodeMessage,
  decode: decodeMessage,
  variableLength,
});

codecProperties("share relays", {
  arbitrary: fc.array(
    arbitraryPackedNode.map((node) => ({ ...node, transport: "tcp" as const })),
    { maxLength: 3 },
  ),
  encode: encodeShareRelays,
  decode: decodeShareRelays,
  variableLength,
});

codecProperties("hello", {
  arbitrary: fc
    .record({ version: fc.integer({ min: 1, max: 255 }), capabilities: arbitraryU32, handled: fc.option(mark) })
    .map(({ handled, ...hello }) => (handled ? { ...hello, handled } : hello)),
  encode: encodeHello,
  decode: decodeHello,
  variableLength,
});

codecProperties("message fragment", {
  arbitrary: fc.record({
    epoch: arbitraryU64,
    sequence: fc.bigInt({ min: 1n, max: 0xffff_ffff_ffff_ffffn }),
    action: fc.boolean(),
    more: fc.boolean(),
    text: some(MAX_FRAGMENT_SIZE),
  }),
  encode: encodeMessageFragment,
  decode: decodeMessageFragment,
  variableLength,
});

codecProperties("handled", { arbitrary: mark, encode: encodeHandled, decode: decodeHandled });

codecProperties("NAT report", {
  arbitrary: fc.constantFrom<NatKind>("unknown", "stable", "random"),
  encode: encodeNatReport,
  decode: decodeNatReport,
});

codecProperties("punch ready", { arbitrary: fc.nat(0xffff), encode: encodePunchReady, decode: decodePunchReady });

it("a NAT of an unknown kind is no report", () => {
  expect(decodeNatReport(Uint8Array.of(150, 3, 3), ignoreDrop)).toBeUndefined();
  expect([...encodeNatReport("random")]).toEqual([150, 3, 2]);
  expect([...encodePunchReady(256)]).toEqual([150, 4, 1, 0]);
});

describe("the bytes of friend packets", () => {
  it("are those of the tables", () => {
    expect([...encodeTyping(true)]).toEqual([51, 1]);
    expect([...encodeUserStatus("busy")]).toEqual([50, 2]);
    expect([...encodeMessage({ action: true, text: Uint8Array.of(1) })]).toEqual([65, 1]);
    expect([...encodeHello({ version: 1, capabilities: 0x01020304 })]).toEqual([150, 0, 1, 1, 2, 3, 4]);
    expect([...encodeHandled({ epoch: 1n, sequence: 0x0203n })]).toEqual([150, 2, ...u64(1), ...u64(0x0203)]);
    const fragment = { epoch: 9n, sequence: 7n, action: true, more: true, text: Uint8Array.of(65) };
    expect([...encodeMessageFragment(fragment)]).toEqual([150, 1, ...u64(9), ...u64(7), 3, 65]);
  });

  it("are refused beyond the limits", () => {
    expect(decodeNickname(encodeNickname(new Uint8Array(129)), ignoreDrop)).toBeUndefined();
    expect(decodeStatusMessage(encodeStatusMessage(new Uint8Array(1008)), ignoreDrop)).toBeUndefined();
    expect(decodeUserStatus(Uint8Array.of(50, 3), ignoreDrop)).toBeUndefined();
    expect(decodeMessage(Uint8Array.of(64), ignoreDrop)).toBeUndefined();
    expect(decodeMessage(encodeMessage({ action: false, text: new Uint8Array(1373) }), ignoreDrop)).toBeUndefined();
    expect(decodeFriendRequestData(new Uint8Array(4), ignoreDrop)).toBeUndefined();
  });

  it("skip unknown TLVs and capability bits of a hello", () => {
    const known = encodeHello({ version: 1, capabilities: 1, handled: { epoch: 3n, sequence: 4n } });
    const packet = Uint8Array.of(...known.subarray(0, 7), 200, 0, 2, 9, 9, ...known.subarray(7), 201, 0, 0);
    packet[3] = 0x80;
    const expected = { version: 1, capabilities: 0x80000001, handled: { epoch: 3n, sequence: 4n } };
    expect(decodeHello(packet, ignoreDrop)).toEqual(expected);
  });
});

describe("customPacketKind", () => {
  it("leaves the protocol its ids", () => {
    const kinds = (kind: string | undefined) => [...Array(256).keys()].filter((id) => customPacketKind(id) === kind);
    expect(kinds("lossless")).toEqual([...Array(32).keys()].map((i) => 160 + i));
    expect(kinds("lossy")).toEqual([...Array(55).keys()].map((i) => 200 + i));
  });
});

function u64(value: number): number[] {
  return [0, 0, 0, 0, 0, 0, value >> 8, value & 0xff];
}
