import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { goldenCalls } from "../support/golden.ts";
import { hex } from "../support/hex.ts";
import { RawFriend } from "./raw_friend.ts";
import { callBits, describeInterop, ToxcorePeer } from "./toxcore.ts";

const PATIENCE_MS = 120_000;

/** What somebody does who sends and takes both. */
const ALL = callBits("sendingAudio", "sendingVideo", "acceptingAudio", "acceptingVideo");
const AUDIO = callBits("sendingAudio", "acceptingAudio", "acceptingVideo");
const FINISHED = callBits("finished");
const ERROR = callBits("error");

/** The harness itself: what is said of calls must come from libtoxav, and what it sends must be recognised. */
describeInterop("libtoxav with libtoxav", () => {
  let alice: ToxcorePeer;
  let bob: ToxcorePeer;

  beforeAll(async () => {
    [alice, bob] = await Promise.all([startPeer("alice"), startPeer("bob")]);
    await befriend(alice, bob);
  });
  afterAll(() => Promise.all([alice?.close(), bob?.close()]));
  /** Bob hangs up what is left of a call, and the next test begins with nothing heard or told. */
  afterEach(async () => {
    const left = await bob.calls.control(alice.publicKey, "cancel").then(
      () => true,
      () => false,
    );
    if (left) await alice.waitFor("callState", { bits: FINISHED });
    for (const peer of [alice, bob]) peer.drain("callState");
    await Promise.all([alice.calls.resetHeard(bob.publicKey), bob.calls.resetHeard(alice.publicKey)]);
  });

  it("passes a tone and a picture both ways", async () => {
    await startCall({ audio: 48, video: 500 });
    await alice.calls.sendTone(bob.publicKey, 440);
    await bob.calls.sendTone(alice.publicKey, 1000, { channels: 2, frameMs: 40 });
    await alice.calls.sendPicture(bob.publicKey);
    await bob.calls.sendPicture(alice.publicKey, { width: 640, height: 360, frameRate: 10 });

    const hearsTone = (hz: number) => hears(hz, 25);
    expect(await bob.calls.untilHeard(alice.publicKey, hearsTone(440))).toMatchObject({ channels: 1 });
    expect(await alice.calls.untilHeard(bob.publicKey, hearsTone(1000))).toMatchObject({ channels: 2 });
    const seesBoth = ({ darkest, brightest, moving }: { darkest: number; brightest: number; moving: boolean }) =>
      moving && Math.abs(darkest - 63) < 20 && Math.abs(brightest - 183) < 20;
    expect(await bob.calls.untilSeen(alice.publicKey, seesBoth)).toMatchObject({ width: 320, height: 240 });
    expect(await alice.calls.untilSeen(bob.publicKey, seesBoth)).toMatchObject({ width: 640, height: 360 });

    expect((await alice.calls.stopTone(bob.publicKey)).refused).toEqual({});
    expect((await bob.calls.stopPicture(alice.publicKey)).refused).toEqual({});
  });

  it.each([8000, 12_000, 16_000, 24_000, 48_000])("hears a tone of %i samples a second", async (sampleRate) => {
    await startCall();
    await alice.calls.sendTone(bob.publicKey, 700, { sampleRate });
    expect(await bob.calls.untilHeard(alice.publicKey, hears(700, 25))).toMatchObject({ sampleRate });
  });

  it("sends nothing to who has muted the sound and hidden the picture, until he takes them again", async () => {
    await startCall({ audio: 48, video: 500 });
    await alice.calls.sendTone(bob.publicKey, 440);
    await alice.calls.sendPicture(bob.publicKey);
    await bob.calls.untilHeard(alice.publicKey, hears(440));
    await bob.calls.untilSeen(alice.publicKey, ({ frames }) => frames > 10);

    await bob.calls.control(alice.publicKey, "muteAudio");
    await alice.waitFor("callState", { bits: ALL & ~callBits("acceptingAudio") });
    // What was queued before still comes.
    for (let round = 0; round < 2; round++) {
      await bob.calls.resetHeard(alice.publicKey);
      await bob.calls.untilSeen(alice.publicKey, ({ frames }) => frames > 10);
    }
    expect(await bob.calls.heard(alice.publicKey)).toMatchObject({ frames: 0 });

    await bob.calls.control(alice.publicKey, "hideVideo");
    await alice.waitFor("callState", { bits: ALL & ~callBits("acceptingAudio", "acceptingVideo") });
    await bob.calls.control(alice.publicKey, "unmuteAudio");
    await alice.waitFor("callState", { bits: ALL & ~callBits("acceptingVideo") });
    for (let round = 0; round < 2; round++) {
      await bob.calls.resetHeard(alice.publicKey);
      await bob.calls.untilHeard(alice.publicKey, hears(440, 25));
    }
    expect(await bob.calls.seen(alice.publicKey)).toMatchObject({ frames: 0 });

    await bob.calls.control(alice.publicKey, "showVideo");
    await alice.waitFor("callState", { bits: ALL });
    await bob.calls.untilSeen(alice.publicKey, ({ moving }) => moving);
    const { refused } = await alice.calls.stopTone(bob.publicKey);
    expect(Object.keys(refused)).toEqual(["TOXAV_ERR_SEND_FRAME_PAYLOAD_TYPE_DISABLED"]);
  });

  it("pauses and resumes", async () => {
    await startCall();
    await alice.calls.sendTone(bob.publicKey, 440);
    await bob.calls.untilHeard(alice.publicKey, hears(440));
    await alice.calls.control(bob.publicKey, "pause");
    expect(await bob.waitFor("callState")).toMatchObject({ bits: 0, states: [] });
    await expect(alice.calls.control(bob.publicKey, "pause")).rejects.toMatchObject({
      code: "TOXAV_ERR_CALL_CONTROL_INVALID_TRANSITION",
    });
    await bob.calls.resetHeard(alice.publicKey);
    await alice.calls.control(bob.publicKey, "resume");
    await bob.waitFor("callState", { bits: AUDIO });
    await bob.calls.untilHeard(alice.publicKey, hears(440, 25));
  });

  it("begins and ends sending with the bit rate", async () => {
    await startCall();
    await alice.calls.setBitRate(bob.publicKey, { audio: 16, video: 300 });
    await bob.waitFor("callState", { bits: ALL });
    await alice.calls.sendTone(bob.publicKey, 440);
    await alice.calls.sendPicture(bob.publicKey);
    await bob.calls.untilHeard(alice.publicKey, hears(440, 25));
    await bob.calls.untilSeen(alice.publicKey, ({ moving }) => moving);
    await alice.calls.setBitRate(bob.publicKey, { audio: 0 });
    await bob.waitFor("callState", { bits: ALL & ~callBits("sendingAudio") });
    const invalid = { code: "TOXAV_ERR_BIT_RATE_SET_INVALID_BIT_RATE" };
    await expect(alice.calls.setBitRate(bob.publicKey, { audio: 5 })).rejects.toMatchObject(invalid);
    await expect(alice.calls.setBitRate(bob.publicKey, { audio: 511 })).rejects.toMatchObject(invalid);
  });

  it("rejects a call, and cancels one", async () => {
    await alice.calls.call(bob.publicKey, { video: 500 });
    expect(await bob.waitFor("call")).toMatchObject({ friend: alice.publicKey, audio: true, video: true });
    await bob.calls.control(alice.publicKey, "cancel");
    await alice.waitFor("callState", { bits: FINISHED });

    await bob.calls.call(alice.publicKey, { audio: 0 });
    expect(await alice.waitFor("call")).toMatchObject({ friend: bob.publicKey, audio: false, video: false });
    await bob.calls.control(alice.publicKey, "cancel");
    await alice.waitFor("callState", { bits: FINISHED });
    await expect(alice.calls.answer(bob.publicKey)).rejects.toMatchObject({
      code: "TOXAV_ERR_ANSWER_FRIEND_NOT_CALLING",
    });
  });

  it("says when a peer was started without calls", async () => {
    await using carol = await ToxcorePeer.start({ label: "carol" });
    await expect(carol.calls.call(alice.publicKey)).rejects.toMatchObject({ code: "HARNESS" });
  });

  async function startCall(rates: { audio?: number; video?: number } = {}): Promise<void> {
    await alice.calls.call(bob.publicKey, rates);
    await bob.waitFor("call");
    await bob.calls.answer(alice.publicKey, rates);
    await alice.waitFor("callState", { bits: rates.video ? ALL : AUDIO });
  }
});

describeInterop("libtoxav with many", () => {
  it("holds three calls at once", async () => {
    await using peers = new AsyncDisposableStack();
    const alice = peers.use(await startPeer("alice"));
    const others: ToxcorePeer[] = [];
    for (const name of ["bob", "carol", "dave"]) others.push(peers.use(await startPeer(name)));
    await Promise.all(others.map((other) => befriend(alice, other)));
    // In the order in which they became friends: see "Calls" in docs/protocol-notes.md.
    const inOrder = await alice.friends();
    others.sort((a, b) => inOrder.indexOf(a.publicKey) - inOrder.indexOf(b.publicKey));

    for (const [i, other] of others.entries()) {
      await other.calls.call(alice.publicKey);
      await alice.waitFor("call", { friend: other.publicKey });
      await alice.calls.answer(other.publicKey);
      await other.waitFor("callState", { bits: AUDIO });
      await other.calls.sendTone(alice.publicKey, 400 + 200 * i);
      await alice.calls.sendTone(other.publicKey, 500 + 200 * i);
    }
    for (const [i, other] of others.entries()) {
      await alice.calls.untilHeard(other.publicKey, hears(400 + 200 * i, 25));
      await other.calls.untilHeard(alice.publicKey, hears(500 + 200 * i, 25));
    }
    for (const other of others.toReversed()) {
      await other.calls.control(alice.publicKey, "cancel");
      await alice.waitFor("callState", { friend: other.publicKey, bits: FINISHED });
    }
  });

  it("ends the call when the other is gone", async () => {
    await using alice = await startPeer("alice");
    await using bob = await startPeer("bob");
    await befriend(alice, bob);
    await alice.calls.call(bob.publicKey);
    await bob.waitFor("call");
    await bob.calls.answer(alice.publicKey);
    await alice.waitFor("callState", { bits: AUDIO });
    await bob.kill();
    await alice.waitFor("callState", { friend: bob.publicKey, bits: ERROR }, PATIENCE_MS);
    await expect(alice.calls.control(bob.publicKey, "cancel")).rejects.toMatchObject({
      code: "TOXAV_ERR_CALL_CONTROL_FRIEND_NOT_IN_CALL",
    });
  });
});

describeInterop("libtoxav's packets", () => {
  const MSI = 69;
  let alice: ToxcorePeer;
  let friend: RawFriend;

  beforeAll(async () => {
    alice = await startPeer("alice");
    friend = await RawFriend.meet(alice);
  });
  afterAll(async () => {
    friend?.[Symbol.dispose]();
    await alice?.close();
  });

  it("are those that were recorded", async () => {
    const { invite, mute, pause, hangUp } = goldenCalls().msi;
    await alice.calls.call(friend.publicKey, { video: 1500 });
    expect(await friend.takeMany(1, MSI)).toEqual([invite]);
    friend.sendLossless(MSI, 1, 1, 1, 3, 1, 60, 0);
    await alice.waitFor("callState", { bits: ALL });
    await alice.calls.control(friend.publicKey, "muteAudio");
    await alice.calls.control(friend.publicKey, "pause");
    await alice.calls.control(friend.publicKey, "cancel");
    expect(await friend.takeMany(3, MSI)).toEqual([mute, pause, hangUp]);
  });

  it.each([
    ["a push without a call", "01 01 01 03 01 3c 00", 4],
    ["a pop without a call", "01 01 02 00", 4],
    ["even an error without a call", "01 01 02 02 01 03 00", 4],
    ["nothing but the end", "00", 1],
    ["no end", "01 01 00", 1],
    ["an unknown header", "04 01 01 00", 1],
    ["a value of two bytes", "01 02 00 00 00", 1],
    ["an unknown request", "01 01 03 00", 1],
    ["an unknown error", "01 01 02 02 01 08 00", 1],
    ["no request", "03 01 3c 00", 1],
    ["an invite without capabilities", "01 01 00 00", 1],
  ])("answer %s with a pop that has an error", async (_, packet, error) => {
    friend.sendLossless(MSI, hex(packet));
    expect(await friend.takeMany(1, MSI)).toEqual([Uint8Array.of(MSI, 1, 1, 2, 2, 1, error, 0)]);
  });
});

function startPeer(label: string): Promise<ToxcorePeer> {
  return ToxcorePeer.start({ label, av: true });
}

async function befriend(a: ToxcorePeer, b: ToxcorePeer): Promise<void> {
  await Promise.all([a.bootstrap(b.dhtNode), b.bootstrap(a.dhtNode)]);
  await Promise.all([a.friendAddNorequest(b.publicKey), b.friendAddNorequest(a.publicKey)]);
  await Promise.all([
    a.waitFor("friendConnection", { friend: b.publicKey, state: "udp" }, PATIENCE_MS),
    b.waitFor("friendConnection", { friend: a.publicKey, state: "udp" }, PATIENCE_MS),
  ]);
}

/** At least so many frames came, and the last second is that tone. */
function hears(hz: number, frames = 1) {
  return (heard: { frames: number; frequency: number }) =>
    heard.frames >= frames && Math.abs(heard.frequency - hz) <= 2;
}
