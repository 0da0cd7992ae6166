/**
 * Lossless packet 150: what our own peers say to each other. docs/extensions.md; toxcore drops all of it.
 *
 * hello
 *   1  150
 *   1  0
 *   1  version, 1
 *   4  capability bits
 *   *  TLVs: type u8 ‖ length u16 ‖ value; unknown types are skipped
 *      1 handled: epoch u64 ‖ sequence u64, the highest message of the reader that the writer's app is done with
 *
 * message
 *   1  150
 *   1  1
 *   8  epoch
 *   8  sequence, from 1 on
 *   1  flags: 1 action, 2 more fragments of this message follow
 *   *  text or a piece of it, not empty
 *
 * handled
 *   1  150
 *   1  2
 *   8  epoch
 *   8  sequence
 *
 * NAT report
 *   1  150
 *   1  3
 *   1  how the writer sees the reader's NAT: 0 not known, 1 the same port for all, 2 another port for each
 *
 * punch ready
 *   1  150
 *   1  4
 *   2  how many sockets wait for a packet
 */
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { FriendPacketId, MAX_FRIEND_PACKET_SIZE } from "./packet_ids.ts";

export const ExtensionSubtype = {
  ...{ Hello: 0, Message: 1, Handled: 2, NatReport: 3, PunchReady: 4, FileHash: 5 },
  ...{ MediaReport: 6, VideoRepair: 7, KeyFrameRequest: 8 },
} as const;

export const EXTENSION_VERSION = 1;

export const Capability = {
  /** Takes messages with epoch and sequence, and answers with `handled`. */
  NumberedMessages: 1 << 0,
  /** Says how it sees the other's NAT, and takes part in punching by the birthday bound. */
  BirthdayPunch: 1 << 1,
  /** Sends the hash of each file behind it, and compares that of each that comes. */
  FileHash: 1 << 2,
  /** Reports how the media of a call arrive, repairs pictures and makes key frames when asked. */
  CallFeedback: 1 << 3,
} as const;

const HELLO_HEADER_SIZE = 7;
const TLV_HEADER_SIZE = 3;
const TLV_HANDLED = 1;
const MARK_SIZE = 16;
const MESSAGE_HEADER_SIZE = 2 + MARK_SIZE + 1;
const HANDLED_SIZE = 2 + MARK_SIZE;
const FLAG_ACTION = 1;
const FLAG_MORE = 2;

/** What fits into one packet; a longer message travels as fragments. */
export const MAX_FRAGMENT_SIZE = MAX_FRIEND_PACKET_SIZE - MESSAGE_HEADER_SIZE;

/** A place in the stream of one sender's messages. A sender who has lost his place begins a new epoch. */
export interface MessageMark {
  readonly epoch: bigint;
  readonly sequence: bigint;
}

export interface Hello {
  readonly version: number;
  readonly capabilities: number;
  readonly handled?: MessageMark;
}

export interface MessageFragment extends MessageMark {
  readonly action: boolean;
  readonly more: boolean;
  /** A view of the packet. */
  readonly text: Uint8Array;
}

export function encodeHello(hello: Hello): Uint8Array {
  const packet = new Uint8Array(HELLO_HEADER_SIZE + (hello.handled ? TLV_HEADER_SIZE + MARK_SIZE : 0));
  packet[0] = FriendPacketId.Extension;
  packet[1] = ExtensionSubtype.Hello;
  packet[2] = hello.version;
  writeU32(packet, 3, hello.capabilities);
  if (hello.handled) {
    packet[HELLO_HEADER_SIZE] = TLV_HANDLED;
    writeU16(packet, HELLO_HEADER_SIZE + 1, MARK_SIZE);
    writeMark(packet, HELLO_HEADER_SIZE + TLV_HEADER_SIZE, hello.handled);
  }
  return packet;
}

export function decodeHello(packet: Uint8Array, drop: Drop): Hello | undefined {
  if (!isExtension(packet, ExtensionSubtype.Hello)) return drop("unknown-id");
  if (packet.length < HELLO_HEADER_SIZE) return drop("truncated");
  const version = packet[2] ?? 0;
  if (version === 0) return drop("malformed");
  let handled: MessageMark | undefined;
  for (let at = HELLO_HEADER_SIZE; at < packet.length; ) {
    const length = readU16(packet, at + 1);
    const valueAt = at + TLV_HEADER_SIZE;
    if (valueAt + length > packet.length) return drop("truncated");
    if (packet[at] === TLV_HANDLED) {
      if (length !== MARK_SIZE) return drop("malformed");
      handled = readMark(packet, valueAt);
    }
    at = valueAt + length;
  }
  const capabilities = readU32(packet, 3);
  return handled ? { version, capabilities, handled } : { version, capabilities };
}

export function encodeMessageFragment(fragment: MessageFragment): Uint8Array {
  const packet = new Uint8Array(MESSAGE_HEADER_SIZE + fragment.text.length);
  packet[0] = FriendPacketId.Extension;
  packet[1] = ExtensionSubtype.Message;
  writeMark(packet, 2, fragment);
  packet[MESSAGE_HEADER_SIZE - 1] = (fragment.action ? FLAG_ACTION : 0) | (fragment.more ? FLAG_MORE : 0);
  packet.set(fragment.text, MESSAGE_HEADER_SIZE);
  return packet;
}

export function decodeMessageFragment(packet: Uint8Array, drop: Drop): MessageFragment | undefined {
  if (!isExtension(packet, ExtensionSubtype.Message)) return drop("unknown-id");
  if (packet.length <= MESSAGE_HEADER_SIZE) return drop("truncated");
  if (packet.length > MAX_FRIEND_PACKET_SIZE) return drop("oversized");
  const { epoch, sequence } = readMark(packet, 2);
  if (sequence === 0n) return drop("malformed");
  const flags = packet[MESSAGE_HEADER_SIZE - 1] ?? 0;
  return {
    epoch,
    sequence,
    action: (flags & FLAG_ACTION) !== 0,
    more: (flags & FLAG_MORE) !== 0,
    text: packet.subarray(MESSAGE_HEADER_SIZE),
  };
}

export function encodeHandled(mark: MessageMark): Uint8Array {
  const packet = new Uint8Array(HANDLED_SIZE);
  packet[0] = FriendPacketId.Extension;
  packet[1] = ExtensionSubtype.Handled;
  writeMark(packet, 2, mark);
  return packet;
}

export function decodeHandled(packet: Uint8Array, drop: Drop): MessageMark | undefined {
  if (!isExtension(packet, ExtensionSubtype.Handled)) return drop("unknown-id");
  if (packet.length < HANDLED_SIZE) return drop("truncated");
  if (packet.length > HANDLED_SIZE) return drop("oversized");
  return readMark(packet, 2);
}

export type NatKind = "unknown" | "stable" | "random";

const NAT_KINDS: readonly NatKind[] = ["unknown", "stable", "random"];
const NAT_REPORT_SIZE = 3;
const PUNCH_READY_SIZE = 4;

export function encodeNatReport(kind: NatKind): Uint8Array {
  return Uint8Array.of(FriendPacketId.Extension, ExtensionSubtype.NatReport, NAT_KINDS.indexOf(kind));
}

export function decodeNatReport(packet: Uint8Array, drop: Drop): NatKind | undefined {
  if (!isExtension(packet, ExtensionSubtype.NatReport)) return drop("unknown-id");
  if (packet.length < NAT_REPORT_SIZE) return drop("truncated");
  if (packet.length > NAT_REPORT_SIZE) return drop("oversized");
  return NAT_KINDS[packet[2] ?? 0] ?? drop("malformed");
}

export function encodePunchReady(sockets: number): Uint8Array {
  const packet = new Uint8Array(PUNCH_READY_SIZE);
  packet[0] = FriendPacketId.Extension;
  packet[1] = ExtensionSubtype.PunchReady;
  writeU16(packet, 2, sockets);
  return packet;
}

/** How many sockets wait. */
export function decodePunchReady(packet: Uint8Array, drop: Drop): number | undefined {
  if (!isExtension(packet, ExtensionSubtype.PunchReady)) return drop("unknown-id");
  if (packet.length < PUNCH_READY_SIZE) return drop("truncated");
  if (packet.length > PUNCH_READY_SIZE) return drop("oversized");
  return readU16(packet, 2);
}

/** Whether this is the packet by which one of ours shows himself. */
export function isHello(packet: Uint8Array): boolean {
  return isExtension(packet, ExtensionSubtype.Hello);
}

function isExtension(packet: Uint8Array, subtype: number): boolean {
  return packet[0] === FriendPacketId.Extension && packet[1] === subtype;
}

function readMark(bytes: Uint8Array, at: number): MessageMark {
  return { epoch: readU64(bytes, at), sequence: readU64(bytes, at + 8) };
}

function writeMark(bytes: Uint8Array, at: number, mark: MessageMark): void {
  writeU64(bytes, at, mark.epoch);
  writeU64(bytes, at + 8, mark.sequence);
}
