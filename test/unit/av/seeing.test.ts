import { describe, expect, it } from "vitest";
import { FrameAssembly } from "../../../src/av/frame_assembly.ts";
import { VideoReceiver } from "../../../src/av/video_receiver.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import type { MissingPiece } from "../../../src/wire/av/call_feedback.ts";
import { MAX_PIECE_SIZE, type RtpPiece } from "../../../src/wire/av/rtp.ts";
import { ignoreDrop } from "../../../src/wire/drop.ts";
import { vp8Frame } from "../../support/callers.ts";
import { pieceOf, piecesOf } from "./pieces.ts";

/** Pictures whose packets come when a test says. */
class Seeing {
  readonly timeline = new Timeline();
  readonly told: string[] = [];
  readonly asked: (readonly MissingPiece[])[] = [];
  keyFrames = 0;
  onTold: () => void = () => {};
  readonly receiver: VideoReceiver;

  constructor(repairs = true) {
    this.receiver = new VideoReceiver({
      ...{ clock: new VirtualClock(this.timeline, 1_700_000_000), drop: ignoreDrop, repairs, roundTripMs: 50 },
      askRepair: (missing) => void this.asked.push(missing),
      askKeyFrame: () => {
        this.keyFrames++;
      },
      frame: ({ data, damaged }) =>
        this.#tell(`${data[10] === undefined ? "?" : data[13]}${damaged ? " damaged" : ""}`),
      lost: (frames) => this.#tell(`lost ${frames}`),
    });
  }

  pass(ms: number): void {
    const end = this.timeline.now + ms;
    while (this.timeline.step(end));
    this.timeline.advance(end);
  }

  #tell(word: string): void {
    this.told.push(word);
    this.onTold();
  }
}

describe("the first key frame", () => {
  it("is repaired like any other", () => {
    const { receiver, asked, told } = new Seeing();
    const [first, second, third] = piecesOf(vp8Frame(0, true, 3 * MAX_PIECE_SIZE), 0, 0) as RtpPiece[];
    receiver.handle(first as RtpPiece);
    receiver.handle(third as RtpPiece);
    receiver.handle(pieceOf("video", 1, 33));
    expect(asked).toEqual([[{ sequence: 0, piece: 1 }]]);
    expect(told).toEqual([]);
    receiver.handle(second as RtpPiece);
    expect(told).toEqual(["0", "1"]);
  });
});

describe("a friend who begins anew with lower numbers", () => {
  it("is seen again", () => {
    const { receiver, told } = new Seeing(false);
    for (let i = 0; i < 3; i++) receiver.handle(pieceOf("video", 30_000 + i, 33 * i, i === 0));
    for (let i = 0; i < 3; i++) receiver.handle(pieceOf("video", i, 33 * i, i === 0));
    expect(told.slice(3)).toEqual(["0", "1", "2"]);
  });
});

describe("repairs that a hostile friend makes us ask for", () => {
  it("are few, however many frames he leaves unfinished, and however long they are", () => {
    const { receiver, asked, pass } = bound(new Seeing());
    receiver.handle(pieceOf("video", 0, 0, true));
    const [piece] = piecesOf(vp8Frame(1, false, 4 << 20), 1, 33) as [RtpPiece];
    for (let i = 0; i < 5_000; i++) {
      const sequence = (i < 2_500 ? 1 + i : 2_500 + 17 * i) & 0xffff;
      receiver.handle({ ...piece, sequence, timestamp: 33 * i });
      if (i % 50 === 0) pass(1);
    }
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThan(40);
    expect(Math.max(...asked.map(({ length }) => length))).toBeLessThanOrEqual(64);
  });
});

describe("a frame of which much is missing", () => {
  it("is asked for part by part", () => {
    const { receiver, asked, told, pass } = bound(new Seeing());
    const pieces = piecesOf(vp8Frame(0, true, 100 * MAX_PIECE_SIZE), 0, 0);
    receiver.handle(pieces[0] as RtpPiece);
    receiver.handle(pieceOf("video", 1, 33));
    for (let turn = 0; turn < 3; turn++) {
      for (const { piece } of asked.splice(0).flat()) receiver.handle(pieces[piece ?? 0] as RtpPiece);
      pass(70);
      receiver.handle(pieceOf("video", 2 + turn, 66 + 33 * turn));
    }
    expect(told.slice(0, 2)).toEqual(["0", "1"]);
  });
});

describe("a listener", () => {
  it.each(["frame", "lost"])("that ends all at a %s is told no more", (kind) => {
    const seeing = new Seeing();
    const { receiver, told } = seeing;
    receiver.handle(pieceOf("video", 0, 0, true));
    for (const number of [2, 3, 5]) receiver.handle(pieceOf("video", number, 33 * number));
    seeing.onTold = () => {
      if (told.at(-1)?.startsWith("lost") === (kind === "lost")) receiver.reset();
    };
    const before = told.length;
    receiver.handle(pieceOf("video", 7, 231, true));
    expect(told.slice(before)).toEqual(kind === "lost" ? ["lost 1"] : ["lost 1", "2 damaged"]);
    seeing.onTold = () => {};
    receiver.handle(pieceOf("video", 8, 264, true));
    expect(told.at(-1)).toBe("8");
    seeing.pass(1_000);
    expect(seeing.timeline.size).toBe(0);
  });
});

describe("crumbs", () => {
  it("count as what they take, not as what is in them", () => {
    const frames = new FrameAssembly(4 << 20, ignoreDrop);
    const [piece] = piecesOf(vp8Frame(0, false, 4 << 20)) as [RtpPiece];
    for (let number = 0; number < 16; number++) {
      for (let i = 0; i < 6_000; i++) frames.add(number, { ...piece, offset: 2 * i, data: Uint8Array.of(1) });
    }
    let pieces = 0;
    for (let number = 0; number < 16; number++) pieces += frames.receivedPieces(number);
    expect(pieces).toBeGreaterThan(5_000);
    expect(pieces).toBeLessThan(25_000);
  });
});

function bound(seeing: Seeing) {
  const { receiver, asked, told } = seeing;
  return { receiver, asked, told, pass: (ms: number) => seeing.pass(ms) };
}
