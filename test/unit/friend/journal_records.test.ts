import { describe, expect, it } from "vitest";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import { decodeMessageRecord, encodeMessageRecord, type MessageRecord } from "../../../src/friend/journal_records.ts";
import { concatBytes } from "../../../src/util/bytes.ts";

const friend = new Uint8Array(32).fill(7) as Uint8Array as PublicKey;
const mark = { epoch: 1n, sequence: 2n };
const message = { ...mark, number: 3n, action: true, bytes: Uint8Array.of(65) };

const fixed: MessageRecord[] = [
  { kind: "settled", friend, first: 1n, last: 9n },
  { kind: "handled", friend, mark },
  { kind: "handledEarly", friend, mark },
  { kind: "place", friend, mark },
  { kind: "removed", friend },
];

describe("a record of the journal", () => {
  const queued = [message, { ...message, action: false }, { ...message, expiresAt: 1_800_000_000 }];
  it.each([...fixed, ...queued.map((one) => ({ kind: "queued" as const, friend, message: one }))])(
    "comes back as it was written: $kind",
    (record) => {
      expect(decodeMessageRecord(encodeMessageRecord(record))).toEqual(record);
    },
  );

  it("is refused when its flags, its expiry or its text are none", () => {
    const entry = encodeMessageRecord({ kind: "queued", friend, message: { ...message, expiresAt: 5 } });
    const flagsAt = 34 + 24;
    for (let flags = 4; flags < 256; flags *= 2) {
      expect(decodeMessageRecord(entry.with(flagsAt, flags))).toBeUndefined();
    }
    expect(decodeMessageRecord(entry.with(flagsAt + 1, 0xff))).toBeUndefined();
    expect(decodeMessageRecord(entry.subarray(0, entry.length - 1))).toBeUndefined();
    expect(decodeMessageRecord(concatBytes(entry, new Uint8Array(1372)))).toBeUndefined();
  });

  it.each(fixed)("is refused when it is longer or shorter than its kind: $kind", (record) => {
    const entry = encodeMessageRecord(record);
    expect(decodeMessageRecord(entry.subarray(1))).toBeUndefined();
    expect(decodeMessageRecord(entry.subarray(0, entry.length - 1))).toBeUndefined();
    expect(decodeMessageRecord(concatBytes(entry, Uint8Array.of(0)))).toBeUndefined();
  });
});
