import { describe, expect, it } from "vitest";
import { PageTimes } from "../../../src/webrtc/page_times.ts";

/** A page whose streams have clocks of their own, and whose pictures are under way longer than its sound. */
class Page {
  readonly times = new PageTimes();
  readonly #delays: { readonly audio: number; readonly video: number };

  constructor(delays: { readonly audio: number; readonly video: number }) {
    this.#delays = delays;
  }

  sound(at: number): number {
    return this.times.audio(this.#audioClock(at), at + this.#delays.audio);
  }

  picture(at: number): number {
    return this.times.video(this.#videoClock(at), at + this.#delays.video);
  }

  reports(at: number): void {
    this.times.noteAudio({ rtp: this.#audioClock(at), page: 5_000_000 + at });
    this.times.noteVideo({ rtp: this.#videoClock(at), page: 5_000_000 + at });
  }

  #audioClock(at: number): number {
    return (4_294_900_000 + at * 48) % 2 ** 32;
  }

  #videoClock(at: number): number {
    return (77_000 + at * 90) % 2 ** 32;
  }
}

describe("the times of a page", () => {
  it("go on at the streams' own pace, past the end of their counters", () => {
    const page = new Page({ audio: 5, video: 5 });
    const begin = page.sound(0);
    expect([20, 40, 5_000].map((at) => page.sound(at) - begin)).toEqual([20, 40, 5_000]);
  });

  it("are those of when things came, before the page reports", () => {
    const page = new Page({ audio: 5, video: 60 });
    expect([page.sound(0), page.picture(0)]).toEqual([5, 60]);
  });

  it("bring together what was taken together, once it has; and sound does not jump", () => {
    const page = new Page({ audio: 5, video: 60 });
    page.sound(0);
    page.picture(0);
    page.reports(1_000);
    expect(page.sound(1_020)).toBeCloseTo(1_025, 6);
    expect(page.picture(1_020)).toBeCloseTo(1_025, 6);
  });

  it("never go back for pictures", () => {
    const page = new Page({ audio: 5, video: 300 });
    page.sound(0);
    const times = [page.picture(0), page.picture(33)];
    page.reports(40);
    times.push(page.picture(66), page.picture(99), page.picture(600));
    expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))).toBe(true);
    expect(times.at(-1)).toBeCloseTo(605, 6);
  });

  it("need no sound", () => {
    const page = new Page({ audio: 0, video: 10 });
    page.reports(0);
    const begin = page.picture(0);
    page.reports(10);
    expect(page.picture(33) - begin).toBeCloseTo(33, 6);
  });

  it("go on when the page's clock is set between two reports, and never far from now", () => {
    const page = new Page({ audio: 5, video: 5 });
    page.sound(0);
    page.picture(0);
    page.reports(0);
    page.times.noteVideo({ rtp: 77_000, page: 5_000_000 + 3_600_000 });
    expect(page.picture(33)).toBeCloseTo(38, 6);
    page.reports(66);
    expect(page.picture(99)).toBeCloseTo(104, 6);
  });

  it("begin anew where a stream's counter jumps", () => {
    const page = new Page({ audio: 5, video: 5 });
    page.sound(0);
    page.picture(0);
    expect(page.times.audio(2 ** 31 - 100_000, 40)).toBe(40);
    expect(page.times.audio(2 ** 31 - 100_000 + 960, 61)).toBeCloseTo(60, 6);
    expect(page.times.video(2 ** 31, 40)).toBe(40);
    expect(page.times.video(2 ** 31 + 3_000, 70)).toBeCloseTo(40 + 3_000 / 90, 6);
  });

  it("stay numbers whatever is reported", () => {
    const page = new Page({ audio: 0, video: 0 });
    page.sound(0);
    page.picture(0);
    page.times.noteAudio({ rtp: 1, page: 0 });
    page.times.noteVideo({ rtp: 2 ** 32 - 1, page: 2 ** 42 });
    expect(Number.isFinite(page.picture(33))).toBe(true);
  });
});
