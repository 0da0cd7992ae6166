/**
 * The files beside a profile: a header, then frames, to be read from front to back.
 *
 * Header
 *   6  "toxts\0"
 *   1  "J" journal, "S" state
 *   1  version, 1
 *  16  random id of this file
 *   2  length of what follows
 *  --  the file's own key under the password, as toxcore encrypts files; nothing when there is no password
 *   4  CRC-32 of all this
 *
 * Frame
 *   4  the first bytes of the file's id. Strangers do not know them, so no message of theirs can look like a frame
 *   4  CRC-32 of id ‖ all that follows
 *   4  length of what follows
 *  --  sealed: 1 flags ‖ body. Flag 1: the last of those that were written together
 */
import { crc32 } from "node:zlib";
import { readU16, readU32, writeU16, writeU32 } from "../../util/bytes.ts";
import type { Sealer } from "./sealer.ts";

export type LogKind = "journal" | "state";

export const FILE_ID_SIZE = 16;
export const FRAME_HEAD_SIZE = 12;
/** Longer is no frame: a bound on what one damaged length makes us read. */
export const MAX_FRAME_SIZE = 0x100_0000;
/** The header with the longest key. */
export const MAX_HEADER_SIZE = 1024;
/** So much is sealed and written in one go. */
const CHUNK_SIZE = 0x8000;

const MAGIC = Uint8Array.of(0x74, 0x6f, 0x78, 0x74, 0x73, 0);
const KINDS = { journal: 0x4a, state: 0x53 } as const;
const VERSION = 1;
const NOTHING = new Uint8Array(0);
const FIXED_SIZE = MAGIC.length + 2 + FILE_ID_SIZE + 2;

export interface LogHeader {
  readonly id: Uint8Array;
  /** Empty when the file is not encrypted. */
  readonly wrappedKey: Uint8Array;
}

export function encodeHeader(kind: LogKind, { id, wrappedKey }: LogHeader): Uint8Array {
  const bytes = new Uint8Array(FIXED_SIZE + wrappedKey.length + 4);
  bytes.set(MAGIC);
  bytes[MAGIC.length] = KINDS[kind];
  bytes[MAGIC.length + 1] = VERSION;
  bytes.set(id, MAGIC.length + 2);
  writeU16(bytes, FIXED_SIZE - 2, wrappedKey.length);
  bytes.set(wrappedKey, FIXED_SIZE);
  const end = FIXED_SIZE + wrappedKey.length;
  writeU32(bytes, end, crc32(bytes.subarray(0, end)));
  return bytes;
}

export function headerSize({ wrappedKey }: LogHeader): number {
  return FIXED_SIZE + wrappedKey.length + 4;
}

/** `newer` for a version that is not ours to read, undefined for what is damaged. */
export function decodeHeader(kind: LogKind, bytes: Uint8Array): LogHeader | "newer" | undefined {
  if (bytes.length < FIXED_SIZE + 4 || !MAGIC.every((byte, i) => bytes[i] === byte)) return undefined;
  if (bytes[MAGIC.length] !== KINDS[kind]) return undefined;
  if ((bytes[MAGIC.length + 1] ?? 0) > VERSION) return "newer";
  const end = FIXED_SIZE + readU16(bytes, FIXED_SIZE - 2);
  if (end + 4 > bytes.length || crc32(bytes.subarray(0, end)) !== readU32(bytes, end)) return undefined;
  return { id: bytes.slice(MAGIC.length + 2, FIXED_SIZE - 2), wrappedKey: bytes.slice(FIXED_SIZE, end) };
}

export interface Frame {
  /** Whether it is the last of those that were written together. */
  readonly last: boolean;
  readonly body: Uint8Array;
}

/** Writes and recognises the frames of one file. */
export class FrameCodec {
  readonly marker: Uint8Array;
  readonly #sealer: Sealer;
  readonly #seed: number;
  /** The flags and the body of one frame at a time. At most twice the longest. */
  #plain = new Uint8Array(1024);

  constructor(id: Uint8Array, sealer: Sealer) {
    this.marker = id.slice(0, 4);
    this.#sealer = sealer;
    this.#seed = crc32(id);
  }

  /** Chunks with the frames of all bodies, which belong together. What a chunk holds is sealed when it is asked for. */
  *chunks(bodies: readonly Uint8Array[]): Iterable<Uint8Array> {
    for (let first = 0; first < bodies.length; ) {
      let next = first;
      let size = 0;
      for (; next < bodies.length && size < CHUNK_SIZE; next++) size += this.#sizeOf(bodies[next] ?? NOTHING);
      const chunk = new Uint8Array(size);
      let at = 0;
      for (; first < next; first++)
        at += this.#encode(chunk, at, bodies[first] ?? NOTHING, first === bodies.length - 1);
      yield chunk;
    }
  }

  /** How long the frame at `at` says to be in all; undefined where none begins. Needs `FRAME_HEAD_SIZE` bytes. */
  lengthAt(bytes: Uint8Array, at: number): number | undefined {
    for (let i = 0; i < 4; i++) if (bytes[at + i] !== this.marker[i]) return undefined;
    const length = readU32(bytes, at + 8);
    return length <= MAX_FRAME_SIZE ? FRAME_HEAD_SIZE + length : undefined;
  }

  /** Undefined for a damaged one. The body is a copy. */
  decode(frame: Uint8Array): Frame | undefined {
    if (this.#checksum(frame) !== readU32(frame, 4)) return undefined;
    const plain = this.#sealer.open(frame.subarray(FRAME_HEAD_SIZE));
    const flags = plain?.[0];
    if (plain === undefined || flags === undefined) return undefined;
    return { last: (flags & 1) !== 0, body: Uint8Array.prototype.slice.call(plain, 1) };
  }

  /** Overwrites the key: the file is closed. */
  wipe(): void {
    this.#plain.fill(0);
    this.#sealer.wipe();
  }

  #sizeOf(body: Uint8Array): number {
    return FRAME_HEAD_SIZE + this.#sealer.overhead + 1 + body.length;
  }

  /** Answers how long the frame is. */
  #encode(chunk: Uint8Array, at: number, body: Uint8Array, last: boolean): number {
    const frame = chunk.subarray(at, at + this.#sizeOf(body));
    if (this.#plain.length <= body.length) this.#plain = new Uint8Array(2 * (1 + body.length));
    this.#plain[0] = last ? 1 : 0;
    this.#plain.set(body, 1);
    this.#sealer.seal(frame.subarray(FRAME_HEAD_SIZE), this.#plain.subarray(0, 1 + body.length));
    frame.set(this.marker);
    writeU32(frame, 8, frame.length - FRAME_HEAD_SIZE);
    writeU32(frame, 4, this.#checksum(frame));
    return frame.length;
  }

  #checksum(frame: Uint8Array): number {
    return crc32(frame.subarray(8), this.#seed);
  }
}
