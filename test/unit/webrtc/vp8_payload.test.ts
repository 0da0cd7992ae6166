import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isKeyFrame, packetizeVp8, readVp8Payload } from "../../../src/webrtc/vp8_payload.ts";
import { hex } from "../../support/hex.ts";

describe("VP8 in RTP", () => {
  it("is put in payloads of nearly one length, of which the first says that it is", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 6_000 }), (frame) => {
        const parts = packetizeVp8(frame).map((payload) => readVp8Payload(payload));
        expect(parts.map((part) => part?.first)).toEqual(parts.map((_, index) => index === 0));
        expect(Buffer.concat(parts.map((part) => part?.data ?? new Uint8Array()))).toEqual(Buffer.from(frame));
        const lengths = parts.map((part) => part?.data.length ?? 0);
        expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
        expect(Math.max(...lengths)).toBeLessThanOrEqual(1_180);
      }),
    );
  });

  // Descriptors as in RFC 7741, section 4.2, each before the one byte AA.
  it.each([
    ["10 aa", true, "a frame begins"],
    ["00 aa", false, "its second packet"],
    ["11 aa", false, "its second partition begins"],
    ["90 80 05 aa", true, "picture id of 7 bits"],
    ["90 80 85 05 aa", true, "picture id of 15 bits"],
    ["90 40 03 aa", true, "TL0PICIDX"],
    ["90 20 40 aa", true, "T alone"],
    ["90 10 1f aa", true, "K alone"],
    ["90 30 5f aa", true, "T and K share a byte"],
    ["90 f0 85 05 03 5f aa", true, "all of them"],
    ["90 00 aa", true, "extensions of which there is none"],
  ])("reads %s: %s (%s)", (text, first) => {
    expect(readVp8Payload(hex(text))).toEqual({ first, data: Uint8Array.of(0xaa) });
  });

  it.each(["", "10", "90", "90 80", "90 80 85 05", "90 f0 85 05 03 5f"])("refuses what ends too soon: %s", (text) => {
    expect(readVp8Payload(hex(text))).toBeUndefined();
  });

  it("reads noise without throwing, and never beyond its end", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (noise) => {
        const part = readVp8Payload(noise);
        if (part !== undefined) expect(part.data.length).toBeGreaterThan(0);
      }),
    );
  });

  it("knows key frames", () => {
    expect(isKeyFrame(Uint8Array.of(0x10))).toBe(true);
    expect(isKeyFrame(Uint8Array.of(0x11))).toBe(false);
    expect(isKeyFrame(new Uint8Array())).toBe(false);
  });
});
