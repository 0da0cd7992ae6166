import { describe, expect, it } from "vitest";
import { CallRates } from "../../../src/av/call_rates.ts";
import { MediaClock } from "../../../src/av/media_clock.ts";
import { RateControl } from "../../../src/av/rate_control.ts";
import { VideoSender } from "../../../src/av/video_sender.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import { decodeRtpPiece, MAX_PIECE_SIZE, type RtpFrame } from "../../../src/wire/av/rtp.ts";
import { ignoreDrop } from "../../../src/wire/drop.ts";

function sending() {
  const timeline = new Timeline();
  const sent: { readonly at: number; readonly sequence: number; readonly piece: number }[] = [];
  const sender = new VideoSender(new VirtualClock(timeline, 1_700_000_000), (packet) => {
    const piece = decodeRtpPiece(packet, ignoreDrop);
    if (piece) sent.push({ at: timeline.now, sequence: piece.sequence, piece: piece.offset / MAX_PIECE_SIZE });
  });
  const pass = (ms: number) => {
    const end = timeline.now + ms;
    while (timeline.step(end));
    timeline.advance(end);
  };
  const frame = (sequence: number, pieces: number): RtpFrame => ({
    ...{ kind: "video", sequence, timestamp: 0, ssrc: 0, keyFrame: false },
    data: new Uint8Array(pieces * MAX_PIECE_SIZE),
  });
  return { sender, sent, pass, frame };
}

describe("a picture on its way out", () => {
  it("leaves at once when it is small, and a few pieces at a time when it is not", () => {
    const { sender, sent, pass, frame } = sending();
    pass(1_000);
    sender.send(frame(0, 5), false);
    expect(sent.length).toBe(5);
    pass(100);
    sender.send(frame(1, 80), false);
    expect(sent.length).toBeLessThan(5 + 10);
    pass(200);
    expect(sent.length).toBe(85);
    const times = sent.slice(5).map(({ at }) => at);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(30);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(60);
    expect(sent.slice(5).map(({ piece }) => piece)).toEqual(Array.from({ length: 80 }, (_, i) => i));
  });

  it("hurries when others wait behind it, and is left out when too much does", () => {
    const { sender, sent, pass, frame } = sending();
    const taken = Array.from({ length: 60 }, (_, i) => sender.send(frame(i, 100), false));
    expect(taken.filter(Boolean).length).toBe(41);
    pass(500);
    expect(sent.length).toBe(4_100);
  });

  it("is sent again in part or whole when asked for soon, and only so often", () => {
    const { sender, sent, pass, frame } = sending();
    pass(1_000);
    sender.send(frame(7, 4), true);
    expect(sender.repair([{ sequence: 7, piece: 2 }])).toBe(1);
    expect(sent.at(-1)).toMatchObject({ sequence: 7, piece: 2 });
    expect(sender.repair([{ sequence: 7, piece: 2 }])).toBe(0);
    expect(sender.repair([{ sequence: 7, piece: undefined }])).toBe(3);
    for (let i = 0; i < 10; i++) {
      pass(30);
      sender.repair([{ sequence: 7, piece: 2 }]);
    }
    expect(sent.filter(({ piece }) => piece === 2).length).toBe(1 + 3);
    expect(
      sender.repair([
        { sequence: 7, piece: 4 },
        { sequence: 8, piece: undefined },
      ]),
    ).toBe(0);
    pass(1_000);
    expect(sender.repair([{ sequence: 7, piece: 0 }])).toBe(0);
  });

  it("that has not left yet is not sent again", () => {
    const { sender, sent, pass, frame } = sending();
    sender.send(frame(0, 50), true);
    sender.repair([{ sequence: 0, piece: undefined }]);
    pass(200);
    expect(sent.length).toBeLessThan(50 + 12);
  });
});

describe("bit rates", () => {
  it("fall with loss and with queues, and rise again when all is well", () => {
    const rate = new RateControl(100_000, 1_000_000, 0);
    rate.report({ loss: 0.2 }, 1_000);
    expect(rate.rate).toBe(900_000);
    rate.report({ loss: 0, queueing: 300 }, 2_000);
    expect(rate.rate).toBe(765_000);
    rate.report({ loss: 0.05 }, 3_000);
    expect(rate.rate).toBe(765_000);
    for (let now = 3_500; now < 7_000; now += 500) rate.report({ loss: 0, queueing: 5 }, now);
    const rested = rate.rate;
    for (let now = 7_000; now < 30_000; now += 500) rate.report({ loss: 0, queueing: 5 }, now);
    expect(rested).toBeLessThan(900_000);
    expect(rate.rate).toBe(1_000_000);
    for (let now = 30_000; now < 60_000; now += 1_000) rate.report({ loss: 0.9 }, now);
    expect(rate.rate).toBe(100_000);
  });

  it("take silence of a toxcore peer for a good sign", () => {
    const rate = new RateControl(100_000, 1_000_000, 0);
    rate.report({ loss: 0.5 }, 1_000);
    for (let now = 1_000; now < 5_000; now += 250) rate.noNews(now);
    expect(rate.rate).toBe(750_000);
    for (let now = 5_000; now <= 20_000; now += 250) rate.noNews(now);
    expect(rate.rate).toBe(1_000_000);
  });

  it("of pictures give way before those of sound, and come back after them", () => {
    const rates = new CallRates(48_000, 1_000_000, 0);
    let now = 0;
    const report = (loss: number) => {
      now += 1_000;
      rates.report({ loss }, true, now);
    };
    for (let i = 0; i < 9; i++) report(0.5);
    expect([rates.audio.isMost, rates.video.isLeast]).toEqual([true, true]);
    report(0.2);
    expect(rates.audio.rate).toBe(48_000); // what is lost at random is not lost less for it
    report(0.5);
    expect(rates.audio.rate).toBe(36_000);
    now += 1_000;
    rates.report({ loss: 0, queueing: 500 }, true, now);
    expect(rates.audio.rate).toBeCloseTo(30_600);
    for (let i = 0; i < 6; i++) report(0);
    expect(rates.audio.rate).toBeGreaterThan(30_600);
    expect(rates.video.isLeast).toBe(true);
    for (let i = 0; i < 80; i++) report(0);
    expect([rates.audio.isMost, rates.video.isMost]).toEqual([true, true]);
  });
});

describe("times", () => {
  it("of an app and of ours become ms since the call began, and never go back", () => {
    const clock = new MediaClock(5_000);
    expect(clock.wire(undefined, 5_010, 0)).toBe(10);
    expect(clock.wire(1e12, 5_020, 10)).toBe(20);
    expect(clock.wire(1e12 + 33.4, 5_060, 20)).toBe(53);
    expect(clock.wire(1e12 + 20, 5_060, 53)).toBe(53);
    expect(clock.wire(3, 5_100, 53)).toBe(100); // another clock
  });
});
