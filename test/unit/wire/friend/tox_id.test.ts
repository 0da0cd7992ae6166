import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PublicKey } from "../../../../src/crypto/keys.ts";
import type { ToxError } from "../../../../src/util/tox_error.ts";
import { encodeToxId, formatToxId, parseToxId } from "../../../../src/wire/friend/tox_id.ts";
import { arbitraryPublicKey, arbitraryU32 } from "../../../support/arbitraries.ts";

const arbitraryToxId = fc.record({
  publicKey: arbitraryPublicKey.map((key) => {
    const canonical = key.slice();
    canonical[31] = (canonical[31] ?? 0) & 0x7f;
    return canonical as Uint8Array as PublicKey;
  }),
  nospam: arbitraryU32,
});

describe("tox id", () => {
  it("parses what it formats, in any case and with blanks around", () => {
    fc.assert(
      fc.property(arbitraryToxId, fc.boolean(), (id, lower) => {
        const hex = formatToxId(id);
        expect(hex).toMatch(/^[0-9A-F]{76}$/);
        expect(parseToxId(`  ${lower ? hex.toLowerCase() : hex}\n`)).toEqual(id);
      }),
    );
  });

  it("notices any changed byte", () => {
    fc.assert(
      fc.property(arbitraryToxId, fc.nat(37), fc.integer({ min: 1, max: 255 }), (id, at, flip) => {
        const bytes = encodeToxId(id);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        expect(codeOf(() => parseToxId(hexOf(bytes)))).toBe("checksum-mismatch");
      }),
    );
  });

  it("knows an ID that was given out", () => {
    // Published by the Tox project's echo bot.
    const id = "76518406F6A9F2217E8DC487CC783C25CC16A15EB36FF32E335A235342C48A39218F515C39A6";
    expect(parseToxId(id).nospam).toBe(0x218f515c);
    expect(formatToxId(parseToxId(id))).toBe(id);
  });

  it("refuses what is no ID", () => {
    for (const text of ["", "00", "x".repeat(76), "0".repeat(75), "0".repeat(78)]) {
      expect(codeOf(() => parseToxId(text))).toBe("invalid-id");
    }
  });

  it("refuses a key that nobody can have", () => {
    const id = encodeToxId({ publicKey: new Uint8Array(32).fill(0x80) as Uint8Array as PublicKey, nospam: 0 });
    expect(codeOf(() => parseToxId(hexOf(id)))).toBe("invalid-id");
  });
});

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return (error as ToxError).code;
  }
  return undefined;
}
