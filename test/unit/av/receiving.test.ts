import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AudioJitter } from "../../../src/av/audio_jitter.ts";
import { FrameAssembly } from "../../../src/av/frame_assembly.ts";
import { LossMeter } from "../../../src/av/loss_meter.ts";
import { VideoOrder } from "../../../src/av/video_order.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import { Unwrapper } from "../../../src/util/unwrap.ts";
import { decodeAudioPayload, encodeAudioPayload } from "../../../src/wire/av/audio_payload.ts";
import { MAX_PIECE_SIZE, type RtpPiece } from "../../../src/wire/av/rtp.ts";
import { type DropReason, ignoreDrop } from "../../../src/wire/drop.ts";
import { numberInOpus, opusFrame, vp8Frame } from "../../support/callers.ts";
import { piecesOf } from "./pieces.ts";

/** Runs what is scheduled up to then. */
function passUntil(timeline: Timeline, time: number): void {
  while (timeline.step(time));
  timeline.advance(time);
}

function assembly(maxSize = 1 << 20) {
  const drops: DropReason[] = [];
  const frames = new FrameAssembly(maxSize, (reason) => {
    drops.push(reason);
    return undefined;
  });
  return { frames, drops };
}

describe("frames from pieces", () => {
  it("are whole once all have come, in any order, each once or twice", () => {
    const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 0, 1, 2, 3, 4], { minLength: 10 });
    fc.assert(
      fc.property(order, (at) => {
        const data = vp8Frame(1, false, 4 * MAX_PIECE_SIZE + 10);
        const pieces = piecesOf(data);
        const { frames } = assembly();
        const whole = at.map((i) => frames.add(0, pieces[i] as RtpPiece)).filter((frame) => frame !== undefined);
        expect(whole[0]?.data).toEqual(data);
      }),
    );
  });

  it("tell what they lack", () => {
    const pieces = piecesOf(vp8Frame(1, false, 3 * MAX_PIECE_SIZE));
    const { frames } = assembly();
    expect(frames.missing(0)).toBeUndefined();
    frames.add(0, pieces[1] as RtpPiece);
    expect(frames.missing(0)).toEqual([0, 2 * MAX_PIECE_SIZE]);
  });

  it("are dropped when pieces lie about length, time or place, or overlap", () => {
    const [first, second] = piecesOf(vp8Frame(1, false, 2 * MAX_PIECE_SIZE)) as [RtpPiece, RtpPiece];
    const { frames, drops } = assembly();
    frames.add(0, first);
    expect(frames.add(0, { ...second, length: second.length + 1 })).toBeUndefined();
    expect(frames.add(0, { ...second, timestamp: 9 })).toBeUndefined();
    expect(frames.add(0, first)).toBeUndefined();
    expect(frames.add(0, { ...second, offset: 1 })).toBeUndefined(); // as many bytes as it takes, but not these
    expect(frames.add(1, { ...first, length: 2 ** 31 })).toBeUndefined();
    expect(drops).toEqual(["malformed", "malformed", "replayed", "malformed", "oversized"]);
  });

  it("that are never finished take no more than a bound, in frames, bytes and pieces", () => {
    const { frames, drops } = assembly(100_000);
    const [piece] = piecesOf(new Uint8Array(60_000)) as [RtpPiece];
    for (let number = 0; number < 200; number++) {
      for (let offset = 0; offset < 58_000; offset += MAX_PIECE_SIZE) frames.add(number, { ...piece, offset });
    }
    expect(drops.filter((reason) => reason === "table-full").length).toBeGreaterThan(190);
    const crumbs = assembly();
    const one = { ...piece, data: Uint8Array.of(1), length: 60_000 };
    for (let offset = 0; offset < 60_000; offset += 2) crumbs.frames.add(0, { ...one, offset });
    expect(crumbs.drops.length).toBeGreaterThan(100);
    expect(crumbs.frames.receivedPieces(0)).toBeLessThan(100);
  });
});

/** Sound that comes at the times that a test says. */
class Listening {
  readonly timeline = new Timeline();
  readonly clock = new VirtualClock(this.timeline, 1_700_000_000);
  readonly played: { readonly at: number; readonly number: number | "lost" }[] = [];
  readonly jitter = new AudioJitter(this.clock, {
    frame: ({ data }) => void this.played.push({ at: this.clock.monotonic(), number: numberInOpus(data) }),
    lost: () => void this.played.push({ at: this.clock.monotonic(), number: "lost" }),
  });

  /** The frame comes at `at`; it was sent at `sentAt`. */
  comes(number: number, at: number, sentAt = 20 * number): void {
    const payload = decodeAudioPayload(encodeAudioPayload(48_000, opusFrame(number)), ignoreDrop);
    this.clock.at(at, () => payload && this.jitter.add(number, sentAt, payload));
  }

  until(time: number): void {
    passUntil(this.timeline, time);
  }

  get numbers(): (number | "lost")[] {
    return this.played.map(({ number }) => number);
  }
}

describe("sound that is due", () => {
  it("comes out at an even pace although it came in bursts", () => {
    const listening = new Listening();
    for (let i = 0; i < 300; i++) listening.comes(i, 100 + 60 * Math.floor(i / 3));
    listening.until(20_000);
    expect(listening.numbers.filter((number) => number !== "lost")).toEqual(Array.from({ length: 300 }, (_, i) => i));
    const late = listening.played.slice(100).filter(({ number }) => number === "lost").length;
    expect(late).toBeLessThan(6);
    const pauses = listening.played.slice(101, 280).map(({ at }, i) => at - (listening.played[100 + i]?.at ?? 0));
    expect(Math.max(...pauses)).toBeLessThan(25);
  });

  it("waits no longer than a few ms where all is even", () => {
    const listening = new Listening();
    for (let i = 0; i < 500; i++) listening.comes(i, 100 + 20 * i);
    listening.until(20_000);
    expect(listening.jitter.delay).toBeLessThan(6);
    expect(listening.numbers.slice(0, 500)).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  it("goes on after a silence where no number is missing, and conceals no more than its beginning", () => {
    const listening = new Listening();
    for (let i = 0; i < 50; i++) listening.comes(i, 100 + 20 * i);
    for (let i = 50; i < 100; i++) listening.comes(i, 3_100 + 20 * i, 3_000 + 20 * i);
    listening.until(20_000);
    expect(listening.numbers.filter((number) => number !== "lost")).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(listening.numbers.slice(50, 55)).toEqual(new Array(5).fill("lost"));
    expect(listening.numbers[55]).toBe(50);
    expect(listening.jitter.lost).toBe(0);
  });

  it("follows a sender who begins anew, or whose clock jumps", () => {
    const listening = new Listening();
    for (let i = 0; i < 50; i++) listening.comes(i, 100 + 20 * i);
    for (let i = 50; i < 100; i++) listening.comes(i, 100 + 20 * i, 1e9 + 20 * i);
    for (let i = 9_000; i < 9_050; i++) listening.comes(i, 2_100 + 20 * (i - 9_000), 5);
    listening.until(20_000);
    const heard = listening.numbers.filter((number) => number !== "lost");
    expect(heard.length).toBeGreaterThan(140);
    expect(heard.at(-1)).toBeGreaterThan(9_040);
  });

  it("of noise takes bounded memory and ends", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 2_000 }), fc.nat({ max: 100_000 }), fc.nat({ max: 4_000 })), {
          maxLength: 300,
        }),
        (frames) => {
          const listening = new Listening();
          for (const [number, sentAt, at] of frames) listening.comes(number, at, sentAt);
          listening.until(200_000);
          expect(listening.played.length).toBeLessThan(200_000 / 20);
        },
      ),
    );
  });
});

describe("pictures in order", () => {
  function order(patience = 50) {
    const timeline = new Timeline();
    const told: string[] = [];
    const pictures = new VideoOrder(new VirtualClock(timeline, 1_700_000_000), () => patience, {
      frame: ({ number }) => void told.push(`${number}`),
      lost: (count) => void told.push(`lost ${count}`),
    });
    const add = (number: number, keyFrame = false) =>
      pictures.add({ number, timestamp: 0, keyFrame, data: new Uint8Array(1) });
    return { timeline, told, add };
  }

  it("wait for an earlier one, but not for long", () => {
    const { timeline, told, add } = order();
    for (const number of [0, 2, 3, 1, 4, 6, 7]) add(number);
    expect(told).toEqual(["0", "1", "2", "3", "4"]);
    passUntil(timeline, timeline.now + 60);
    expect(told.slice(5)).toEqual(["lost 1", "6", "7"]);
    add(5);
    expect(told.length).toBe(8);
  });

  it("do not wait behind a key frame", () => {
    const { told, add } = order();
    add(0);
    add(3);
    add(5, true);
    expect(told).toEqual(["0", "lost 2", "3", "lost 1", "5"]);
  });

  it("are given out, or said to be lost, once each, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 700 }), fc.boolean()), { maxLength: 300 }), (frames) => {
        const { timeline, told, add } = order();
        for (const [number, keyFrame] of frames) {
          add(number, keyFrame && number % 50 === 0);
          passUntil(timeline, timeline.now + 7);
        }
        passUntil(timeline, timeline.now + 10_000);
        const given = told.filter((word) => !word.startsWith("lost")).map(Number);
        if (Math.max(0, ...frames.map(([number]) => number)) < 500) expect(new Set(given).size).toBe(given.length);
      }),
    );
  });
});

describe("numbers", () => {
  it("of 16 bits go on after their end, and back a little", () => {
    const numbers = new Unwrapper(16);
    expect([65_534, 65_535, 0, 65_535, 1, 40_000].map((value) => numbers.unwrap(value))).toEqual([
      ...[65_534, 65_535, 65_536, 65_535, 65_537],
      40_000,
    ]);
    expect(numbers.unwrap(2)).toBe(65_538);
  });

  it("tell what was lost, and that what came late was not", () => {
    const meter = new LossMeter();
    for (let i = 0; i < 100; i++) if (i % 10 !== 5) meter.add(i, 1, 100);
    expect([meter.received, meter.lost]).toEqual([90, 10]);
    for (let i = 5; i < 100; i += 10) meter.add(i, 1, 100);
    expect([meter.received, meter.lost, meter.lostBytes]).toEqual([100, 0, 0]);
  });
});
