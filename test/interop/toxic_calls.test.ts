import { describe, expect, it } from "vitest";
import type { HeardSound } from "./peer/protocol.ts";
import { callBits, startBootstrapd, ToxcorePeer } from "./toxcore.ts";
import { FakeSound, Sandbox, Toxic, toxicAvailable } from "./toxic.ts";

const PATIENCE_MS = 60_000;
const FINISHED = callBits("finished");

const available = toxicAvailable();
if (!available) console.log("toxic tests skipped: they need root on Linux, toxic, tmux and toxcore-utils");

/** The harness itself, without one of ours: calls of toxic with the C library, and with another toxic. */
describe.skipIf(!available && process.env.CI === undefined)("toxic", () => {
  it("calls a C peer and is called by him, and both hear each other", async () => {
    expect(available).toBe(true);
    await using sandbox = await Sandbox.create();
    await using node = await startBootstrapd({ netns: sandbox.netns });
    using sound = new FakeSound(sandbox.directory, "toxic-sound");
    const toxic = await Toxic.start(sandbox, { nodes: [node], env: sound.env });
    await toxic.waitOnline();
    await using peer = await ToxcorePeer.start({ av: true, netns: sandbox.netns });
    await peer.bootstrap(node);
    const friend = await peer.friendAdd(toxic.id, "Hi");
    await toxic.acceptFriend("Hi");
    await peer.waitFor("friendConnection", { friend, state: "udp" }, PATIENCE_MS);
    await peer.send(friend, "hello");
    await toxic.showChat(0, PATIENCE_MS);

    sound.sing(600);
    await toxic.call();
    expect(await peer.waitFor("call")).toMatchObject({ audio: true, video: false });
    await peer.calls.answer(friend);
    await toxic.waitForCallStarted();
    await peer.calls.sendTone(friend, 440);
    await peer.calls.untilHeard(friend, hears(600));
    await expect.poll(() => sound.played(), { timeout: PATIENCE_MS }).toSatisfy(hears(440));
    await toxic.mute("in");
    await peer.calls.untilHeard(friend, settled());
    await toxic.mute("in", false);
    await peer.calls.resetHeard(friend);
    await peer.calls.untilHeard(friend, hears(600));
    await toxic.hangUp();
    await peer.waitFor("callState", { bits: FINISHED });

    await peer.calls.call(friend);
    await toxic.answer();
    await peer.waitFor("callState", { bits: callBits("sendingAudio", "acceptingAudio", "acceptingVideo") });
    await peer.calls.control(friend, "cancel");
    await toxic.terminal.waitForText(/Call ended!\s+\[Home\]/);
    await peer.calls.call(friend);
    await toxic.reject();
    await peer.waitFor("callState", { bits: FINISHED });
  });

  it("calls another toxic", async () => {
    expect(available).toBe(true);
    await using sandbox = await Sandbox.create();
    await using node = await startBootstrapd({ netns: sandbox.netns });
    using aliceSound = new FakeSound(sandbox.directory, "alice-sound");
    using bobSound = new FakeSound(sandbox.directory, "bob-sound");
    const alice = await Toxic.start(sandbox, { nodes: [node], profile: "alice", env: aliceSound.env });
    const bob = await Toxic.start(sandbox, { nodes: [node], profile: "bob", env: bobSound.env });
    await Promise.all([alice.waitOnline(), bob.waitOnline()]);
    await alice.addFriend(bob.id, "Hi");
    await bob.acceptFriend("Hi");
    await bob.openChat();
    await bob.terminal.waitForText(/\[o\]/, PATIENCE_MS);
    await bob.enter("hello");
    await alice.showChat(0, PATIENCE_MS);

    aliceSound.sing(500);
    bobSound.sing(800);
    await alice.call();
    await bob.answer();
    await alice.waitForCallStarted();
    await expect.poll(() => bobSound.played(), { timeout: PATIENCE_MS }).toSatisfy(hears(500));
    await expect.poll(() => aliceSound.played(), { timeout: PATIENCE_MS }).toSatisfy(hears(800));
    await bob.hangUp();
    await alice.terminal.waitForText(/Call ended!\s+\[Home\]/);
  });
});

function hears(hz: number) {
  return ({ frequency }: HeardSound) => Math.abs(frequency - hz) <= 2;
}

/** No frame has come the last ten times that it was asked. */
function settled() {
  let before = -1;
  let times = 0;
  return ({ frames }: HeardSound) => {
    times = frames === before ? times + 1 : 0;
    before = frames;
    return times === 10;
  };
}
