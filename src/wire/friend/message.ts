/**
 * A message as every Tox client understands it. c-toxcore `Messenger.c` (m_send_message_generic).
 *
 *   1  64 message or 65 action
 *   *  text, 1–1372 bytes
 */
import type { Drop } from "../drop.ts";
import { FriendPacketId, MAX_FRIEND_PACKET_SIZE } from "./packet_ids.ts";

export const MAX_MESSAGE_SIZE = MAX_FRIEND_PACKET_SIZE - 1;

export interface MessagePacket {
  readonly action: boolean;
  /** UTF-8, or what a stranger takes for it; a view of the packet. */
  readonly text: Uint8Array;
}

export function encodeMessage(message: MessagePacket): Uint8Array {
  const packet = new Uint8Array(1 + message.text.length);
  packet[0] = message.action ? FriendPacketId.Action : FriendPacketId.Message;
  packet.set(message.text, 1);
  return packet;
}

export function decodeMessage(packet: Uint8Array, drop: Drop): MessagePacket | undefined {
  const action = packet[0] === FriendPacketId.Action;
  if (!action && packet[0] !== FriendPacketId.Message) return drop("unknown-id");
  if (packet.length < 2) return drop("truncated");
  if (packet.length > MAX_FRIEND_PACKET_SIZE) return drop("oversized");
  return { action, text: packet.subarray(1) };
}
