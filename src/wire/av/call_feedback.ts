/**
 * What the receiver of a call's media tells the sender, between our own peers. docs/extensions.md.
 *
 * media report
 *   1  150
 *   1  6
 *   4  pieces of sound received since the call began
 *   4  and lost
 *   4  pieces of pictures received
 *   4  and lost
 *   2  how much longer than at best they are under way now, in ms
 *
 * video repair
 *   1  150
 *   1  7
 *   *  1 to 64 times: sequence of the frame u16 ‖ piece u16, from 0 on; 65,535 for all of the frame
 *
 * key frame request
 *   1  150
 *   1  8
 */
import { readU16, readU32, writeU16, writeU32 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { ExtensionSubtype } from "../friend/extension.ts";
import { FriendPacketId } from "../friend/packet_ids.ts";

/** Pieces of one kind, counted modulo 2^32. */
export interface MediaCounts {
  readonly received: number;
  readonly lost: number;
}

export interface MediaReport {
  readonly audio: MediaCounts;
  readonly video: MediaCounts;
  /** In ms; 65,535 for anything above. */
  readonly queueing: number;
}

/** A piece that is missing; without `piece` the whole frame. */
export interface MissingPiece {
  readonly sequence: number;
  readonly piece: number | undefined;
}

export const MAX_MISSING_PIECES = 64;

const REPORT_SIZE = 20;
const ENTRY_SIZE = 4;
const WHOLE_FRAME = 0xffff;

export function encodeMediaReport({ audio, video, queueing }: MediaReport): Uint8Array {
  const packet = new Uint8Array(REPORT_SIZE);
  packet[0] = FriendPacketId.Extension;
  packet[1] = ExtensionSubtype.MediaReport;
  writeU32(packet, 2, audio.received);
  writeU32(packet, 6, audio.lost);
  writeU32(packet, 10, video.received);
  writeU32(packet, 14, video.lost);
  writeU16(packet, 18, Math.min(queueing, 0xffff));
  return packet;
}

export function decodeMediaReport(packet: Uint8Array, drop: Drop): MediaReport | undefined {
  if (!is(packet, ExtensionSubtype.MediaReport)) return drop("unknown-id");
  if (packet.length < REPORT_SIZE) return drop("truncated");
  if (packet.length > REPORT_SIZE) return drop("oversized");
  return {
    audio: { received: readU32(packet, 2), lost: readU32(packet, 6) },
    video: { received: readU32(packet, 10), lost: readU32(packet, 14) },
    queueing: readU16(packet, 18),
  };
}

/** Takes 1 to 64 of them. */
export function encodeVideoRepair(missing: readonly MissingPiece[]): Uint8Array {
  const packet = new Uint8Array(2 + ENTRY_SIZE * missing.length);
  packet[0] = FriendPacketId.Extension;
  packet[1] = ExtensionSubtype.VideoRepair;
  let at = 2;
  for (const { sequence, piece } of missing) {
    writeU16(packet, at, sequence);
    writeU16(packet, at + 2, piece ?? WHOLE_FRAME);
    at += ENTRY_SIZE;
  }
  return packet;
}

export function decodeVideoRepair(packet: Uint8Array, drop: Drop): MissingPiece[] | undefined {
  if (!is(packet, ExtensionSubtype.VideoRepair)) return drop("unknown-id");
  const count = (packet.length - 2) / ENTRY_SIZE;
  if (count < 1) return drop("truncated");
  if (count > MAX_MISSING_PIECES) return drop("oversized");
  if (!Number.isInteger(count)) return drop("malformed");
  const missing: MissingPiece[] = [];
  for (let at = 2; at < packet.length; at += ENTRY_SIZE) {
    const piece = readU16(packet, at + 2);
    missing.push({ sequence: readU16(packet, at), piece: piece === WHOLE_FRAME ? undefined : piece });
  }
  return missing;
}

export function encodeKeyFrameRequest(): Uint8Array {
  return Uint8Array.of(FriendPacketId.Extension, ExtensionSubtype.KeyFrameRequest);
}

function is(packet: Uint8Array, subtype: number): boolean {
  return packet[0] === FriendPacketId.Extension && packet[1] === subtype;
}
