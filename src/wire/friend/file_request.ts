/**
 * The offer of a file. c-toxcore `Messenger.c` (file_sendrequest, m_handle_packet_file_sendrequest).
 *
 *   1  80
 *   1  slot: the number of the transfer in this direction, until it ends
 *   4  kind: 0 data, 1 avatar, 2 sticker, 3 sha1, 4 sha256
 *   8  size; all ones: not known
 *  32  file id
 *   *  name, 0–255 bytes
 */
import { readU32, readU64, writeU32, writeU64 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { FriendPacketId } from "./packet_ids.ts";

export const FILE_ID_SIZE = 32;
export const MAX_FILE_NAME_SIZE = 255;
/** Transfers in one direction. */
export const FILE_SLOTS = 256;
export const UNKNOWN_FILE_SIZE = 0xffff_ffff_ffff_ffffn;

const HEADER_SIZE = 14 + FILE_ID_SIZE;

export interface FileRequest {
  readonly slot: number;
  readonly kind: number;
  readonly size: bigint;
  /** A view of the packet, as the name is. */
  readonly fileId: Uint8Array;
  readonly name: Uint8Array;
}

export function encodeFileRequest(request: FileRequest): Uint8Array {
  const packet = new Uint8Array(HEADER_SIZE + request.name.length);
  packet[0] = FriendPacketId.FileSendRequest;
  packet[1] = request.slot;
  writeU32(packet, 2, request.kind);
  writeU64(packet, 6, request.size);
  packet.set(request.fileId, 14);
  packet.set(request.name, HEADER_SIZE);
  return packet;
}

export function decodeFileRequest(packet: Uint8Array, drop: Drop): FileRequest | undefined {
  if (packet[0] !== FriendPacketId.FileSendRequest) return drop("unknown-id");
  if (packet.length < HEADER_SIZE) return drop("truncated");
  if (packet.length > HEADER_SIZE + MAX_FILE_NAME_SIZE) return drop("oversized");
  return {
    slot: packet[1] ?? 0,
    kind: readU32(packet, 2),
    size: readU64(packet, 6),
    fileId: packet.subarray(14, HEADER_SIZE),
    name: packet.subarray(HEADER_SIZE),
  };
}
