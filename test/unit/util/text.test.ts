import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromUtf8, utf8 } from "../../../src/util/text.ts";
import { ToxError } from "../../../src/util/tox_error.ts";

describe("text", () => {
  it("round-trips", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(fromUtf8(utf8(text))).toBe(text);
      }),
    );
  });

  it("keeps a byte order mark, and replaces what is not UTF-8", () => {
    expect(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa");
    expect(fromUtf8(Uint8Array.of(0x61, 0xff, 0x62))).toBe("a\ufffdb");
    expect(fromUtf8(utf8("\ud800"))).toBe("\ufffd");
  });

  it("decodes any bytes without throwing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(typeof fromUtf8(bytes)).toBe("string");
      }),
    );
  });
});

describe("ToxError", () => {
  it("carries its code and its cause", () => {
    const cause = new Error("because");
    const error = new ToxError("port-in-use", "Choose another.", { cause });
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.code, error.message, error.cause]).toEqual([
      "ToxError",
      "port-in-use",
      "Choose another.",
      cause,
    ]);
  });
});
