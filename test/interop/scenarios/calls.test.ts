import { afterAll, beforeAll, expect, it } from "vitest";
import type { Call, CallOptions } from "../../../src/index.ts";
import { type AudioSink, CallMedia, testPicture, toneSource } from "../../../src/media/index.ts";
import { dominantFrequency, meanLuma } from "../../support/recognise.ts";
import { callBits, describeInterop } from "../toxcore.ts";
import { type Pair, startPair } from "../two_sides.ts";

const PATIENCE_MS = 60_000;
const ALL = callBits("sendingAudio", "sendingVideo", "acceptingAudio", "acceptingVideo");
const BOTH = { audio: true, video: true } satisfies CallOptions;
const KBITS = { audio: 48, video: 500 };

/** What we hear and see. */
class Senses {
  pcm: number[] = [];
  pictures = 0;
  lumas: number[] = [];
  size = "";
  readonly sink: AudioSink = {
    ...{ sampleRate: 48_000, channels: 1 },
    write: (pcm) => {
      this.pcm.push(...pcm);
      if (this.pcm.length > 48_000) this.pcm.splice(0, this.pcm.length - 48_000);
    },
    close: async () => {},
  };

  get hertz(): number {
    return this.pcm.length < 24_000 ? 0 : dominantFrequency(Int16Array.from(this.pcm.slice(-24_000)), 48_000);
  }
}

describeInterop("calls with libtoxav", () => {
  let pair: Pair;

  beforeAll(async () => {
    pair = await startPair({ theirs: { av: true } });
  });
  afterAll(() => pair?.[Symbol.asyncDispose]());

  const us = () => pair.ours.tox.publicKey;

  async function until(what: string, condition: () => boolean): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!condition()) {
      if (performance.now() > end) throw new Error(`in vain for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function startMedia(call: Call): Promise<Senses> {
    const senses = new Senses();
    await CallMedia.start(call, {
      audio: toneSource(440),
      video: testPicture({ width: 320, height: 240, frameRate: 20 }),
      audioSinks: [senses.sink],
      onPicture: ({ picture }) => {
        senses.pictures++;
        senses.lumas.push(meanLuma(picture));
        senses.size = `${picture.width}x${picture.height}`;
      },
    });
    return senses;
  }

  async function ourCall(options: CallOptions = BOTH): Promise<Call> {
    const call = pair.friend.call(options);
    await pair.theirs.waitFor("call", { friend: us(), audio: true, video: options.video ?? false }, PATIENCE_MS);
    await pair.theirs.calls.answer(us(), KBITS);
    expect(await call.answered).toBe(true);
    return call;
  }

  async function theirCall(): Promise<Call> {
    await pair.theirs.calls.call(us(), KBITS);
    return pair.ours.heard.waitFor("incomingCall", undefined, PATIENCE_MS);
  }

  async function toneAndPictureBothWays(call: Call): Promise<void> {
    const { theirs } = pair;
    await theirs.calls.resetHeard(us());
    const senses = await startMedia(call);
    await theirs.calls.sendTone(us(), 1000);
    await theirs.calls.sendPicture(us());
    const heard = await theirs.calls.untilHeard(us(), ({ frequency }) => Math.abs(frequency - 440) < 5, PATIENCE_MS);
    expect(heard).toMatchObject({ sampleRate: 48_000, channels: 1 });
    const seen = await theirs.calls.untilSeen(us(), ({ frames, moving }) => frames > 10 && moving, PATIENCE_MS);
    expect(seen).toMatchObject({ width: 320, height: 240 });
    await until("their tone", () => Math.abs(senses.hertz - 1000) < 5);
    await until("their picture", () => senses.pictures > 30);
    expect(senses.size).toBe("320x240");
    expect(Math.min(...senses.lumas)).toBeLessThan(90);
    expect(Math.max(...senses.lumas)).toBeGreaterThan(150);
    await theirs.calls.stopTone(us());
    await theirs.calls.stopPicture(us());
  }

  it("that we make carry a tone and a moving picture both ways, and end when they hang up", async () => {
    const call = await ourCall();
    await toneAndPictureBothWays(call);
    await pair.theirs.calls.control(us(), "cancel");
    expect(await call.ended).toEqual({ reason: "hung-up", by: "them" });
  });

  it("that they make carry a tone and a moving picture both ways, and end when we hang up", async () => {
    const call = await theirCall();
    expect([call.direction, call.audio.peer.sending, call.video.peer.sending]).toEqual(["incoming", true, true]);
    call.answer(BOTH);
    await pair.theirs.waitFor("callState", { friend: us(), bits: ALL }, PATIENCE_MS);
    await toneAndPictureBothWays(call);
    call.hangUp();
    await pair.theirs.waitFor("callState", { bits: callBits("finished") }, PATIENCE_MS);
  });

  it("pause, mute and hide on both sides", async () => {
    const { theirs } = pair;
    const call = await ourCall();
    await theirs.calls.control(us(), "pause");
    await until("their pause", () => call.pausedBy === "them");
    await theirs.calls.control(us(), "resume");
    await until("their resume", () => call.state === "active");
    await theirs.calls.control(us(), "muteAudio");
    await until("their mute", () => !call.audio.open && call.video.open);
    await theirs.calls.control(us(), "unmuteAudio");
    await theirs.calls.control(us(), "hideVideo");
    await until("their hide", () => call.audio.open && !call.video.open);
    await theirs.calls.control(us(), "showVideo");
    await until("their show", () => call.audio.open && call.video.open);

    call.pause();
    await theirs.waitFor("callState", { bits: 0 }, PATIENCE_MS);
    call.resume();
    await theirs.waitFor("callState", { bits: ALL }, PATIENCE_MS);
    call.audio.receiving = false;
    await theirs.waitFor("callState", { bits: ALL & ~callBits("acceptingAudio") }, PATIENCE_MS);
    call.video.receiving = false;
    const sending = callBits("sendingAudio", "sendingVideo");
    await theirs.waitFor("callState", { bits: sending }, PATIENCE_MS);
    call.video.sending = false;
    await theirs.waitFor("callState", { bits: callBits("sendingAudio") }, PATIENCE_MS);
    call.hangUp();
    await theirs.waitFor("callState", { bits: callBits("finished") }, PATIENCE_MS);
  });

  it("are rejected and cancelled on both sides", async () => {
    const { theirs, friend } = pair;
    const rejected = friend.call();
    await theirs.waitFor("call", { friend: us() }, PATIENCE_MS);
    await theirs.calls.control(us(), "cancel");
    expect(await rejected.ended).toEqual({ reason: "hung-up", by: "them" });
    const cancelled = friend.call();
    await theirs.waitFor("call", { friend: us() }, PATIENCE_MS);
    cancelled.hangUp();
    await theirs.waitFor("callState", { bits: callBits("finished") }, PATIENCE_MS);
    (await theirCall()).hangUp();
    await theirs.waitFor("callState", { bits: callBits("finished") }, PATIENCE_MS);
    const ringing = await theirCall();
    await theirs.calls.control(us(), "cancel");
    expect(await ringing.ended).toEqual({ reason: "hung-up", by: "them" });
  });
});
