/**
 * Behind the last piece of a file, between our own peers: what the whole of it is. docs/extensions.md.
 *
 *   1  150
 *   1  5
 *  32  file id
 *  32  SHA-256 of the file, from its front
 */
import type { Drop } from "../drop.ts";
import { ExtensionSubtype } from "./extension.ts";
import { FILE_ID_SIZE } from "./file_request.ts";
import { FriendPacketId } from "./packet_ids.ts";

export const FILE_HASH_SIZE = 32;

const HASH_AT = 2 + FILE_ID_SIZE;
const SIZE = HASH_AT + FILE_HASH_SIZE;

export interface FileHash {
  /** Views of the packet. */
  readonly fileId: Uint8Array;
  readonly hash: Uint8Array;
}

export function encodeFileHash({ fileId, hash }: FileHash): Uint8Array {
  const packet = new Uint8Array(SIZE);
  packet[0] = FriendPacketId.Extension;
  packet[1] = ExtensionSubtype.FileHash;
  packet.set(fileId, 2);
  packet.set(hash, HASH_AT);
  return packet;
}

export function decodeFileHash(packet: Uint8Array, drop: Drop): FileHash | undefined {
  if (packet[0] !== FriendPacketId.Extension || packet[1] !== ExtensionSubtype.FileHash) return drop("unknown-id");
  if (packet.length < SIZE) return drop("truncated");
  if (packet.length > SIZE) return drop("oversized");
  return { fileId: packet.subarray(2, HASH_AT), hash: packet.subarray(HASH_AT) };
}
