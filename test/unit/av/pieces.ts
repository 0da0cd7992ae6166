import { encodeAudioPayload } from "../../../src/wire/av/audio_payload.ts";
import {
  decodeRtpPiece,
  encodeRtpPiece,
  MAX_PIECE_SIZE,
  type MediaKind,
  type RtpPiece,
} from "../../../src/wire/av/rtp.ts";
import { ignoreDrop } from "../../../src/wire/drop.ts";
import { opusFrame, vp8Frame } from "../../support/callers.ts";

/** A frame of one piece, with its number in it. `keyFrame`: of a picture. */
export function pieceOf(kind: MediaKind, sequence: number, timestamp: number, keyFrame = false): RtpPiece {
  const data = kind === "audio" ? encodeAudioPayload(48_000, opusFrame(sequence)) : vp8Frame(sequence, keyFrame, 1_000);
  return firstPieceOf(kind, sequence, timestamp, data);
}

/** The first piece of any frame. */
export function firstPieceOf(kind: MediaKind, sequence: number, timestamp: number, data: Uint8Array): RtpPiece {
  const header = { kind, sequence: sequence & 0xffff, timestamp: timestamp >>> 0, ssrc: 0, keyFrame: false };
  const piece = decodeRtpPiece(encodeRtpPiece({ ...header, data }, 0), ignoreDrop);
  if (piece === undefined) throw new Error("no piece");
  return piece;
}

/** All pieces of a picture. */
export function piecesOf(data: Uint8Array, sequence = 0, timestamp = 0): RtpPiece[] {
  const pieces: RtpPiece[] = [];
  for (let offset = 0; offset < data.length; offset += MAX_PIECE_SIZE) {
    const packet = encodeRtpPiece({ kind: "video", sequence, timestamp, ssrc: 0, keyFrame: false, data }, offset);
    pieces.push(decodeRtpPiece(packet, ignoreDrop) as RtpPiece);
  }
  return pieces;
}
