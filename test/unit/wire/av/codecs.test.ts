import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeAudioPayload, encodeAudioPayload } from "../../../../src/wire/av/audio_payload.ts";
import { decodeBandwidthReport, encodeBandwidthReport } from "../../../../src/wire/av/bandwidth_report.ts";
import {
  decodeMediaReport,
  decodeVideoRepair,
  encodeMediaReport,
  encodeVideoRepair,
} from "../../../../src/wire/av/call_feedback.ts";
import { decodeMsi, encodeMsi, type MsiMessage } from "../../../../src/wire/av/msi.ts";
import { opusPacketFacts } from "../../../../src/wire/av/opus_packet.ts";
import { decodeRtpPiece, encodeRtpPiece, MAX_PIECE_SIZE, type RtpFrame } from "../../../../src/wire/av/rtp.ts";
import { vp8FrameFacts } from "../../../../src/wire/av/vp8_frame.ts";
import { type DropReason, ignoreDrop } from "../../../../src/wire/drop.ts";
import { arbitraryU32 } from "../../../support/arbitraries.ts";
import { codecProperties } from "../../../support/codec_properties.ts";

const byte = fc.integer({ min: 0, max: 255 });
const u16 = fc.integer({ min: 0, max: 0xffff });
const request = fc.constantFrom("init" as const, "push" as const, "pop" as const);

codecProperties<MsiMessage>("signal of a call", {
  arbitrary: fc.oneof(
    fc.record({ request }),
    fc.record({ request, capabilities: byte }),
    fc.record({ request, error: fc.constantFrom("none", "invalid-state", "undisclosed") }),
  ) as fc.Arbitrary<MsiMessage>,
  encode: encodeMsi,
  decode: decodeMsi,
});

codecProperties("bandwidth report", {
  arbitrary: fc.record({ lost: arbitraryU32, received: arbitraryU32 }),
  encode: encodeBandwidthReport,
  decode: decodeBandwidthReport,
});

const counts = fc.record({ received: arbitraryU32, lost: arbitraryU32 });
codecProperties("media report", {
  arbitrary: fc.record({ audio: counts, video: counts, queueing: u16 }),
  encode: encodeMediaReport,
  decode: decodeMediaReport,
});

codecProperties("video repair", {
  arbitrary: fc.array(
    fc.record({ sequence: u16, piece: fc.option(fc.integer({ min: 0, max: 0xfffe }), { nil: undefined }) }),
    { minLength: 1, maxLength: 64 },
  ),
  encode: encodeVideoRepair,
  decode: decodeVideoRepair,
  variableLength: true,
});

const reasonsOf = (decode: (drop: (reason: DropReason) => undefined) => unknown) => {
  const reasons: DropReason[] = [];
  const decoded = decode((reason) => {
    reasons.push(reason);
    return undefined;
  });
  return { decoded, reasons };
};

describe("signals", () => {
  it("have the bytes that toxcore gives them", () => {
    expect([...encodeMsi({ request: "init", capabilities: 52 })]).toEqual([69, 1, 1, 0, 3, 1, 52, 0]);
    expect([...encodeMsi({ request: "pop", error: "stray-message" })]).toEqual([69, 1, 1, 2, 2, 1, 4, 0]);
    expect([...encodeMsi({ request: "pop" })]).toEqual([69, 1, 1, 2, 0]);
  });

  it.each([
    ["no request", [69, 3, 1, 52, 0]],
    ["an unknown field", [69, 1, 1, 0, 4, 1, 0, 0]],
    ["a field of two bytes", [69, 1, 2, 0, 0, 0]],
    ["a request that there is not", [69, 1, 1, 3, 0]],
    ["no end", [69, 1, 1, 0]],
    ["a field cut by the end", [69, 1, 1, 0, 3, 1, 0]],
  ])("with %s are dropped", (_what, bytes) => {
    const { decoded, reasons } = reasonsOf((drop) => decodeMsi(Uint8Array.from(bytes), drop));
    expect([decoded, reasons.length]).toEqual([undefined, 1]);
  });
});

describe("a piece of a frame", () => {
  const frame = fc.record({
    kind: fc.constantFrom("audio" as const, "video" as const),
    sequence: u16,
    timestamp: arbitraryU32,
    ssrc: arbitraryU32,
    keyFrame: fc.boolean(),
    data: fc.uint8Array({ minLength: 1, maxLength: 5_000 }),
  });

  it("is decoded as it was encoded, and all pieces together are the frame", () => {
    fc.assert(
      fc.property(frame, (one: RtpFrame) => {
        const whole = new Uint8Array(one.data.length);
        for (let offset = 0; offset < one.data.length; offset += MAX_PIECE_SIZE) {
          const piece = decodeRtpPiece(encodeRtpPiece(one, offset), ignoreDrop);
          const { kind, sequence, timestamp, keyFrame } = one;
          expect(piece).toMatchObject({ kind, sequence, timestamp, keyFrame, offset, length: one.data.length });
          whole.set(piece?.data ?? [], offset);
        }
        expect(whole).toEqual(one.data);
      }),
    );
  });

  it("is taken or dropped with one reason, whatever its bytes are, and lies within its frame", () => {
    const mutations = fc.array(fc.tuple(fc.nat({ max: 100 }), byte), { maxLength: 6 });
    fc.assert(
      fc.property(frame, mutations, fc.nat({ max: 1500 }), (one, changes, cut) => {
        const packet = encodeRtpPiece(one, 0);
        for (const [at, value] of changes) packet[at % packet.length] = value;
        const { decoded, reasons } = reasonsOf((drop) => decodeRtpPiece(packet.subarray(0, cut), drop));
        if (decoded === undefined) expect(reasons.length).toBe(1);
        const piece = decoded as ReturnType<typeof decodeRtpPiece>;
        if (piece) expect(piece.offset + piece.data.length).toBeLessThanOrEqual(piece.length);
      }),
    );
  });

  it("has the bytes that toxcore gives it", () => {
    const data = new Uint8Array(70_000).fill(7);
    const packet = encodeRtpPiece(
      { kind: "video", sequence: 258, timestamp: 0x01020304, ssrc: 5, keyFrame: true, data },
      1292 * 51,
    );
    const header = [193, 0x80, 65, 1, 2, 1, 2, 3, 4, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 3];
    const full = [0, 1, 1, 100, 0, 1, 0x11, 0x70, 0, 0, 0, 0];
    expect([...packet.subarray(0, 81)]).toEqual([...header, ...full, ...new Array(44).fill(0), 1, 100, 0xff, 0xff]);
    expect(packet.length).toBe(1373);
  });
});

describe("a frame of sound", () => {
  it("has its rate in front", () => {
    expect([...encodeAudioPayload(48_000, Uint8Array.of(0xfc, 1))]).toEqual([0, 0, 0xbb, 0x80, 0xfc, 1]);
    expect(decodeAudioPayload(Uint8Array.of(0, 0, 0xbb, 0x80, 0xfc, 1), ignoreDrop)).toEqual({
      ...{ sampleRate: 48_000, channels: 2, duration: 20 },
      packet: Uint8Array.of(0xfc, 1),
    });
  });

  it.each([
    ["no packet", [0, 0, 0xbb, 0x80]],
    ["no rate", [0, 0, 0, 0, 0xf8]],
    ["too high a rate", [0, 0, 0xbb, 0x81, 0xf8]],
    ["no Opus packet", [0, 0, 0xbb, 0x80, 0xfb, 0]],
  ])("with %s is dropped", (_what, bytes) => {
    const { decoded, reasons } = reasonsOf((drop) => decodeAudioPayload(Uint8Array.from(bytes), drop));
    expect([decoded, reasons.length]).toEqual([undefined, 1]);
  });
});

describe("the first bytes of Opus and VP8", () => {
  it.each([
    [[0x00], 10, 1],
    [[0x08], 20, 1],
    [[0x1c], 60, 2],
    [[0x60], 10, 1],
    [[0x80], 2.5, 1],
    [[0xf8], 20, 1],
    [[0xfd], 40, 2],
    [[0xfb, 6], 120, 1],
  ])("%j is %f ms of %i channels", (bytes, duration, channels) => {
    expect(opusPacketFacts(Uint8Array.from(bytes))).toEqual({ duration, channels });
  });

  it.each([[[]], [[0xfb]], [[0xfb, 0]], [[0xfb, 7]], [[0x1b, 3]]])("%j is no Opus packet", (bytes) => {
    expect(opusPacketFacts(Uint8Array.from(bytes))).toBeUndefined();
  });

  it("tell a key frame and its size", () => {
    const key = Uint8Array.of(0x50, 1, 0, 0x9d, 0x01, 0x2a, 0x00, 0x45, 0xd0, 0x82, 0);
    expect(vp8FrameFacts(key)).toEqual({ keyFrame: true, width: 1280, height: 720 });
    expect(vp8FrameFacts(Uint8Array.of(0x51, 1, 0, 0))).toEqual({ keyFrame: false });
    expect(vp8FrameFacts(key.subarray(0, 9))).toBeUndefined();
    expect(vp8FrameFacts(key.with(3, 0))).toBeUndefined();
    expect(vp8FrameFacts(Uint8Array.of(1, 2, 3))).toBeUndefined();
  });
});
