import { describe, expect, it } from "vitest";
import {
  type AudioSource,
  type FrameSource,
  pumpAudio,
  pumpFrames,
  pumpPictures,
  type TimedFrame,
  testPicture,
  toneSource,
} from "../../../../src/node/media/index.ts";
import { Universe } from "../../../../src/testing/index.ts";
import { dominantFrequency, longestGap } from "../../../support/recognise.ts";

/** So many samples that count up, then the end. */
function counter(pieces: number, log: string[] = []): AudioSource {
  let left = pieces;
  return {
    ...{ sampleRate: 48_000, channels: 1 },
    read: async (samples) => (left-- > 0 ? new Int16Array(samples).fill(pieces - left) : undefined),
    close: async () => void log.push("closed"),
  };
}

describe("a pump", () => {
  it("feeds a frame every 20 ms, with the time it is for, and tells the end", async () => {
    const universe = new Universe({ seed: 1 });
    const { clock } = universe.host("me").edges;
    const log: string[] = [];
    const fed: [first: number, at: number, timestamp: number][] = [];
    const start = clock.monotonic();
    const pump = pumpAudio(
      counter(5, log),
      (pcm, timestamp) => {
        expect(pcm.length).toBe(960);
        fed.push([pcm[0] ?? 0, clock.monotonic() - start, timestamp - start]);
      },
      { clock },
    );
    expect(await universe.wait(pump.done)).toEqual({ reason: "ended" });
    expect(fed).toEqual([1, 2, 3, 4, 5].map((n) => [n, (n - 1) * 20, (n - 1) * 20]));
    expect(log).toEqual(["closed"]);
  });

  it("does not drift, however its timers fire", async () => {
    const universe = new Universe({ seed: 2 });
    const { clock } = universe.host("me").edges;
    const late = {
      ...clock,
      monotonic: () => clock.monotonic(),
      wall: () => clock.wall(),
      at: (time: number, fn: () => void) => clock.at(time + 7.3, fn),
    };
    const fed: number[] = [];
    const start = clock.monotonic();
    const pieces: Int16Array[] = [];
    const pump = pumpAudio(
      toneSource(440),
      (pcm) => {
        pieces.push(pcm);
        fed.push(clock.monotonic() - start);
      },
      { clock: late },
    );
    await universe.run(10_000);
    pump.stop();
    expect(fed.length).toBeGreaterThanOrEqual(499);
    for (const [i, at] of fed.entries()) expect(at - i * 20).toBeLessThan(8);
    const heard = Int16Array.from(pieces.slice(0, 100).flatMap((pcm) => [...pcm]));
    expect(dominantFrequency(heard, 48_000)).toBeCloseTo(440, 0);
    expect(longestGap(heard, 48_000)).toBeLessThan(1);
  });

  it("sends no burst after a pause, but goes on from there", async () => {
    const universe = new Universe({ seed: 3 });
    const { clock } = universe.host("me").edges;
    let asleep = 0;
    const sleepy = {
      monotonic: () => clock.monotonic() + asleep,
      wall: () => clock.wall(),
      at: (time: number, fn: () => void) => clock.at(time - asleep, fn),
    };
    const times: number[] = [];
    const start = clock.monotonic();
    const pump = pumpAudio(toneSource(440), (_, timestamp) => times.push(timestamp - start), { clock: sleepy });
    await universe.run(90);
    asleep = 5000;
    await universe.run(100);
    pump.stop();
    expect(times.slice(0, 5)).toEqual([0, 20, 40, 60, 80]);
    expect(times[5]).toBeGreaterThan(5000);
    expect(times.length).toBeLessThan(12);
    for (let i = 6; i < times.length; i++) expect((times[i] ?? 0) - (times[i - 1] ?? 0)).toBeCloseTo(20);
  });

  it("feeds pictures at their rate, and frames as far apart as they say", async () => {
    const universe = new Universe({ seed: 4 });
    const { clock } = universe.host("me").edges;
    const start = clock.monotonic();
    const shown: number[] = [];
    const pump = pumpPictures(testPicture({ frameRate: 25 }), (_, timestamp) => shown.push(timestamp - start), {
      clock,
    });
    await universe.run(205);
    pump.stop();
    expect(shown).toEqual([0, 40, 80, 120, 160, 200]);
    expect(await universe.wait(pump.done)).toEqual({ reason: "stopped" });

    const frames: TimedFrame[] = [500, 533, 600, 600, 2000].map((timestamp) => ({
      data: new Uint8Array(3),
      timestamp,
    }));
    const source: FrameSource = { kind: "frames", read: async () => frames.shift() };
    const begin = clock.monotonic();
    const fed: number[] = [];
    const other = pumpFrames(source, () => fed.push(Math.round(clock.monotonic() - begin)), { clock });
    expect(await universe.wait(other.done)).toEqual({ reason: "ended" });
    expect(fed).toEqual([0, 33, 100, 101, 1501]);
  });

  it("takes what is live when it comes, and lets go of it when it is stopped", async () => {
    const universe = new Universe({ seed: 5 });
    const { clock } = universe.host("me").edges;
    let close = () => {};
    const closed = new Promise<undefined>((resolve) => {
      close = () => resolve(undefined);
    });
    let reads = 0;
    const source: AudioSource = {
      ...{ sampleRate: 48_000, channels: 1, live: true },
      read: (samples) =>
        reads++ === 3
          ? closed
          : new Promise((resolve) => clock.at(clock.monotonic() + 21, () => resolve(new Int16Array(samples)))),
      close: async () => close(),
    };
    const times: number[] = [];
    const start = clock.monotonic();
    const pump = pumpAudio(source, (_, timestamp) => times.push(timestamp - start), { clock });
    await universe.run(500);
    expect(times).toEqual([21, 41, 61]);
    pump.stop();
    expect(await universe.wait(pump.done)).toEqual({ reason: "stopped" });
  });

  it("ends when its source fails, or what it feeds", async () => {
    const universe = new Universe({ seed: 6 });
    const { clock } = universe.host("me").edges;
    const error = new Error("broken");
    const failing: AudioSource = {
      ...counter(3),
      read: async () => Promise.reject(error),
      close: async () => Promise.reject(error),
    };
    expect(await universe.wait(pumpAudio(failing, () => {}, { clock }).done)).toEqual({ reason: "failed", error });
    const log: string[] = [];
    const refusing = pumpAudio(
      counter(3, log),
      () => {
        throw error;
      },
      { clock },
    );
    expect(await universe.wait(refusing.done)).toEqual({ reason: "failed", error });
    expect(log).toEqual(["closed"]);
  });
});
