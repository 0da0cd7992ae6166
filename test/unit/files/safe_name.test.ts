import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { safeFileName } from "../../../src/files/safe_name.ts";
import { fromUtf8, utf8 } from "../../../src/util/text.ts";

describe("a file's name", () => {
  it.each([
    ["a cat.png", "a cat.png"],
    ["../../etc/passwd", "_.._etc_passwd"],
    ["..\\..\\boot.ini", "_.._boot.ini"],
    ["C:\\autoexec.bat", "C__autoexec.bat"],
    ["/etc/shadow", "_etc_shadow"],
    [".bashrc", "bashrc"],
    ["...", "file"],
    ["", "file"],
    ["a\0b\nc", "a_b_c"],
    ["con", "_con"],
    ["COM1.txt", "_COM1.txt"],
    ["nul .tar.gz", "_nul .tar.gz"],
    ["console.log", "console.log"],
    ["gpj.\u202etxt.exe", "gpj._txt.exe"],
    ["trailing. . ", "trailing"],
    ["con .txt", "_con .txt"],
    ["LPT9", "_LPT9"],
    ["COM\u00b9.log", "_COM\u00b9.log"],
    ["CONIN$", "_CONIN$"],
    ["aux.", "_aux"],
    ["NUL:", "NUL_"],
    ["com10.txt", "com10.txt"],
    [". . .", "file"],
    ["\u3000", "file"],
    ["a\u00adb\u200bc\u2066d\u{e0041}e\u3164f.txt", "a_b_c_d_e_f.txt"],
    ["a\u2028b\ufff9c\ud800d", "a_b_c_d"],
    ["\u2764\ufe0f.png", "\u2764.png"],
    ["\u202e\u202e", "__"],
    ["Ünïcödé 🎉.mp4", "Ünïcödé 🎉.mp4"],
  ])("%j becomes %j", (raw, safe) => {
    expect(safeFileName(raw)).toBe(safe);
  });

  it("is cut to what a disk takes, and keeps its extension", () => {
    const long = safeFileName(`${"ä".repeat(200)}.jpeg`);
    expect(utf8(long).length).toBeLessThanOrEqual(240);
    expect(long.endsWith("ä.jpeg")).toBe(true);
    expect(utf8(safeFileName(`x.${"y".repeat(254)}`)).length).toBe(240);
  });

  it.each([
    ["255 bytes of which none is UTF-8", new Uint8Array(255).fill(0xff), "\ufffd".repeat(80)],
    ["255 dots", new Uint8Array(255).fill(0x2e), "file"],
    ["255 NULs", new Uint8Array(255), "_".repeat(240)],
    ["half a letter at the end", Uint8Array.of(0x61, 0xc3), "a\ufffd"],
    ["nothing", new Uint8Array(0), "file"],
  ])("is safe as it comes from a stranger: %s", (_what, bytes, safe) => {
    expect(safeFileName(fromUtf8(bytes))).toBe(safe);
  });

  it("is safe whatever a stranger chooses", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (raw) => {
        const name = safeFileName(raw);
        expect(name).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}/\\:*?"<>|]/u);
        expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
        expect(name).not.toMatch(/^\.|[. ]$/);
        expect(name).not.toBe("");
        expect(utf8(name).length).toBeLessThanOrEqual(240);
        expect(safeFileName(name)).toBe(name);
      }),
    );
  });
});
