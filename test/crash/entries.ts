import assert from "node:assert/strict";

/** What the writing process appends: each entry knows its place, its turn, and how it has to look. */
export interface Entry {
  readonly number: number;
  /** The first entry that was appended in the same turn, and how many there were. */
  readonly first: number;
  readonly count: number;
}

const HEAD_SIZE = 12;

export function encodeEntry({ number, first, count }: Entry): Uint8Array {
  const bytes = Buffer.alloc(HEAD_SIZE + fillerSize(number), number & 0xff);
  bytes.writeUInt32BE(number, 0);
  bytes.writeUInt32BE(first, 4);
  bytes.writeUInt32BE(count, 8);
  return bytes;
}

/** Throws for anything that no writer has written. */
export function decodeEntry(bytes: Uint8Array): Entry {
  const buffer = Buffer.from(bytes);
  const entry = { number: buffer.readUInt32BE(0), first: buffer.readUInt32BE(4), count: buffer.readUInt32BE(8) };
  assert.ok(buffer.equals(encodeEntry(entry)), `entry ${entry.number} is not what was written`);
  return entry;
}

/** Records of several pages, so that a write can be cut off within. */
export function encodeRecord(version: number): Uint8Array {
  const words = new Uint32Array(1000 + (version % 7) * 3000).fill(version);
  return new Uint8Array(words.buffer);
}

/** The version of a record that is whole; throws for a mixture. */
export function decodeRecord(bytes: Uint8Array): number {
  const version = Buffer.from(bytes).readUInt32LE(0);
  assert.ok(Buffer.from(bytes).equals(encodeRecord(version)), `a record begins like version ${version}, and is not`);
  return version;
}

/** Mostly small, now and then larger than what is written in one go. */
function fillerSize(number: number): number {
  return number % 97 === 0 ? 150_000 : (number * 37) % 400;
}
