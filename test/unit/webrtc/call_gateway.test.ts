import { afterEach, describe, expect, it, vi } from "vitest";
import { CallGateway } from "../../../src/webrtc/index.ts";
import { packetizeVp8 } from "../../../src/webrtc/vp8_payload.ts";
import { opusFrame, vp8Frame } from "../../support/callers.ts";
import { FakeCall } from "./fake_call.ts";
import { FakePage } from "./fake_page.ts";

const toClose: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()));
});

/** A page that is connected to a call. */
async function joined(call = new FakeCall()) {
  const page = new FakePage();
  const gateway = await CallGateway.open(call.asCall, await page.offer());
  toClose.push(
    () => gateway.close(),
    () => page.close(),
  );
  await page.take(gateway.answer);
  expect(await gateway.connected).toBe(true);
  return { call, page, gateway };
}

function sendFrame(page: FakePage, frame: Uint8Array, sequence: number, timestamp: number): void {
  const payloads = packetizeVp8(frame);
  payloads.forEach((payload, index) => {
    page.send("video", { sequence: sequence + index, timestamp, marker: index === payloads.length - 1, payload });
  });
}

const until = (what: () => void) => vi.waitFor(what, { timeout: 20_000, interval: 10 });

describe("a page in a call", () => {
  it("gives its frames to the friend as they are", async () => {
    const { call, page, gateway } = await joined();
    const picture = vp8Frame(7, true, 30_000);
    page.send("audio", { sequence: 1, timestamp: 960, marker: false, payload: opusFrame(1) });
    page.send("audio", { sequence: 2, timestamp: 1_920, marker: false, payload: opusFrame(2) });
    sendFrame(page, picture, 10, 3_000);
    await until(() => expect([call.audio.sent.length, call.video.sent.length]).toEqual([2, 1]));
    expect(call.audio.sent.map(({ data }) => Buffer.from(data))).toEqual(
      [opusFrame(1), opusFrame(2)].map((one) => Buffer.from(one)),
    );
    expect(Buffer.from(call.video.sent[0]?.data ?? [])).toEqual(Buffer.from(picture));
    const [first, second] = call.audio.sent;
    expect((second?.timestamp ?? 0) - (first?.timestamp ?? 0)).toBeCloseTo(20, 6);
    expect(gateway.stats).toMatchObject({ audioFromPage: 2, videoFromPage: 1 });
  });

  it("gets the friend's as they are, with their times, and a gap where one is lost", async () => {
    const { call, page } = await joined();
    call.hear(1, 5_000, opusFrame(1));
    call.hear(3, 5_040, opusFrame(3));
    call.see(5_010, vp8Frame(1, true, 30_000));
    await until(() =>
      expect([page.seen.audio.length, page.seen.video.length]).toEqual([
        2,
        packetizeVp8(vp8Frame(1, true, 30_000)).length,
      ]),
    );
    const [first, third] = page.seen.audio;
    expect([...(third?.payload ?? [])]).toEqual([...opusFrame(3)]);
    expect(((third?.sequence ?? 0) - (first?.sequence ?? 0)) & 0xffff).toBe(2);
    expect(((third?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0).toBe(40 * 48);
    expect(page.seen.video.map(({ marker }) => marker).indexOf(true)).toBe(page.seen.video.length - 1);
    // What the page is told of both clocks leads back to the times that the friend gave.
    await until(() => expect(Math.min(page.reports.audio.length, page.reports.video.length)).toBeGreaterThan(0));
    const time = (kind: "audio" | "video", rtp: number, perMs: number) => {
      const report = page.reports[kind][0];
      return (report?.ntp ?? 0) + ((rtp - (report?.rtp ?? 0)) | 0) / perMs;
    };
    const heard = time("audio", first?.timestamp ?? 0, 48);
    const seen = time("video", page.seen.video[0]?.timestamp ?? 0, 90);
    expect(seen - heard).toBeCloseTo(10, 1);
  });

  it("has its sound and its pictures in step, however late the pictures come", async () => {
    const { call, page } = await joined();
    page.send("audio", { sequence: 1, timestamp: 48_000, marker: false, payload: opusFrame(1) });
    await until(() => expect(call.audio.sent).toHaveLength(1));
    sendFrame(page, vp8Frame(1, true, 500), 10, 90_000);
    await until(() => expect(call.video.sent).toHaveLength(1));
    page.report("audio", 48_000, 9_000_000);
    page.report("video", 90_000 + 9_000, 9_000_000); // so what is at 99,000 was taken with that sound
    sendFrame(page, vp8Frame(2, true, 500), 11, 99_000 + 180_000);
    await until(() => expect(call.video.sent).toHaveLength(2));
    const apart = (call.video.sent[1]?.timestamp ?? 0) - (call.audio.sent[0]?.timestamp ?? 0);
    expect(apart).toBeCloseTo(2_000, 3);
  });

  it("is told what its pictures may take, at once when that becomes less", async () => {
    const { call, page } = await joined();
    sendFrame(page, vp8Frame(1, true, 500), 10, 0);
    await until(() => expect(page.limits[0]).toBeGreaterThan(1_000_000));
    expect(page.limits[0]).toBeLessThan(1_050_000);
    call.video.emit("bitRate", 200_000);
    await until(() => expect(page.limits.at(-1)).toBeLessThan(210_000));
    expect(page.limits.at(-1)).toBeGreaterThan(200_000);
  });

  it("is asked for key frames, and has the friend asked; its losses are reported to him", async () => {
    const { call, page } = await joined();
    call.video.emit("keyFrameWanted");
    sendFrame(page, vp8Frame(1, true, 500), 10, 0); // where none has come, nobody can be asked
    await until(() => expect(page.keyFramesAsked).toBe(1));
    call.video.emit("keyFrameWanted");
    await until(() => expect(page.keyFramesAsked).toBe(2));
    call.see(0, vp8Frame(1, true));
    page.askKeyFrame();
    page.reportLoss(64);
    await until(() => expect(call.video.keyFramesAsked).toBe(1));
    await until(() => expect(call.video.losses).toContain(0.25));
  });

  it("that comes when pictures are under way has a key frame asked for, and gets none before", async () => {
    const { call, page, gateway } = await joined();
    call.see(0, vp8Frame(1, false));
    expect([call.video.keyFramesAsked, gateway.stats.videoToPage]).toEqual([1, 0]);
    call.see(33, vp8Frame(2, true));
    call.see(66, vp8Frame(3, false));
    await until(() => expect(page.seen.video.filter(({ marker }) => marker)).toHaveLength(2));
  });

  it("keeps the last good picture while a key frame may still come, and sees damaged ones then", async () => {
    const { call, gateway } = await joined();
    const now = vi.spyOn(performance, "now");
    try {
      now.mockReturnValue(1_000_000);
      call.see(0, vp8Frame(1, true));
      call.see(33, vp8Frame(3, false), true);
      expect(gateway.stats.videoToPage).toBe(1);
      now.mockReturnValue(1_000_500);
      call.see(533, vp8Frame(4, false), true);
      expect(gateway.stats.videoToPage).toBe(2);
    } finally {
      now.mockRestore();
    }
  });

  it("hands the call over to the next page, and the call goes on when there is none", async () => {
    const { call, gateway } = await joined();
    const next = await joined(call);
    expect(await gateway.closed).toEqual({ reason: "replaced" });
    call.hear(1, 0, opusFrame(1));
    await until(() => expect(next.page.seen.audio).toHaveLength(1));
    await next.page.close();
    expect(await next.gateway.closed).toEqual({ reason: "page-gone" });
    expect([call.audio.listenerCount, call.video.listenerCount]).toEqual([0, 0]);
    const third = await joined(call);
    call.end();
    expect(await third.gateway.closed).toEqual({ reason: "call-ended" });
    await expect(joined(call)).rejects.toMatchObject({ code: "no-call" });
  });

  it("takes the call over from whoever has it then, when several come at once", async () => {
    const { call, gateway } = await joined();
    const pages = [new FakePage(), new FakePage(), new FakePage()];
    toClose.push(...pages.map((page) => () => page.close()));
    const offers = await Promise.all(pages.map((page) => page.offer()));
    const opened = await Promise.all(offers.map((offer) => CallGateway.open(call.asCall, offer)));
    toClose.push(...opened.map((one) => () => one.close()));
    expect(await gateway.closed).toEqual({ reason: "replaced" });
    const ends = await Promise.all(opened.map((one) => Promise.race([one.closed, Promise.resolve("has it")])));
    expect(ends.filter((end) => end === "has it")).toHaveLength(1);
    await Promise.all(opened.map((one) => one.close()));
    expect([call.audio.listenerCount, call.video.listenerCount]).toEqual([0, 0]);
  });

  it("may send what it likes: its own streams go on", async () => {
    const { call, page } = await joined();
    for (let round = 0; round < 50; round++) {
      page.sendReport(Uint8Array.from({ length: 40 }, (_, index) => (index * 37 + round * 101) & 0xff));
      page.sendAs(1_000_000 + round, vp8Frame(1, true, 500));
    }
    page.send("video", { sequence: 1, timestamp: 0, marker: true, payload: new Uint8Array(20_000) });
    sendFrame(page, vp8Frame(2, true, 500), 2, 3_000);
    await until(() => expect(call.video.sent).toHaveLength(1));
    page.askKeyFrame();
    page.send("audio", { sequence: 1, timestamp: 960, marker: false, payload: opusFrame(1) });
    await until(() => expect(call.audio.sent).toHaveLength(1));
    await until(() => expect(page.limits.length).toBeGreaterThan(0));
  });

  it("is gone when nothing is heard of it any more", async () => {
    const { page, gateway } = await joined();
    await page.vanish();
    expect(await gateway.closed).toEqual({ reason: "page-gone" });
  });

  it("is not let in with what is no offer", async () => {
    const call = new FakeCall();
    const good = await new FakePage().offer();
    const bad = [
      "",
      "noise",
      "v=0",
      good.slice(0, 200),
      good.replace(/m=video[\s\S]*/, ""),
      good.replaceAll("a=fingerprint:", "a=x:"),
      good.replaceAll("VP8", "VP9"),
      good.replaceAll("a=ice-ufrag:", "a=y:"),
      `${good}${"a=x\r\n".repeat(20_000)}`,
      `${good}${"a=x\r\n".repeat(2_000)}`,
    ];
    for (const offer of bad) {
      await expect(CallGateway.open(call.asCall, offer), offer.slice(0, 60)).rejects.toMatchObject({
        code: "invalid-argument",
      });
    }
    expect(call.audio.listenerCount).toBe(0);
  });

  it.each([[["192.0.2.1"]], [["localhost"]], [["::1"]], [["127.0.0.1", "here"]], [[]]])(
    "is not let in where we cannot be found: %j",
    async (addresses) => {
      const call = new FakeCall();
      const offer = await new FakePage().offer();
      await expect(CallGateway.open(call.asCall, offer, { addresses })).rejects.toMatchObject({
        code: "invalid-argument",
      });
    },
  );

  it("may have a thousand candidates, of which none is looked at", async () => {
    const call = new FakeCall();
    const page = new FakePage();
    const candidates = Array.from(
      { length: 500 },
      (_, index) => `a=candidate:${index} 1 udp 1 a${index}.local 5000 typ host\r\n`,
    );
    const offer = await page.offer();
    const gateway = await CallGateway.open(call.asCall, `${offer}${candidates.join("")}${candidates.join("")}`);
    toClose.push(
      () => gateway.close(),
      () => page.close(),
    );
    await page.take(gateway.answer);
    expect(gateway.answer).not.toContain(".local");
    expect(gateway.answer.match(/^a=candidate:.*$/gm)?.every((line) => line.includes(" 127.0.0.1 "))).toBe(true);
  });
});
