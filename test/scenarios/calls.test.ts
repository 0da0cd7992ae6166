import { describe, expect, it } from "vitest";
import type { Call, CallOptions } from "../../src/core.ts";
import { Caller } from "../support/callers.ts";
import { type Person, Story, type StoryOptions } from "../support/people.ts";

const VIDEO = { audio: true, video: true } satisfies CallOptions;

interface Conversation {
  readonly story: Story;
  readonly alice: Person;
  readonly bob: Person;
  readonly aliceCall: Call;
  readonly bobCall: Call;
  readonly aliceHears: Caller;
  readonly bobHears: Caller;
}

/** Alice calls Bob, who answers at once. */
async function conversation(
  story: Story,
  called: CallOptions = {},
  answered: CallOptions = called,
): Promise<Conversation> {
  const alice = await story.person("Alice");
  const bob = await story.person("Bob");
  const [aliceSees] = await story.befriend(alice, bob);
  await story.pass(2_000);
  const aliceCall = aliceSees.call(called);
  const bobCall = await story.hears(bob, "incomingCall");
  bobCall.answer(answered);
  await story.until("the call to be answered", () => aliceCall.state === "active");
  const aliceHears = new Caller(aliceCall, alice.host.edges.clock);
  const bobHears = new Caller(bobCall, bob.host.edges.clock);
  return { story, alice, bob, aliceCall, bobCall, aliceHears, bobHears };
}

async function withConversation(
  options: StoryOptions,
  tell: (conversation: Conversation) => Promise<void>,
  called: CallOptions = {},
): Promise<void> {
  await using story = new Story(options);
  await tell(await conversation(story, called));
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("a call", () => {
  it("rings, is answered, carries sound both ways and ends for both", () =>
    withConversation({}, async ({ story, aliceCall, bobCall, aliceHears, bobHears }) => {
      expect([aliceCall.direction, bobCall.direction]).toEqual(["outgoing", "incoming"]);
      expect(await story.universe.wait(aliceCall.answered)).toBe(true);
      aliceHears.speak();
      bobHears.speak();
      await story.pass(10_000);
      aliceHears.hush();
      bobHears.hush();
      await story.pass(500);
      expect(bobHears.numbersHeard).toEqual(upTo(aliceHears.spoken));
      expect(aliceHears.numbersHeard).toEqual(upTo(bobHears.spoken));
      expect(aliceHears.spoken).toBeGreaterThan(490);
      expect(bobHears.heard.every(({ frame }) => frame.sampleRate === 48_000 && frame.duration === 20)).toBe(true);
      aliceCall.hangUp();
      expect(await story.universe.wait(bobCall.ended)).toEqual({ reason: "hung-up", by: "them" });
      expect(await story.universe.wait(aliceCall.ended)).toEqual({ reason: "hung-up", by: "us" });
      expect([aliceCall.audio.send({ data: Uint8Array.of(0xf8, 1) }), aliceCall.state]).toEqual([false, "ended"]);
    }));

  it("shows pictures, each once and in order, beginning with a key frame", () =>
    withConversation(
      {},
      async ({ story, aliceHears, bobHears }) => {
        aliceHears.show(30);
        await story.pass(5_000);
        aliceHears.hide();
        await story.pass(500);
        expect(bobHears.numbersSeen).toEqual(upTo(aliceHears.shown));
        expect(bobHears.seen.map(({ frame }) => frame.keyFrame)).toEqual(upTo(aliceHears.shown).map((i) => i === 0));
        expect(bobHears.seen.every(({ frame }) => !frame.damaged)).toBe(true);
      },
      VIDEO,
    ));

  it("shows whole pictures within 2.5 s of when two seconds of everything began to be lost", () =>
    withConversation(
      {},
      async ({ story, aliceHears, bobHears }) => {
        let isLosing = false;
        story.universe.network.addFilter(() => !isLosing);
        aliceHears.show(30);
        bobHears.show(30);
        await story.pass(5_000);
        isLosing = true;
        await story.pass(200);
        const before = [aliceHears, bobHears].map(({ seen }) => seen.length);
        await story.pass(1_800);
        expect([aliceHears, bobHears].map(({ seen }) => seen.length)).toEqual(before);
        isLosing = false;
        await story.pass(500);
        [aliceHears, bobHears].forEach(({ seen }, side) => {
          expect(seen.slice(before[side]).filter(({ frame }) => !frame.damaged).length).toBeGreaterThan(0);
        });
      },
      VIDEO,
    ));

  it("can be rejected, cancelled and made again", async () => {
    await using story = new Story();
    const alice = await story.person("Alice");
    const bob = await story.person("Bob");
    const [aliceSees, bobSees] = await story.befriend(alice, bob);
    const first = aliceSees.call();
    expect(() => aliceSees.call()).toThrow(expect.objectContaining({ code: "already-in-call" }));
    (await story.hears(bob, "incomingCall")).hangUp();
    expect(await story.universe.wait(first.ended)).toEqual({ reason: "hung-up", by: "them" });
    expect(await story.universe.wait(first.answered)).toBe(false);
    const second = aliceSees.call();
    const ringing = await story.hears(bob, "incomingCall");
    expect(bob.tox.calls).toEqual([ringing]);
    second.hangUp();
    expect(await story.universe.wait(ringing.ended)).toEqual({ reason: "hung-up", by: "them" });
    const third = bobSees.call(VIDEO);
    const answered = await story.hears(alice, "incomingCall");
    expect([answered.audio.peer.sending, answered.video.peer.sending]).toEqual([true, true]);
    answered.answer();
    await story.until("both to talk", () => third.state === "active");
    expect([third.audio.peer.sending, third.video.peer.sending]).toEqual([true, false]);
  });

  it("ends when the friend vanishes or his instance is closed, and cannot be made to one who is away", async () => {
    await using story = new Story();
    const { alice, bob, aliceCall, bobCall } = await conversation(story);
    await story.universe.wait(bob.tox.close());
    expect(await story.universe.wait(bobCall.ended)).toEqual({ reason: "hung-up", by: "us" });
    expect(await story.universe.wait(aliceCall.ended)).toEqual({ reason: "hung-up", by: "them" });
    const carol = await story.person("Carol");
    const [aliceSeesCarol] = await story.befriend(alice, carol);
    const call = aliceSeesCarol.call();
    (await story.hears(carol, "incomingCall")).answer();
    await story.until("Carol to talk", () => call.state === "active");
    carol.host.goOffline();
    expect(await story.universe.wait(call.ended)).toEqual({ reason: "vanished" });
    expect(() => aliceSeesCarol.call()).toThrow(expect.objectContaining({ code: "friend-offline" }));
  });

  it("can be paused by each, and muted, hidden and narrowed while it goes on", () =>
    withConversation(
      {},
      async ({ story, aliceCall, bobCall, aliceHears, bobHears }) => {
        aliceHears.speak();
        aliceHears.show(30);
        await story.pass(1_000);
        bobCall.pause();
        expect([bobCall.state, bobCall.pausedBy]).toEqual(["paused", "us"]);
        await story.until("Alice to know", () => aliceCall.state === "paused");
        expect([aliceCall.pausedBy, aliceCall.audio.open]).toEqual(["them", false]);
        const [heard, seen] = [bobHears.heard.length, bobHears.seen.length];
        await story.pass(2_000);
        expect([bobHears.heard.length, bobHears.seen.length]).toEqual([heard, seen]);
        aliceCall.pause();
        await story.until("Bob to know", () => bobCall.pausedBy === "both");
        bobCall.resume();
        aliceCall.resume();
        await story.until("both to go on", () => aliceCall.state === "active" && bobCall.state === "active");
        await story.pass(1_000);
        expect(bobHears.heard.length).toBeGreaterThan(heard + 40);
        expect(bobHears.seen.length).toBeGreaterThan(seen + 20);
        expect(bobHears.seen[seen]?.frame.keyFrame).toBe(true);

        bobCall.audio.receiving = false;
        bobCall.video.receiving = false;
        await story.until("Alice to be muted", () => !aliceCall.audio.open && !aliceCall.video.open);
        expect([aliceCall.state, bobCall.audio.peer.sending]).toEqual(["active", true]);
        bobCall.video.receiving = true;
        bobCall.audio.receiving = true;
        const before = bobHears.seen.length;
        const again = () => bobHears.seen.slice(before).find(({ frame }) => !frame.damaged);
        await story.until("pictures again", () => again() !== undefined);
        expect(again()?.frame.keyFrame).toBe(true);
        aliceCall.video.sending = false;
        await story.until("Bob to know of the camera", () => !bobCall.video.peer.sending);
      },
      VIDEO,
    ));

  it("is one call when both call at the same moment", async () => {
    await using story = new Story();
    const alice = await story.person("Alice");
    const bob = await story.person("Bob");
    const [aliceSees, bobSees] = await story.befriend(alice, bob);
    await story.pass(2_000);
    const aliceCall = aliceSees.call(VIDEO);
    const bobCall = bobSees.call();
    await story.until("both to talk", () => aliceCall.state === "active" && bobCall.state === "active");
    expect([aliceCall.video.peer.sending, bobCall.video.peer.sending]).toEqual([false, true]);
    const [aliceHears, bobHears] = [
      new Caller(aliceCall, alice.host.edges.clock),
      new Caller(bobCall, bob.host.edges.clock),
    ];
    aliceHears.speak();
    bobHears.speak();
    await story.pass(2_000);
    expect(Math.min(aliceHears.heard.length, bobHears.heard.length)).toBeGreaterThan(80);
    await story.pass(5_000);
    expect([alice.tox.calls, bob.tox.calls]).toEqual([[aliceCall], [bobCall]]);
  });

  it("goes on at once with three friends", async () => {
    await using story = new Story();
    const alice = await story.person("Alice");
    const talks: Caller[] = [];
    for (let i = 0; i < 3; i++) {
      const friend = await story.person(`friend ${i}`);
      const [, friendSees] = await story.befriend(alice, friend);
      const call = friendSees.call();
      const answered = await story.hears(alice, "incomingCall");
      answered.answer();
      await story.until("an answer", () => call.state === "active");
      talks.push(new Caller(call, friend.host.edges.clock), new Caller(answered, alice.host.edges.clock));
    }
    for (const talk of talks) talk.speak();
    await story.pass(3_000);
    for (const talk of talks) expect(talk.heard.length).toBeGreaterThan(130);
    expect(alice.tox.calls.length).toBe(3);
  });
});

describe("on a bad way", () => {
  const steady = { latency: [30, 34] as const };

  it.each([1, 2, 3])("one in ten packets lost leaves no gap of 60 ms in the sound (seed %i)", (seed) =>
    withConversation({ seed, link: { ...steady, loss: 0.1 } }, async ({ story, aliceHears, bobHears }) => {
      aliceHears.speak();
      await story.pass(20_000);
      const played = bobHears.heard.length + bobHears.concealed.length;
      expect(bobHears.longestGap()).toBeLessThan(60);
      expect(played).toBeGreaterThan(980);
      expect(bobHears.heard.length).toBeGreaterThan(850);
      const recoverable = bobHears.concealed.filter((one) => one.recoverable).length;
      expect(recoverable).toBeGreaterThan(0.7 * bobHears.concealed.length);
    }),
  );

  it.each([1, 2, 3])("one in ten packets lost costs hardly a picture between ours (seed %i)", (seed) =>
    withConversation(
      { seed, link: { ...steady, loss: 0.1 } },
      async ({ story, aliceHears, bobHears }) => {
        aliceHears.show(30);
        await story.pass(20_000);
        expect(bobHears.seen.length).toBeGreaterThan(0.95 * aliceHears.shown);
        const numbers = bobHears.numbersSeen;
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      },
      VIDEO,
    ),
  );

  it.each([1, 2])("uneven delays make sound wait longer, and an even way less again (seed %i)", (seed) =>
    withConversation(
      { seed, link: { latency: [30, 32] } },
      async ({ story, alice, bob, bobCall, aliceHears, bobHears }) => {
        aliceHears.speak();
        await story.pass(10_000);
        expect(bobCall.stats.audioDelay).toBeLessThan(15);
        expect(bobHears.concealed).toEqual([]);
        story.universe.network.setLink(alice.host, bob.host, { latency: [30, 120] });
        await story.pass(20_000);
        expect(bobCall.stats.audioDelay).toBeGreaterThan(30);
        const conceals = bobHears.concealed.length;
        await story.pass(10_000);
        expect(bobHears.concealed.length - conceals).toBeLessThan(40);
        story.universe.network.setLink(alice.host, bob.host, { latency: [30, 32] });
        await story.pass(30_000);
        expect(bobCall.stats.audioDelay).toBeLessThan(30);
      },
    ),
  );

  it("a narrow way has pictures give way, not sound, and they come back when it is wide again", () =>
    withConversation(
      { link: { ...steady } },
      async ({ story, alice, bob, aliceCall, aliceHears, bobHears }) => {
        aliceHears.speak();
        aliceHears.show(30, () => Math.round(aliceCall.video.bitRate / 30 / 8));
        await story.pass(5_000);
        expect(aliceCall.video.bitRate).toBe(1_500_000);
        story.universe.network.setLink(alice.host, bob.host, { bandwidth: 90_000, queue: 60_000 });
        await story.pass(30_000);
        expect(aliceCall.video.bitRate).toBeLessThan(900_000);
        expect(aliceCall.audio.bitRate).toBe(48_000);
        const [heard, spoken] = [bobHears.heard.length, aliceHears.spoken];
        await story.pass(10_000);
        expect(bobHears.heard.length - heard).toBeGreaterThan(0.9 * (aliceHears.spoken - spoken));
        story.universe.network.setLink(alice.host, bob.host, { bandwidth: undefined });
        await story.pass(60_000);
        expect(aliceCall.video.bitRate).toBe(1_500_000);
      },
      VIDEO,
    ));
});
