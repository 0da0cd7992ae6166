import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { safeFileName } from "../../../src/files/safe_name.ts";
import { utf8 } from "../../../src/util/text.ts";

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

  it("is safe whatever a stranger chooses", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (raw) => {
        const name = safeFileName(raw);
        expect(name).not.toMatch(/[\p{Cc}/\\:]/u);
        expect(name).not.toMatch(/^\.|[. ]$/);
        expect(name).not.toBe("");
        expect(utf8(name).length).toBeLessThanOrEqual(240);
        expect(safeFileName(name)).toBe(name);
      }),
    );
  });
});
