import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { recordWav, toneSource } from "../../src/media/index.ts";
import { callBits, describeInterop, ToxcorePeer } from "./toxcore.ts";
import { TOXCORE_PATIENCE_MS } from "./two_sides.ts";

describeInterop("examples/voice_bot", () => {
  it("answers libtoxav, plays its file and hangs up", async () => {
    const folder = mkdtempSync(join(tmpdir(), "toxcore-ts-voice-"));
    const path = join(folder, "speech.wav");
    const recording = await recordWav(path, { sampleRate: 24_000, channels: 1 });
    const tone = toneSource(600, { sampleRate: 24_000 });
    for (let i = 0; i < 100; i++) recording.write((await tone.read(480)) ?? new Int16Array());
    await recording.close();

    await using theirs = await ToxcorePeer.start({ av: true });
    const node = `127.0.0.1:${theirs.udpPort}:${theirs.dhtId}`;
    const bot = spawn(process.execPath, ["examples/voice_bot.ts", path, node], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said: string[] = [];
    createInterface({ input: bot.stdout }).on("line", (line) => said.push(line));
    while (said.length === 0) await once(bot.stdout, "data");
    const id = said[0]?.replace("Add me: ", "") ?? "";
    await theirs.friendAdd(id, "hello");
    const friend = id.slice(0, 64);
    await theirs.waitFor("friendConnection", (event) => event.state !== "none", TOXCORE_PATIENCE_MS);
    await theirs.calls.call(friend);
    await theirs.waitFor("callState", { friend, bits: callBits("sendingAudio", "acceptingAudio", "acceptingVideo") });
    const heard = await theirs.calls.untilHeard(friend, ({ frequency }) => Math.abs(frequency - 600) < 5);
    expect(heard.channels).toBe(1);
    await theirs.waitFor("callState", { bits: callBits("finished") });
    bot.kill("SIGINT");
    await once(bot, "exit");
    expect(said.at(-1)).toContain("has heard it (hung-up)");
    rmSync(folder, { recursive: true });
  });
});
