import { describe, expect, it } from "vitest";
import { AudioRow } from "../../../src/webrtc/audio_row.ts";

/** Places of frames of 20 ms, as steps from the first: of numbers, and of ms. */
function steps(...frames: [number: number, timestamp: number][]): [number, number][] {
  const row = new AudioRow({ sequence: 65_535, timestamp: 2 ** 32 - 100 });
  const places = frames.map(([number, timestamp]) =>
    row.placeOf({ number, timestamp, duration: 20, data: new Uint8Array() }),
  );
  const [first] = places;
  return places.map(({ sequence, timestamp }) => [
    ((sequence - (first?.sequence ?? 0)) << 16) >> 16,
    ((timestamp - (first?.timestamp ?? 0)) | 0) / 48,
  ]);
}

describe("sound in RTP", () => {
  it("follows without a gap, though the friend's clock is uneven", () => {
    expect(steps([7, 1_000], [8, 1_019.7], [9, 1_041.2])).toEqual([
      [0, 0],
      [1, 20],
      [2, 40],
    ]);
  });

  it("has room where frames are missing, and for one that comes late", () => {
    expect(steps([7, 1_000], [10, 1_060], [8, 1_020])).toEqual([
      [0, 0],
      [3, 60],
      [1, 20],
    ]);
  });

  it("has a silence where the friend has one", () => {
    expect(steps([7, 1_000], [8, 3_000], [9, 3_020])).toEqual([
      [0, 0],
      [1, 2_000],
      [2, 2_020],
    ]);
  });

  it("goes on when the friend begins anew, with whatever times", () => {
    expect(steps([70_000, 1_000], [3, 0], [4, 20], [9_000, 1e15])).toEqual([
      [0, 0],
      [1, 20],
      [2, 40],
      [3, 1_040],
    ]);
  });
});
