import { concatBytes } from "../../src/util/bytes.ts";

/** Pieces as one input: two bytes of length before each. */
export function packed(pieces: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...pieces.flatMap((piece) => [Uint8Array.of(piece.length >> 8, piece.length), piece]));
}

/** The pieces of an input, whatever it is; the last one may be short of what it says. */
export function unpacked(data: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at + 1 < data.length; ) {
    const length = ((data[at] ?? 0) << 8) | (data[at + 1] ?? 0);
    pieces.push(data.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return pieces;
}
