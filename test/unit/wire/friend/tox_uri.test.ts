import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asPublicKey } from "../../../../src/crypto/keys.ts";
import { ToxError } from "../../../../src/util/tox_error.ts";
import { formatToxId } from "../../../../src/wire/friend/tox_id.ts";
import { formatToxUri, parseToxUri } from "../../../../src/wire/friend/tox_uri.ts";

const ID = formatToxId({ publicKey: asPublicKey(new Uint8Array(32).fill(5)), nospam: 7 });

describe("a tox: link", () => {
  it.each([
    ID,
    ` ${ID.toLowerCase()}\n`,
    `tox:${ID}`,
    `TOX:${ID.toLowerCase()}`,
    `tox://${ID}`,
    `tox://${ID}/`,
    `tox:${ID}?x=1`,
    `tox:${ID}#part`,
  ])("names an ID: %s", (text) => {
    expect(parseToxUri(text)).toEqual({ id: ID });
  });

  it("may say what to write", () => {
    expect(parseToxUri(`tox:${ID}?message=It%20is%20me%2C%20%C3%9C`)).toEqual({ id: ID, message: "It is me, Ü" });
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (message) => {
        expect(parseToxUri(formatToxUri({ id: ID, message }))).toEqual({ id: ID, message });
      }),
    );
    expect(formatToxUri({ id: ID })).toBe(`tox:${ID}`);
  });

  it.each([
    ["", "invalid-id"],
    ["tox:", "invalid-id"],
    [`http://${ID}`, "invalid-id"],
    [`tox:${ID.slice(1)}`, "invalid-id"],
    [`tox:${ID.slice(0, -1)}${ID.endsWith("0") ? 1 : 0}`, "checksum-mismatch"],
    ["tox:somebody@example.org", "invalid-id"],
  ])("is none: %s", (text, code) => {
    expect(() => parseToxUri(text)).toThrow(expect.objectContaining({ code }));
  });

  it("is never anything worse than none", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseToxUri(`tox:${text}`);
        } catch (error) {
          expect(error).toBeInstanceOf(ToxError);
        }
      }),
    );
  });
});
