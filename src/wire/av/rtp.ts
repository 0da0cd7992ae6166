/**
 * A piece of a frame of sound or picture, lossy packets 192 and 193. c-toxcore `toxav/rtp.c` (rtp_header_pack,
 * rtp_receive_packet); the specification has an older form.
 *
 *   1  192 sound, 193 picture
 *   1  version, 2 in the upper two bits
 *   1  packet id mod 128
 *   2  sequence: counts frames
 *   4  timestamp of the frame, in ms
 *   4  SSRC, without a meaning
 *   8  flags: 1 large frame (pictures: the full fields count), 2 key frame
 *   4  offset of the piece
 *   4  length of the frame
 *   4  what the receiver has of it; sent as 0
 *  44  zeros
 *   2  lower half of the offset
 *   2  length of the frame, 65,535 at most
 *   *  piece, 1 to 1,292 bytes
 */
import { readU16, readU32, writeU16, writeU32 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { MAX_FRIEND_PACKET_SIZE } from "../friend/packet_ids.ts";

export const AvPacketId = { Audio: 192, Video: 193, BandwidthReport: 196 } as const;

export type MediaKind = "audio" | "video";

const SEQUENCE_AT = 3;
const TIMESTAMP_AT = 5;
const SSRC_AT = 9;
/** The last of the eight bytes: both known flags are in it. */
const FLAGS_AT = 20;
const OFFSET_AT = 21;
const LENGTH_AT = 25;
const LOWER_OFFSET_AT = 77;
const LOWER_LENGTH_AT = 79;
const HEADER_SIZE = 81;
const VERSION = 2 << 6;
const LARGE_FRAME = 1;
const KEY_FRAME = 2;

/** What fits into one packet. toxcore cuts frames at multiples of it. */
export const MAX_PIECE_SIZE = MAX_FRIEND_PACKET_SIZE - HEADER_SIZE;

export interface RtpPiece {
  readonly kind: MediaKind;
  /** u16: of the frame. */
  readonly sequence: number;
  /** u32, in ms. */
  readonly timestamp: number;
  readonly keyFrame: boolean;
  /** Where in the frame the piece belongs. */
  readonly offset: number;
  /** Of the whole frame. */
  readonly length: number;
  /** A view of the packet, not empty, and within the frame. */
  readonly data: Uint8Array;
}

export interface RtpFrame {
  readonly kind: MediaKind;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly keyFrame: boolean;
  readonly data: Uint8Array;
}

/**
 * The packet with the piece of the frame that begins at `offset`. toxcore looks at the lower fields of large frames too, and
 * drops the piece where the offset is not below the length.
 */
export function encodeRtpPiece(frame: RtpFrame, offset: number): Uint8Array {
  const { kind, data } = frame;
  const piece = data.subarray(offset, offset + MAX_PIECE_SIZE);
  const packet = new Uint8Array(HEADER_SIZE + piece.length);
  const id = kind === "audio" ? AvPacketId.Audio : AvPacketId.Video;
  packet[0] = id;
  packet[1] = VERSION;
  packet[2] = id % 128;
  writeU16(packet, SEQUENCE_AT, frame.sequence);
  writeU32(packet, TIMESTAMP_AT, frame.timestamp);
  writeU32(packet, SSRC_AT, frame.ssrc);
  packet[FLAGS_AT] = (kind === "video" ? LARGE_FRAME : 0) | (frame.keyFrame ? KEY_FRAME : 0);
  writeU32(packet, OFFSET_AT, offset);
  writeU32(packet, LENGTH_AT, data.length);
  writeU16(packet, LOWER_OFFSET_AT, offset & 0xffff);
  writeU16(packet, LOWER_LENGTH_AT, Math.min(data.length, 0xffff));
  packet.set(piece, HEADER_SIZE);
  return packet;
}

export function decodeRtpPiece(packet: Uint8Array, drop: Drop): RtpPiece | undefined {
  const id = packet[0];
  if (id !== AvPacketId.Audio && id !== AvPacketId.Video) return drop("unknown-id");
  if (packet.length <= HEADER_SIZE) return drop("truncated");
  if (packet.length > MAX_FRIEND_PACKET_SIZE) return drop("oversized");
  if (((packet[2] ?? 0) & 0x7f) !== id % 128) return drop("malformed");
  const flags = packet[FLAGS_AT] ?? 0;
  const large = id === AvPacketId.Video && (flags & LARGE_FRAME) !== 0;
  const offset = large ? readU32(packet, OFFSET_AT) : readU16(packet, LOWER_OFFSET_AT);
  const length = large ? readU32(packet, LENGTH_AT) : readU16(packet, LOWER_LENGTH_AT);
  const data = packet.subarray(HEADER_SIZE);
  if (offset + data.length > length) return drop("malformed");
  return {
    kind: id === AvPacketId.Audio ? "audio" : "video",
    sequence: readU16(packet, SEQUENCE_AT),
    timestamp: readU32(packet, TIMESTAMP_AT),
    keyFrame: (flags & KEY_FRAME) !== 0,
    ...{ offset, length, data },
  };
}
