import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ignoreDrop } from "../../../../src/wire/drop.ts";
import { decodeFileControl, encodeFileControl, type FileControl } from "../../../../src/wire/friend/file_control.ts";
import { decodeFileData, encodeFileData, MAX_FILE_DATA_SIZE } from "../../../../src/wire/friend/file_data.ts";
import { decodeFileRequest, encodeFileRequest, UNKNOWN_FILE_SIZE } from "../../../../src/wire/friend/file_request.ts";
import { arbitraryU32, arbitraryU64 } from "../../../support/arbitraries.ts";
import { codecProperties } from "../../../support/codec_properties.ts";

const slot = fc.integer({ min: 0, max: 255 });
const plain = fc.record({
  byReceiver: fc.boolean(),
  slot,
  control: fc.constantFrom("accept", "pause", "kill"),
  position: fc.constant(0n),
});
const seek = fc.record({
  byReceiver: fc.boolean(),
  slot,
  control: fc.constant("seek"),
  position: arbitraryU64,
});

codecProperties("file request", {
  arbitrary: fc.record({
    slot,
    kind: arbitraryU32,
    size: fc.oneof(arbitraryU64, fc.constant(UNKNOWN_FILE_SIZE)),
    fileId: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    name: fc.uint8Array({ maxLength: 255 }),
  }),
  encode: encodeFileRequest,
  decode: decodeFileRequest,
  variableLength: true,
});

codecProperties("file control", {
  arbitrary: fc.oneof(plain, seek) as fc.Arbitrary<FileControl>,
  encode: encodeFileControl,
  decode: decodeFileControl,
});

codecProperties("file data", {
  arbitrary: fc.record({ slot, data: fc.uint8Array({ maxLength: MAX_FILE_DATA_SIZE }) }),
  encode: encodeFileData,
  decode: decodeFileData,
  variableLength: true,
});

describe("packets about files", () => {
  it("have the bytes that toxcore gives them", () => {
    const fileId = new Uint8Array(32).fill(7);
    const request = { slot: 1, kind: 2, size: 0x0102030405060708n, fileId, name: Uint8Array.of(65) };
    expect([...encodeFileRequest(request)]).toEqual([80, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, ...fileId, 65]);
    const pause = { byReceiver: true, slot: 9, control: "pause", position: 0n } as const;
    expect([...encodeFileControl(pause)]).toEqual([81, 1, 9, 1]);
    const from = { byReceiver: true, slot: 9, control: "seek", position: 258n } as const;
    expect([...encodeFileControl(from)]).toEqual([81, 1, 9, 3, 0, 0, 0, 0, 0, 0, 1, 2]);
    expect([...encodeFileData({ slot: 3, data: Uint8Array.of(1, 2) })]).toEqual([82, 3, 1, 2]);
  });

  it("are dropped with a name or a piece that is too long", () => {
    const fileId = new Uint8Array(32);
    const request = { slot: 1, kind: 0, size: 1n, fileId, name: new Uint8Array(256) };
    expect(decodeFileRequest(encodeFileRequest(request), ignoreDrop)).toBeUndefined();
    const piece = { slot: 1, data: new Uint8Array(MAX_FILE_DATA_SIZE + 1) };
    expect(decodeFileData(encodeFileData(piece), ignoreDrop)).toBeUndefined();
  });
});
