import { isDeepStrictEqual } from "node:util";
import { sameBytes, toHex } from "../src/util/bytes.ts";
import type { Drop, DropReason } from "../src/wire/drop.ts";
import type { FuzzTarget } from "./target.ts";

/** One kind of packet, and what holds of it whatever bytes come in. */
export interface Codec<T> {
  readonly name: string;
  /** The shortest, the longest, and one of every shape. With `beyond` they are the corpus. */
  readonly samples: readonly T[];
  /** Packets one step beyond what the protocol allows, which are dropped. */
  readonly beyond?: readonly T[];
  encode(into: Uint8Array, packet: T): number;
  decode(bytes: Uint8Array, drop: Drop): T | undefined;
  /** Throws when a decoded packet is none that the protocol knows: too many nodes, too long a text. */
  bounds?(packet: T, bytes: Uint8Array): void;
  /**
   * Given where the decoder overlooks something, so that what it takes is not always what our encoder writes: the bytes
   * that our encoder writes instead. Undefined when only the meaning can be compared.
   */
  canonical?(bytes: Uint8Array): Uint8Array | undefined;
}

/** A codec whose packets' type nobody needs to know any more. */
export interface CheckedCodec {
  readonly name: string;
  corpus(): Uint8Array[];
  /** Throws when these bytes break an oracle. */
  check(bytes: Uint8Array): void;
}

/** Behind and before what an encoder may write. */
const MARGIN = 64;
const scratch = new Uint8Array(70_000);

export function codec<T>(spec: Codec<T>): CheckedCodec {
  return {
    name: spec.name,
    corpus: () => [
      ...spec.samples.map((sample) => encodedSample(spec, sample)),
      ...(spec.beyond ?? []).map((packet) => encodedBeyond(spec, packet)),
    ],
    check: (bytes) => check(spec, bytes),
  };
}

/** A target of several codecs: an input's first byte chooses one, the packet follows. */
export function family(...codecs: readonly CheckedCodec[]): Required<FuzzTarget> {
  return {
    fuzz: (data) => codecs[(data[0] ?? 0) % codecs.length]?.check(data.subarray(1)),
    *corpus() {
      for (const [index, { corpus }] of codecs.entries()) {
        for (const packet of corpus()) yield Uint8Array.of(index, ...packet);
      }
    },
    limitMs: 500,
  };
}

/** Says what is wrong, and with which bytes. */
export function broken(what: string, ...bytes: readonly Uint8Array[]): never {
  throw new Error([what, ...bytes.map(toHex)].join("\n  "));
}

/** Throws unless `size` is at most `limit`. */
export function atMost(limit: number, size: number, what: string): void {
  if (size > limit) broken(`${what}: ${size}, where ${limit} is the most`);
}

function encodedSample<T>(spec: Codec<T>, sample: T): Uint8Array {
  const bytes = encodeInto(spec, sample, 4096, 0);
  const decoded = decodeWhole(spec, bytes);
  if (!isDeepStrictEqual(decoded, sample)) broken(`${spec.name} does not decode to what was encoded`, bytes);
  return bytes;
}

function encodedBeyond<T>(spec: Codec<T>, packet: T): Uint8Array {
  const bytes = encodeInto(spec, packet, 4096, 0);
  if (decodeWhole(spec, bytes) !== undefined) broken(`${spec.name} is taken beyond its bounds`, bytes);
  return bytes;
}

function check<T>(spec: Codec<T>, bytes: Uint8Array): void {
  const packet = decodeWhole(spec, bytes);
  if (packet === undefined) return;
  spec.bounds?.(packet, bytes);
  const encoded = encodeInto(spec, packet, bytes.length + MARGIN, 0xa5);
  if (!sameBytes(encoded, encodeInto(spec, packet, bytes.length + MARGIN, 0x5a))) {
    broken(`${spec.name}: the encoder leaves out bytes within its length`, encoded);
  }
  const expected = spec.canonical ? spec.canonical(bytes) : bytes;
  if (expected !== undefined && !sameBytes(encoded, expected)) {
    broken(`${spec.name} is encoded to other bytes than it was decoded from`, expected, encoded);
  }
  const again = decodeWhole(spec, encoded);
  if (!isDeepStrictEqual(again, packet)) broken(`${spec.name} has another meaning when encoded again`, bytes, encoded);
}

/** Decodes, and looks that there is a packet or one reason for none, and that the input stays as it was. */
function decodeWhole<T>(spec: Codec<T>, bytes: Uint8Array): T | undefined {
  const before = bytes.slice();
  const reasons: DropReason[] = [];
  const packet = spec.decode(bytes, (reason) => {
    reasons.push(reason);
    return undefined;
  });
  if (!sameBytes(bytes, before)) broken(`${spec.name}: the decoder changes its input`, before, bytes);
  if (reasons.length !== (packet === undefined ? 1 : 0)) {
    broken(`${spec.name}: ${packet === undefined ? "dropped" : "taken"} with reasons [${reasons.join(", ")}]`, bytes);
  }
  return packet;
}

/** Encodes between dirty margins, and looks that they stay as they are. */
function encodeInto<T>(spec: Codec<T>, packet: T, room: number, dirt: number): Uint8Array {
  const around = scratch.subarray(0, room + 2 * MARGIN).fill(dirt);
  const length = spec.encode(around.subarray(MARGIN), packet);
  const end = MARGIN + length;
  if (!(length >= 0 && end <= around.length)) broken(`${spec.name}: the encoder answers a length of ${length}`);
  for (let at = end; at < around.length; at++) {
    if (around[at] !== dirt) broken(`${spec.name}: the encoder writes behind its length`, around.slice(MARGIN));
  }
  return around.slice(MARGIN, end);
}

/** For encoders that make their bytes themselves. */
export const into =
  <T>(encode: (packet: T) => Uint8Array) =>
  (target: Uint8Array, packet: T): number => {
    const encoded = encode(packet);
    target.set(encoded);
    return encoded.length;
  };
