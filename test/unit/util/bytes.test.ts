import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  concatBytes,
  fromHex,
  isAllZero,
  readU16,
  readU32,
  readU64,
  sameBytes,
  toHex,
  writeU16,
  writeU32,
  writeU64,
} from "../../../src/util/bytes.ts";
import { arbitraryU16, arbitraryU32, arbitraryU64 } from "../../support/arbitraries.ts";

describe("hex", () => {
  it("round-trips in both cases, and agrees with Buffer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const hex = toHex(bytes);
        expect(hex).toBe(Buffer.from(bytes).toString("hex").toUpperCase());
        expect(fromHex(hex)).toEqual(bytes);
        expect(fromHex(hex.toLowerCase())).toEqual(bytes);
      }),
    );
  });

  it.each(["0", "0g", "é0", " 00", "00 ", "0x00", "00\n", "-1", "１２"])("does not take %j", (text) => {
    expect(fromHex(text)).toBeUndefined();
  });
});

describe("big-endian numbers", () => {
  it("read as they were written and as DataView has them", () => {
    fc.assert(
      fc.property(arbitraryU16, arbitraryU32, arbitraryU64, (u16, u32, u64) => {
        const bytes = new Uint8Array(20).fill(0xee);
        writeU16(bytes, 1, u16);
        writeU32(bytes, 4, u32);
        writeU64(bytes, 9, u64);
        const view = new DataView(bytes.buffer);
        expect([view.getUint16(1), view.getUint32(4), view.getBigUint64(9)]).toEqual([u16, u32, u64]);
        expect([readU16(bytes, 1), readU32(bytes, 4), readU64(bytes, 9)]).toEqual([u16, u32, u64]);
        expect([bytes[0], bytes[3], bytes[8], bytes[17]]).toEqual([0xee, 0xee, 0xee, 0xee]);
      }),
    );
  });

  it("read zeros behind the end instead of throwing", () => {
    const bytes = Uint8Array.of(1);
    expect([readU16(bytes, 0), readU32(bytes, 0), readU64(bytes, 5)]).toEqual([0x100, 0x1000000, 0n]);
  });
});

describe("byte strings", () => {
  it("are the same when every byte is", () => {
    expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
    expect(sameBytes(new Uint8Array(), new Uint8Array())).toBe(true);
  });

  it("are all zero or not", () => {
    expect(isAllZero(new Uint8Array(40))).toBe(true);
    expect(isAllZero(new Uint8Array(40).fill(1, 39))).toBe(false);
  });

  it("join", () => {
    expect(concatBytes(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3));
    expect(concatBytes()).toEqual(new Uint8Array());
  });
});
