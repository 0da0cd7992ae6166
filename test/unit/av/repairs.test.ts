import { describe, expect, it } from "vitest";
import { VideoSender } from "../../../src/av/video_sender.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import { decodeRtpPiece, MAX_PIECE_SIZE, type RtpFrame } from "../../../src/wire/av/rtp.ts";
import { ignoreDrop } from "../../../src/wire/drop.ts";

/** Somebody who shows pictures, and is asked for them again. */
class Shown {
  readonly timeline = new Timeline();
  readonly sent: { readonly at: number; readonly sequence: number; readonly piece: number }[] = [];
  readonly sender = new VideoSender(new VirtualClock(this.timeline, 1_700_000_000), (packet) => {
    const piece = decodeRtpPiece(packet, ignoreDrop);
    if (piece === undefined) return;
    this.sent.push({ at: this.timeline.now, sequence: piece.sequence, piece: piece.offset / MAX_PIECE_SIZE });
  });

  shows(sequence: number, pieces: number): void {
    const data = new Uint8Array(pieces * MAX_PIECE_SIZE);
    const frame: RtpFrame = { kind: "video", sequence, timestamp: 0, ssrc: 0, keyFrame: false, data };
    this.sender.send(frame, true);
  }

  pass(ms: number): void {
    const end = this.timeline.now + ms;
    while (this.timeline.step(end));
    this.timeline.advance(end);
  }
}

const ALL = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ sequence: from + i, piece: undefined }));

describe("repairs", () => {
  it("of a large frame leave a few at a time, as it did itself", () => {
    const shown = new Shown();
    shown.shows(0, 100);
    shown.pass(300);
    expect(shown.sent.length).toBe(100);
    shown.sender.repair(ALL(0, 1));
    expect(shown.sent.length).toBeLessThan(100 + 10);
    shown.pass(200);
    expect(shown.sent.length).toBe(200);
  });

  it("double what is sent at most, however much is asked for", () => {
    const shown = new Shown();
    for (let sequence = 0; sequence < 300; sequence++) {
      shown.shows(sequence, 5);
      shown.sender.repair(ALL(Math.max(0, sequence - 15), 16));
      shown.pass(33);
      shown.sender.repair(ALL(Math.max(0, sequence - 15), 16));
    }
    shown.pass(1_000);
    expect(shown.sent.length).toBeGreaterThan(1_500);
    expect(shown.sent.length).toBeLessThan(2 * 1_500 + 100);
  });

  it("that wait to leave are given up when sending stops", () => {
    const shown = new Shown();
    shown.shows(0, 100);
    shown.pass(300);
    shown.sender.repair(ALL(0, 1));
    shown.sender.close();
    const { length } = shown.sent;
    shown.pass(1_000);
    expect([shown.sent.length, shown.timeline.size]).toEqual([length, 0]);
  });

  it("come before pictures that wait, and hold them up by no more than as much again", () => {
    const shown = new Shown();
    shown.shows(0, 20);
    shown.pass(300);
    shown.shows(1, 60);
    shown.sender.repair([{ sequence: 0, piece: 3 }]);
    shown.pass(5);
    expect(shown.sent.findIndex(({ sequence, at }) => sequence === 0 && at >= 300)).toBeLessThan(20 + 20);
    shown.pass(300);
    expect(shown.sent.filter(({ sequence }) => sequence === 1).map(({ piece }) => piece)).toEqual(
      Array.from({ length: 60 }, (_, i) => i),
    );
  });
});
