/**
 * The files beside a profile, journal and state, after whatever happened to the disk. The first byte chooses: the rest is a
 * file as it lies there, or a program of what happened to one, plain or encrypted, whose entries are known.
 */
import type { FileHandle } from "node:fs/promises";
import { Crypto } from "../../src/crypto/crypto.ts";
import type { SharedKey } from "../../src/crypto/keys.ts";
import {
  decodeHeader,
  encodeHeader,
  FRAME_HEAD_SIZE,
  FrameCodec,
  headerSize,
  type LogHeader,
  type LogKind,
} from "../../src/node/file_store/log_format.ts";
import { type Scanned, scanFrames } from "../../src/node/file_store/scan.ts";
import { boxSealer, plainSealer } from "../../src/node/file_store/sealer.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { SeededRandom } from "../../src/testing/seeded_random.ts";
import { concatBytes, sameBytes } from "../../src/util/bytes.ts";
import { broken } from "../codec.ts";
import { bytes } from "../samples.ts";
import { Program, program, step } from "../support/program.ts";

const KINDS: readonly LogKind[] = ["journal", "state"];
/** How many entries each turn wrote. */
const TURNS = [1, 3, 2, 1];
const ENTRIES = TURNS.reduce((sum, count) => sum + count);
const ID = bytes(16, 7);
const PLAIN: LogHeader = { id: ID, wrappedKey: new Uint8Array(0) };

export async function fuzz(data: Uint8Array): Promise<void> {
  const [mode = 0] = data;
  const rest = data.subarray(1);
  if (mode % 4 < 2) await checkFile(KINDS[mode % 2] ?? "journal", rest);
  else await checkDamages(new Program(rest), mode % 4 === 3);
}

export function* corpus(): Iterable<Uint8Array> {
  for (const mode of [0, 1]) {
    const header = encodeHeader(KINDS[mode] ?? "journal", PLAIN);
    const frames = written(false).map((turn) => concatBytes(...turn));
    yield concatBytes(Uint8Array.of(mode), header);
    yield concatBytes(Uint8Array.of(mode), header, ...frames);
    yield concatBytes(Uint8Array.of(mode), header, ...frames.slice(1), frames[0]?.subarray(0, 9) ?? ID);
    yield concatBytes(Uint8Array.of(mode), encodeHeader(KINDS[mode] ?? "journal", { id: ID, wrappedKey: bytes(112) }));
  }
  for (const mode of [2, 3]) {
    yield Uint8Array.of(mode);
    yield concatBytes(Uint8Array.of(mode), program(step(Do.Cut, 0, 40)));
    yield concatBytes(
      Uint8Array.of(mode),
      program(step(Do.Flip, 0, 20, 3), step(Do.Zero, 0, 60, 9), step(Do.Cut, 0, 9)),
    );
    yield concatBytes(Uint8Array.of(mode), program(step(Do.Insert, 0, 30, 4, 1, 2, 3, 4), step(Do.Remove, 0, 50, 20)));
  }
}

/** Whatever lies there is read, or nothing of it; what is read comes back when it is written anew. */
async function checkFile(kind: LogKind, file: Uint8Array): Promise<void> {
  const before = file.slice();
  const header = decodeHeader(kind, file);
  if (header === undefined || header === "newer") return;
  const start = headerSize(header);
  if (!sameBytes(encodeHeader(kind, header), file.subarray(0, start)))
    broken("a header is encoded to other bytes", file);
  const scanned = await scanFrames(inMemory(file), start, new FrameCodec(header.id, plainSealer));
  if (!sameBytes(file, before)) broken("reading changes the file", before, file);
  checkBounds(scanned, start, file);
  const anew = concatBytes(...new FrameCodec(ID, plainSealer).chunks(scanned.bodies));
  const again = await scanFrames(inMemory(anew), 0, new FrameCodec(ID, plainSealer));
  const same = again.damaged === 0 && again.end === anew.length && sameBodies(again.bodies, scanned.bodies);
  if (!same) broken("what is written anew is something else", file);
}

/** What was written and not touched is there, in its order; nothing else is; turns that were cut off are not there at all. */
async function checkDamages(code: Program, isEncrypted: boolean): Promise<void> {
  const turns = written(isEncrypted);
  const damages = new Damages(concatBytes(...turns.flat()));
  for (let next = code.step(ACTIONS.length); next !== undefined; next = code.step(ACTIONS.length)) {
    ACTIONS[next]?.(damages, code);
  }
  const { file, isOnlyCut } = damages;
  const scanned = await scanFrames(inMemory(file), 0, codecOf(isEncrypted));
  checkBounds(scanned, 0, file);
  const numbers = scanned.bodies.map((body) => {
    const [number = ENTRIES] = body;
    if (number >= ENTRIES || !sameBytes(body, entryOf(number))) broken("an entry is there that nobody wrote", body);
    return number;
  });
  if (numbers.some((number, i) => number <= (numbers[i - 1] ?? -1))) broken("entries come in another order", file);
  if (!isOnlyCut) return;
  let [whole, size] = [0, 0];
  for (const [i, turn] of turns.entries()) {
    size += turn.reduce((sum, { length }) => sum + length, 0);
    if (size <= file.length) whole += TURNS[i] ?? 0;
  }
  if (numbers.length !== whole || scanned.damaged > 0) broken(`of ${whole} entries ${numbers.length} are there`, file);
}

class Damages {
  file: Uint8Array;
  isOnlyCut = true;

  constructor(file: Uint8Array) {
    this.file = file.slice();
  }

  /** Puts `bytes` in the place of `count` from `at` on. */
  replace(at: number, count: number, bytes: Uint8Array): void {
    this.isOnlyCut = false;
    this.file = concatBytes(this.file.subarray(0, at), bytes, this.file.subarray(at + count));
  }
}

const Do = { Cut: 0, Flip: 1, Zero: 2, Insert: 3, Remove: 4 } as const;

const ACTIONS: readonly ((damages: Damages, code: Program) => void)[] = [
  (damages, code) => {
    damages.file = damages.file.subarray(0, placeIn(damages, code));
  },
  (damages, code) => {
    const at = placeIn(damages, code);
    const [byte] = damages.file.subarray(at);
    if (byte !== undefined) damages.replace(at, 1, Uint8Array.of(byte ^ (1 << (code.byte() & 7))));
  },
  (damages, code) => {
    const at = placeIn(damages, code);
    const count = Math.min(code.byte(), damages.file.length - at);
    damages.replace(at, count, new Uint8Array(count));
  },
  // Shorter than a frame: a whole one would be an entry.
  (damages, code) => damages.replace(placeIn(damages, code), 0, code.bytes(code.byte() & 7)),
  (damages, code) => damages.replace(placeIn(damages, code), code.byte(), new Uint8Array(0)),
];

function placeIn({ file }: Damages, code: Program): number {
  return code.u16() % (file.length + 1);
}

function checkBounds({ bodies, end, damaged }: Scanned, start: number, file: Uint8Array): void {
  if (end < start || end > Math.max(start, file.length)) broken(`the end is at ${end} of ${file.length}`, file);
  const read = bodies.reduce((sum, { length }) => sum + FRAME_HEAD_SIZE + 1 + length, 0);
  if (damaged < 0 || start + read + damaged > file.length) broken("more was read than is there", file);
}

function sameBodies(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return some.length === others.length && some.every((body, i) => sameBytes(body, others[i] ?? ID));
}

function entryOf(number: number): Uint8Array {
  return new Uint8Array(1 + 3 * number).fill(number);
}

/** The frames of each turn. */
function written(isEncrypted: boolean): Uint8Array[][] {
  const codec = codecOf(isEncrypted);
  let next = 0;
  return TURNS.map((count) => [...codec.chunks(Array.from({ length: count }, () => entryOf(next++)))]);
}

function codecOf(isEncrypted: boolean): FrameCodec {
  if (!isEncrypted) return new FrameCodec(ID, plainSealer);
  const crypto = new Crypto(sodiumProvider, new SeededRandom(1));
  return new FrameCodec(ID, boxSealer(crypto, bytes(32, 3) as SharedKey));
}

/** As much of a file as reading needs. */
function inMemory(file: Uint8Array): FileHandle {
  const stat = async () => ({ size: file.length });
  const read = async (into: Uint8Array, offset: number, length: number, position: number) => {
    const taken = file.subarray(position, position + length);
    into.set(taken, offset);
    return { bytesRead: taken.length, buffer: into };
  };
  return { stat, read } as unknown as FileHandle;
}
