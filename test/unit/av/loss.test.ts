import { describe, expect, it } from "vitest";
import type { AudioReceiver } from "../../../src/av/audio_receiver.ts";
import { LossMeter } from "../../../src/av/loss_meter.ts";
import { LossReports } from "../../../src/av/loss_reports.ts";
import { RateControl } from "../../../src/av/rate_control.ts";
import type { VideoReceiver } from "../../../src/av/video_receiver.ts";
import type { MediaReport } from "../../../src/wire/av/call_feedback.ts";
import { Line } from "./line.ts";
import { pieceOf } from "./pieces.ts";

describe("what is counted as lost", () => {
  it("is nothing of a frame whose pieces are still on their way", () => {
    const meter = new LossMeter();
    for (let i = 0; i < 10; i++) meter.add(i, 1, 1_000);
    for (let piece = 0; piece < 30; piece++) meter.add(10, 80, 1_292);
    expect([meter.received, meter.lost]).toEqual([40, 0]);
    meter.add(11, 1, 1_000);
    expect([meter.received, meter.lost]).toEqual([41, 50]);
    for (let piece = 30; piece < 80; piece++) meter.add(10, 80, 1_292);
    expect(meter.lost).toBe(0);
  });

  it("is also what was lost behind here, once, of what came since the last time", () => {
    const meter = new LossMeter();
    for (let number = 0; number < 40; number++) meter.add(number, 1, 100);
    meter.loseBehind(0.25);
    expect([meter.received, meter.lost]).toEqual([30, 10]);
    meter.loseBehind(0.5); // nothing came
    expect([meter.received, meter.lost]).toEqual([30, 10]);
    for (let number = 40; number < 50; number++) meter.add(number, 1, 100);
    meter.loseBehind(1);
    expect([meter.received, meter.lost]).toEqual([30, 20]);
  });

  it("is not made good by what comes twice", () => {
    const meter = new LossMeter();
    for (let i = 0; i < 100; i++) if (i % 10 !== 5) meter.add(i, 1, 100);
    for (let i = 0; i < 100; i++) if (i % 10 === 4) meter.add(i, 1, 100);
    expect([meter.received, meter.lost]).toEqual([90, 10]);
  });

  it("is no more than was sent, whatever a header says of a frame's length", () => {
    const line = new Line(60);
    line.call.answer({ video: true });
    for (let sequence = 0; sequence < 20; sequence++) {
      line.call.handleMedia({ ...pieceOf("video", sequence, 20 * sequence), length: 0xffff_ffff });
    }
    line.pass(1_000);
    expect(line.call.stats.lossHere).toBe(0);
    expect(line.drops).toContain("oversized");
  });
});

describe("reports of loss", () => {
  const report = (received: number, lost: number): MediaReport => ({
    audio: { received: received >>> 0, lost: lost >>> 0 },
    video: { received: 0, lost: 0 },
    queueing: 0,
  });
  const reports = () => new LossReports({} as AudioReceiver, {} as VideoReceiver);

  it("go on when their counters begin anew after 2^32", () => {
    const heard = reports();
    heard.takeMediaReport(report(2 ** 32 - 100, 2 ** 32 - 10), 0);
    expect(heard.takeMediaReport(report(2 ** 32 + 80, 2 ** 32 + 10), 500)).toBeCloseTo(0.1);
  });

  it("say nothing when their counters go down", () => {
    const heard = reports();
    heard.takeMediaReport(report(1_000, 500), 0);
    expect(heard.takeMediaReport(report(900, 400), 500)).toBe(0);
    expect(heard.takeMediaReport(report(1_000, 400), 1_000)).toBe(0);
  });
});

describe("the least that sound may take", () => {
  it("follows the most when that is raised", () => {
    const rate = new RateControl(12_000, 6_000, 0);
    rate.most = 48_000;
    for (let now = 1_000; now < 60_000; now += 1_000) rate.report({ loss: 1 }, now);
    expect(rate.rate).toBe(12_000);
  });
});
