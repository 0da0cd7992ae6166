import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeFileRecords, encodeFileRecords } from "../../../src/files/records.ts";
import { utf8 } from "../../../src/util/text.ts";

const key = "A".repeat(64);
const send = { friend: key, fileId: key, kind: 0, size: undefined, location: "/a", version: undefined };
const receive = { friend: key, fileId: key, kind: 1, size: 7, location: undefined, version: "4", bytes: 3 };

describe("the record of half-done files", () => {
  it("comes back as it was written", () => {
    const records = { sends: [send, { ...send, version: "2", size: 5 }], receives: [receive] };
    expect(decodeFileRecords(encodeFileRecords(records))).toEqual(records);
  });

  it("is read as far as it makes sense, whatever is in it", () => {
    const empty = { sends: [], receives: [] };
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeFileRecords(bytes)).toEqual(empty);
      }),
    );
    fc.assert(
      fc.property(fc.json(), fc.json(), (sends, receives) => {
        const text = `{"version":1,"sends":${sends},"receives":${receives}}`;
        expect(() => decodeFileRecords(utf8(text))).not.toThrow();
      }),
    );
    const spoilt = [receive, { ...receive, friend: "x" }, { ...receive, bytes: -1 }, null];
    const text = JSON.stringify({ version: 1, sends: 3, receives: spoilt });
    expect(decodeFileRecords(utf8(text))).toEqual({ sends: [], receives: [receive] });
  });
});
