/**
 * A piece of a file, right behind the one before. c-toxcore `Messenger.c` (send_file_data_packet, m_handle_packet_file_data).
 *
 *   1  82
 *   1  slot
 *   *  0–1371 bytes. Fewer than 1371 end the file, whatever its size
 */
import type { Drop } from "../drop.ts";
import { FriendPacketId, MAX_FRIEND_PACKET_SIZE } from "./packet_ids.ts";

export const FILE_DATA_HEADER_SIZE = 2;
export const MAX_FILE_DATA_SIZE = MAX_FRIEND_PACKET_SIZE - FILE_DATA_HEADER_SIZE;

export interface FileData {
  readonly slot: number;
  /** A view of the packet. */
  readonly data: Uint8Array;
}

export function encodeFileData({ slot, data }: FileData): Uint8Array {
  const packet = new Uint8Array(FILE_DATA_HEADER_SIZE + data.length);
  writeFileDataHeader(packet, slot);
  packet.set(data, FILE_DATA_HEADER_SIZE);
  return packet;
}

/** For those who write the data behind it in place. */
export function writeFileDataHeader(packet: Uint8Array, slot: number): void {
  packet[0] = FriendPacketId.FileData;
  packet[1] = slot;
}

export function decodeFileData(packet: Uint8Array, drop: Drop): FileData | undefined {
  if (packet[0] !== FriendPacketId.FileData) return drop("unknown-id");
  if (packet.length < FILE_DATA_HEADER_SIZE) return drop("truncated");
  if (packet.length > MAX_FRIEND_PACKET_SIZE) return drop("oversized");
  return { slot: packet[1] ?? 0, data: packet.subarray(FILE_DATA_HEADER_SIZE) };
}
