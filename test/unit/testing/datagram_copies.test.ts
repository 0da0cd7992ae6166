import { expect, it } from "vitest";
import { DatagramCopies } from "../../../src/testing/datagram_copies.ts";

it("gives each datagram bytes of its own, whatever becomes of the others and of the buffer", () => {
  const copies = new DatagramCopies();
  const buffer = new Uint8Array(2048);
  const lengths = Array.from({ length: 200 }, (_, i) => (i * 37) % 2049);
  const taken = lengths.map((length, i) => copies.copy(buffer.fill(i & 0xff), length));
  buffer.fill(0xff);
  for (const [i, copy] of taken.entries()) {
    expect(copy).toEqual(new Uint8Array(lengths[i] ?? 0).fill(i & 0xff));
    copy.fill(0xdb);
  }
});

it("takes more than one of its array buffers holds", () => {
  const large = new Uint8Array(100_000).fill(7);
  expect(new DatagramCopies().copy(large, large.length)).toEqual(large);
});
