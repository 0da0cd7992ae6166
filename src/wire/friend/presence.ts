/**
 * What a friend tells of himself. c-toxcore `Messenger.c` (m_handle_packet_*).
 *
 *   1  48 nickname        ‖  0–128 bytes
 *   1  49 status message  ‖  0–1007 bytes
 *   1  50 user status     ‖  1 byte: 0 none, 1 away, 2 busy
 *   1  51 typing          ‖  1 byte: 0 not, anything else typing
 */
import type { Drop } from "../drop.ts";
import { FriendPacketId } from "./packet_ids.ts";

export const MAX_NAME_SIZE = 128;
export const MAX_STATUS_MESSAGE_SIZE = 1007;

export type UserStatus = "none" | "away" | "busy";

const STATUSES: readonly UserStatus[] = ["none", "away", "busy"];

export function isUserStatus(value: unknown): value is UserStatus {
  return STATUSES.includes(value as UserStatus);
}

export function encodeNickname(name: Uint8Array): Uint8Array {
  return behindId(FriendPacketId.Nickname, name);
}

/** The name's bytes, a view of the packet. */
export function decodeNickname(packet: Uint8Array, drop: Drop): Uint8Array | undefined {
  return decodeText(packet, FriendPacketId.Nickname, MAX_NAME_SIZE, drop);
}

export function encodeStatusMessage(text: Uint8Array): Uint8Array {
  return behindId(FriendPacketId.StatusMessage, text);
}

/** The status message's bytes, a view of the packet. */
export function decodeStatusMessage(packet: Uint8Array, drop: Drop): Uint8Array | undefined {
  return decodeText(packet, FriendPacketId.StatusMessage, MAX_STATUS_MESSAGE_SIZE, drop);
}

export function encodeUserStatus(status: UserStatus): Uint8Array {
  return Uint8Array.of(FriendPacketId.UserStatus, STATUSES.indexOf(status));
}

export function decodeUserStatus(packet: Uint8Array, drop: Drop): UserStatus | undefined {
  const byte = decodeByte(packet, FriendPacketId.UserStatus, drop);
  return byte === undefined ? undefined : (STATUSES[byte] ?? drop("malformed"));
}

export function encodeTyping(on: boolean): Uint8Array {
  return Uint8Array.of(FriendPacketId.Typing, on ? 1 : 0);
}

export function decodeTyping(packet: Uint8Array, drop: Drop): boolean | undefined {
  const byte = decodeByte(packet, FriendPacketId.Typing, drop);
  return byte === undefined ? undefined : byte !== 0;
}

function behindId(id: number, bytes: Uint8Array): Uint8Array {
  const packet = new Uint8Array(1 + bytes.length);
  packet[0] = id;
  packet.set(bytes, 1);
  return packet;
}

function decodeText(packet: Uint8Array, id: number, limit: number, drop: Drop): Uint8Array | undefined {
  if (packet[0] !== id) return drop("unknown-id");
  if (packet.length > 1 + limit) return drop("oversized");
  return packet.subarray(1);
}

function decodeByte(packet: Uint8Array, id: number, drop: Drop): number | undefined {
  if (packet[0] !== id) return drop("unknown-id");
  if (packet.length < 2) return drop("truncated");
  if (packet.length > 2) return drop("oversized");
  return packet[1];
}
