import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { SoundPrograms } from "../support/sound_programs.ts";
import type { HeardSound } from "./peer/protocol.ts";
import { callBits, startBootstrapd, ToxcorePeer } from "./toxcore.ts";
import { FakeSound, Sandbox, Toxic, toxicAvailable } from "./toxic.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/main.ts");
const PATIENCE_MS = 60_000;
const FINISHED = callBits("finished");

const available = toxicAvailable();
if (!available) console.log("toxic tests skipped: they need root on Linux, toxic, tmux and toxcore-utils");

/** The harness itself, without one of ours: calls of toxic with the C library. */
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
});

describe.skipIf(!available && process.env.CI === undefined)("toxcore-ts chat", () => {
  it("calls toxic and is called by it, and both hear each other", async () => {
    expect(available).toBe(true);
    await using sandbox = await Sandbox.create();
    await using node = await startBootstrapd({ netns: sandbox.netns });
    using sound = new FakeSound(sandbox.directory, "toxic-sound");
    const devices = new SoundPrograms(join(sandbox.directory, "programs"), 440);
    const toxic = await Toxic.start(sandbox, { nodes: [node], env: sound.env });
    const bootstrap = `${node.host}:${node.port}:${node.publicKey}`;
    const command = [process.execPath, MAIN, "chat", "--no-ipv6", "--name", "ours", "--bootstrap", bootstrap];
    const ours = await sandbox.run("chat", command, { env: { PATH: `${devices.folder}:${process.env.PATH}` } });
    await ours.waitForText(/[0-9A-F]{76}/);
    await toxic.waitOnline();
    await ours.enter(`/add ${toxic.id} Hello from ours`);
    await toxic.acceptFriend("Hello from ours");
    await ours.waitForText("is online", PATIENCE_MS);
    await ours.enter("hello");
    await toxic.showChat(0, PATIENCE_MS);

    sound.sing(600);
    await ours.enter("/call");
    await ours.waitForText("it rings at");
    await toxic.answer();
    await ours.waitForText("you talk with", PATIENCE_MS);
    await expect.poll(() => sound.played(), { timeout: PATIENCE_MS }).toSatisfy(hears(440));
    await expect.poll(() => Math.abs(devices.heard - 600), { timeout: PATIENCE_MS }).toBeLessThan(5);
    await ours.enter("/hangup");
    await toxic.terminal.waitForText(/Call ended!\s+\[Home\]/);

    await toxic.call();
    await ours.waitForText("/answer takes the call", PATIENCE_MS);
    await ours.enter("/answer");
    await toxic.waitForCallStarted();
    await expect.poll(() => Math.abs(devices.heard - 600), { timeout: PATIENCE_MS }).toBeLessThan(5);
    await toxic.hangUp();
    await ours.waitForText("hung up", PATIENCE_MS);
    await ours.enter("/quit");
    await ours.exited;
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
