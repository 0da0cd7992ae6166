import { describe, expect, it } from "vitest";
import type { Call, Friend } from "../../src/core.ts";
import { Caller } from "../support/callers.ts";
import { Story } from "../support/people.ts";

const VIDEO = { audio: true, video: true };

async function conversation(story: Story) {
  const alice = await story.person("Alice");
  const bob = await story.person("Bob");
  const [aliceSees, bobSees] = await story.befriend(alice, bob);
  await story.pass(2_000);
  const aliceCall = aliceSees.call(VIDEO);
  const bobCall = await story.hears(bob, "incomingCall");
  bobCall.answer(VIDEO);
  await story.until("the call to be answered", () => aliceCall.state === "active");
  const aliceHears = new Caller(aliceCall, alice.host.edges.clock);
  const bobHears = new Caller(bobCall, bob.host.edges.clock);
  for (const one of [aliceHears, bobHears]) {
    one.speak();
    one.show(30);
  }
  await story.pass(1_000);
  return { alice, bob, aliceSees, bobSees, aliceCall, bobCall, aliceHears, bobHears };
}

/** What an app may do at any moment. */
const ENDS: Record<string, (call: Call, friend: Friend, close: () => unknown) => unknown> = {
  "hangs up": (call) => call.hangUp(),
  "removes the friend": (_, friend) => friend.remove(),
  "blocks the friend": (_, friend) => {
    friend.blocked = true;
  },
  "closes the instance": (_call, _friend, close) => close(),
};

describe("a call", () => {
  it("can be made in the event that says that the friend is there", async () => {
    await using story = new Story();
    const alice = await story.person("Alice");
    const bob = await story.person("Bob");
    const [aliceSees] = await story.befriend(alice, bob);
    await story.pass(2_000);
    bob.host.goOffline();
    await story.until("Bob to be away", () => aliceSees.connection === "none");
    const made: (Call | unknown)[] = [];
    alice.tox.on("friendConnection", ({ friend }) => {
      if (friend.connection === "none") return;
      try {
        made.push(friend.call());
      } catch (error) {
        made.push(error);
      }
    });
    bob.host.goOnline();
    await story.until("Bob to be back", () => made.length > 0);
    expect(made[0]).toMatchObject({ direction: "outgoing" });
    await story.hears(bob, "incomingCall");
  });

  for (const [what, end] of Object.entries(ENDS)) {
    it.each(["audio frame", "audio lost", "video frame", "video lost", "state", "peer"])(
      `${what} in a listener for "%s": it is over for both, and nothing more is told`,
      async (where) => {
        await using story = new Story({ seed: 3, link: { latency: [20, 30], loss: 0.05 } });
        const { alice, aliceSees, aliceCall, bobCall } = await conversation(story);
        let told = 0;
        let closing: Promise<void> | undefined;
        const act = () => {
          if (told++ > 0) return;
          end(aliceCall, aliceSees, () => {
            closing = alice.tox.close();
          });
        };
        if (where === "state") aliceCall.on("state", ({ state }) => state === "paused" && act());
        else if (where === "peer") aliceCall.on("peer", act);
        else if (where === "audio frame") aliceCall.audio.on("frame", act);
        else if (where === "audio lost") aliceCall.audio.on("lost", act);
        else if (where === "video frame") aliceCall.video.on("frame", act);
        else aliceCall.video.on("lost", act);
        if (where === "state" || where === "peer") bobCall.pause();
        await story.until("that", () => told > 0);
        await story.universe.wait(aliceCall.ended);
        expect((await story.universe.wait(bobCall.ended)).reason).not.toBe("failed");
        await story.pass(2_000);
        expect([told, aliceCall.state]).toEqual([1, "ended"]);
        await story.universe.wait(closing ?? Promise.resolve());
      },
    );
  }
});
