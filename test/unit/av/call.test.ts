import { describe, expect, it } from "vitest";
import { opusFrame, vp8Frame } from "../../support/callers.ts";
import { Line } from "./line.ts";

const ALL = 60;

/** An answered call with one of ours, in which both send all. */
function talk(options: { ours?: boolean } = {}) {
  const line = new Line(ALL, options);
  line.call.answer({ video: true });
  let wanted = 0;
  line.call.video.on("keyFrameWanted", () => {
    wanted++;
  });
  const wantedSince = () => {
    const count = wanted;
    wanted = 0;
    return count;
  };
  const hears = (capabilities: number) => line.call.handleSignal({ request: "push", capabilities });
  return { line, call: line.call, hears, wantedSince };
}

describe("an answer", () => {
  it("whose bit rate makes a listener hang up is none", () => {
    const { call, signals } = new Line(ALL);
    call.audio.on("bitRate", () => call.hangUp());
    call.answer({ audioBitRate: 24_000 });
    expect(call.state).toBe("ended");
    expect(signals.map(({ request }) => request)).toEqual(["pop"]);
  });

  it("with a bit rate that cannot be changes nothing", () => {
    for (const videoBitRate of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      const { call, signals } = new Line(ALL);
      expect(() => call.answer({ audioBitRate: 24_000, videoBitRate })).toThrow(
        expect.objectContaining({ code: "invalid-argument" }),
      );
      expect([call.state, call.audio.maxBitRate, signals.length]).toEqual(["ringing", 48_000, 0]);
    }
  });
});

describe("an end", () => {
  it("is final when a listener answers, pauses and hangs up in it", () => {
    const { call, line } = talk();
    call.on("state", () => {
      call.answer();
      call.pause();
      call.resume();
      call.hangUp();
    });
    call.hangUp();
    expect(line.signals.map(({ request }) => request)).toEqual(["push", "pop"]);
    expect([call.state, call.audio.send({ data: opusFrame(1) })]).toEqual(["ended", false]);
  });
});

describe("a key frame is wanted", () => {
  it("when pictures flow again after a pause of ours, and when our camera is turned on again", () => {
    const { line, call, wantedSince } = talk();
    line.pass(1_000);
    wantedSince();
    call.pause();
    line.pass(1_000);
    expect(wantedSince()).toBe(0);
    call.resume();
    expect(wantedSince()).toBe(1);
    line.pass(1_000);
    call.video.sending = false;
    line.pass(1_000);
    call.video.sending = true;
    expect(wantedSince()).toBe(1);
  });

  it("also when it was wanted a moment before, since what was made then may not have left", () => {
    const { line, wantedSince, hears } = talk();
    line.pass(1_000);
    wantedSince();
    hears(0);
    hears(ALL);
    expect(wantedSince()).toBe(1);
    line.pass(50);
    hears(0);
    hears(ALL);
    expect(wantedSince()).toBe(0);
    line.pass(300);
    expect(wantedSince()).toBe(1);
    line.pass(2_000);
    expect(wantedSince()).toBe(0);
  });

  it("when a picture was left out because too much waits", () => {
    const { line, call, wantedSince } = talk();
    line.pass(1_000);
    wantedSince();
    const large = vp8Frame(1, false, 4 << 20);
    expect([call.video.send({ data: large }), call.video.send({ data: large })]).toEqual([true, false]);
    expect(wantedSince()).toBe(1);
  });

  it("now and then by toxcore, which cannot ask, and when it tells of a loss", () => {
    const { line, call, wantedSince } = talk({ ours: false });
    line.pass(1_000);
    wantedSince();
    const show = (ms: number, keyFrames: boolean) => {
      for (let passed = 0; passed < ms; passed += 50) {
        call.video.send({ data: vp8Frame(1, keyFrames) });
        line.pass(50);
      }
      return wantedSince();
    };
    expect(show(10_000, false)).toBeGreaterThan(3);
    expect(show(10_000, true)).toBe(0);
    show(400, false);
    call.handleBandwidthReport({ lost: 1_000, received: 20_000 });
    expect(wantedSince()).toBe(1);
  });

  it("by nobody while it is not sent", () => {
    const { line, call, wantedSince } = talk({ ours: false });
    wantedSince();
    call.video.sending = false;
    line.pass(20_000);
    expect(wantedSince()).toBe(0);
  });
});

describe("a hostile friend who says the same things again and again", () => {
  it("pauses and resumes: the app hears of it now and then, and how it is in the end", () => {
    const { line, call, hears } = talk();
    const told: string[] = [];
    call.on("state", ({ state }) => void told.push(state));
    call.on("peer", () => void told.push("peer"));
    for (let i = 0; i < 10_000; i++) {
      hears(i % 2 === 0 ? 0 : ALL);
      if (i % 10 === 0) line.pass(1);
    }
    hears(0);
    line.pass(1_000);
    expect(told.length).toBeGreaterThan(4);
    expect(told.length).toBeLessThan(100);
    expect([told.findLast((word) => word !== "peer"), call.state]).toEqual(["paused", "paused"]);
  });

  it("calls again and again in a call: he is not answered each time", () => {
    const { line, call } = talk();
    for (let i = 0; i < 10_000; i++) {
      call.handleSignal({ request: "init", capabilities: ALL });
      if (i % 10 === 0) line.pass(1);
    }
    expect(line.signals.length).toBeGreaterThan(3);
    expect(line.signals.length).toBeLessThan(30);
    expect(call.state).toBe("active");
  });

  it("wants key frames: few are made", () => {
    const { line, call, wantedSince } = talk();
    wantedSince();
    for (let i = 0; i < 10_000; i++) {
      call.handleKeyFrameRequest();
      if (i % 10 === 0) line.pass(1);
    }
    expect(wantedSince()).toBeLessThan(6);
  });

  it("is one of ours, and tells of losses as toxcore does: that counts for nothing", () => {
    const { call } = talk();
    call.handleBandwidthReport({ lost: 1_000, received: 1_000 });
    expect([call.stats.lossThere, call.video.bitRate]).toEqual([0, 1_500_000]);
  });
});

describe("times that are none", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("(%f) are refused", (timestamp) => {
    const { call } = talk();
    const refused = expect.objectContaining({ code: "invalid-argument" });
    expect(() => call.audio.send({ data: opusFrame(1), timestamp })).toThrow(refused);
    expect(() => call.video.send({ data: vp8Frame(1, true), timestamp })).toThrow(refused);
  });
});
