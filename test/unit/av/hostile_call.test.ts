import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeAudioPayload } from "../../../src/wire/av/audio_payload.ts";
import { decodeBandwidthReport } from "../../../src/wire/av/bandwidth_report.ts";
import { decodeMediaReport, decodeVideoRepair } from "../../../src/wire/av/call_feedback.ts";
import { decodeMsi } from "../../../src/wire/av/msi.ts";
import { decodeRtpPiece, encodeRtpPiece } from "../../../src/wire/av/rtp.ts";
import { ignoreDrop } from "../../../src/wire/drop.ts";
import { opusFrame, vp8Frame } from "../../support/callers.ts";
import { Line } from "./line.ts";

const ALL = 60;

describe("a call with toxcore", () => {
  it("that crosses ours is given up there: ours fails, and no second invitation goes out, which would break his client", async () => {
    const { call, signals } = new Line(undefined, { ours: false });
    call.handleSignal({ request: "init", capabilities: ALL });
    expect(call.state).toBe("ringing");
    call.handleSignal({ request: "pop", error: "invalid-state" });
    expect(await call.ended).toEqual({ reason: "failed", error: "invalid-state" });
    expect(signals.map(({ request }) => request)).toEqual(["init"]);
  });

  it("that crosses ours and is cancelled leaves ours ringing", () => {
    const { call, signals } = new Line(undefined, { ours: false });
    call.handleSignal({ request: "init", capabilities: ALL });
    call.handleSignal({ request: "pop" });
    expect([call.state, signals.length]).toEqual(["ringing", 1]);
    call.handleSignal({ request: "pop", error: "handle" });
    expect(call.state).toBe("ended");
  });

  it("fails when he says so, with his reason", async () => {
    const line = new Line(undefined, { ours: false });
    line.call.handleSignal({ request: "pop", error: "system" });
    expect(await line.call.ended).toEqual({ reason: "failed", error: "system" });
    expect(line.over).toBe(true);
  });

  it("is taken up where he calls again without having hung up", () => {
    const { call, signals } = new Line(ALL, { ours: false });
    call.answer({ video: true });
    call.handleSignal({ request: "init", capabilities: 52 });
    expect(signals.map(({ request }) => request)).toEqual(["push", "push"]);
    expect([call.state, call.video.peer.sending]).toEqual(["active", false]);
  });

  it("is given key frames unasked, for he cannot ask", () => {
    const line = new Line(ALL, { ours: false });
    let wanted = 0;
    line.call.video.on("keyFrameWanted", () => {
      wanted++;
      line.call.video.send({ data: vp8Frame(0, true) });
    });
    line.call.answer({ video: true });
    line.pass(10_500);
    expect(wanted).toBe(6);
  });

  it("tells of losses as toxcore does, and not where there are none", () => {
    const line = new Line(ALL, { ours: false });
    line.call.answer();
    const speak = (numbers: readonly number[]) => {
      for (const sequence of numbers) {
        const data = encodeAudioPayload(48_000, opusFrame(sequence));
        const header = { kind: "audio", sequence, timestamp: 20 * sequence, ssrc: 0, keyFrame: false } as const;
        const piece = decodeRtpPiece(encodeRtpPiece({ ...header, data }, 0), ignoreDrop);
        if (piece) line.call.handleMedia(piece);
        line.pass(20);
      }
    };
    speak(Array.from({ length: 150 }, (_, i) => i));
    expect(line.sent).toEqual([]);
    speak(Array.from({ length: 150 }, (_, i) => 150 + i).filter((i) => i % 5 !== 0));
    const reports = line.sent.map((packet) => decodeBandwidthReport(packet, ignoreDrop));
    expect(reports.length).toBeGreaterThan(0);
    for (const report of reports) {
      const { lost, received } = report ?? { lost: 0, received: 1 };
      expect(lost / (lost + received)).toBeGreaterThan(0.1);
      expect(lost / (lost + received)).toBeLessThan(0.3);
    }
  });
});

describe("a hostile friend", () => {
  const step = fc.oneof(
    fc.record({ what: fc.constant("signal" as const), bytes: fc.uint8Array({ maxLength: 12 }) }),
    fc.record({
      what: fc.constant("request" as const),
      request: fc.oneof(
        { weight: 30, arbitrary: fc.constantFrom("init" as const, "push" as const) },
        { weight: 1, arbitrary: fc.constant("pop" as const) },
      ),
      capabilities: fc.option(fc.nat({ max: 255 }), { nil: undefined }),
    }),
    fc.record({
      what: fc.constant("media" as const),
      kind: fc.constantFrom("audio" as const, "video" as const),
      sequence: fc.nat({ max: 65_535 }),
      timestamp: fc.nat({ max: 2 ** 32 - 1 }),
      size: fc.integer({ min: 1, max: 6_000 }),
      at: fc.nat({ max: 4 }),
      noise: fc.array(fc.tuple(fc.nat({ max: 90 }), fc.nat({ max: 255 })), { maxLength: 3 }),
    }),
    fc.record({ what: fc.constant("feedback" as const), bytes: fc.uint8Array({ minLength: 18, maxLength: 18 }) }),
    fc.record({ what: fc.constant("wait" as const), ms: fc.nat({ max: 2_000 }) }),
  );

  it("throws nothing, holds nothing up, and leaves a call that ends", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.boolean(), (steps, ours) => {
        const line = new Line(ALL, { ours });
        line.call.answer({ video: true });
        for (const one of steps) {
          if (one.what === "wait") {
            line.pass(one.ms);
            line.call.audio.send({ data: opusFrame(1) });
            line.call.video.send({ data: vp8Frame(1, false) });
          } else if (one.what === "request") {
            line.call.handleSignal({
              request: one.request,
              ...(one.capabilities !== undefined && { capabilities: one.capabilities }),
            });
          } else if (one.what === "signal") {
            const message = decodeMsi(Uint8Array.of(69, ...one.bytes, 0), ignoreDrop);
            if (message) line.call.handleSignal(message);
          } else if (one.what === "feedback") {
            const report = decodeMediaReport(Uint8Array.of(150, 6, ...one.bytes), ignoreDrop);
            if (report) line.call.handleMediaReport(report);
            const missing = decodeVideoRepair(Uint8Array.of(150, 7, ...one.bytes.subarray(0, 16)), ignoreDrop);
            if (missing) line.call.handleRepair(missing);
            const bandwidth = decodeBandwidthReport(Uint8Array.of(196, ...one.bytes.subarray(0, 8)), ignoreDrop);
            if (bandwidth) line.call.handleBandwidthReport(bandwidth);
            line.call.handleKeyFrameRequest();
          } else {
            const { kind, sequence, timestamp, size, at, noise } = one;
            const frame =
              kind === "audio" ? encodeAudioPayload(48_000, opusFrame(1, size)) : vp8Frame(1, true, size + 14);
            const header = { kind, sequence, timestamp, ssrc: 0, keyFrame: false, data: frame };
            const packet = encodeRtpPiece(header, Math.min(at * 1292, frame.length - 1));
            for (const [index, value] of noise) packet[index % packet.length] = value;
            const piece = decodeRtpPiece(packet, ignoreDrop);
            if (piece) line.call.handleMedia(piece);
          }
        }
        line.call.hangUp();
        expect(line.call.state).toBe("ended");
        line.pass(10_000);
        expect(line.timeline.size).toBe(0);
      }),
    );
  });
});
