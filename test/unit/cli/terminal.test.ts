import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Tox } from "../../../src/index.ts";
import { Tmux } from "../../interop/tmux.ts";
import { MAIN } from "../../support/rpc_client.ts";

const tmuxInstalled = spawnSync("tmux", ["-V"]).error === undefined;
if (!tmuxInstalled) console.log("terminal tests skipped: they need tmux");

describe.skipIf(!tmuxInstalled && process.env.CI === undefined)("chat in a terminal", () => {
  it("shows what comes above a draft of several rows, and leaves with /quit", { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "toxcore-ts-terminal-"));
    await using friend = await Tox.create({ bindIpv4: "127.0.0.1", ipv6: false, port: 0, name: "friend" });
    friend.on("friendRequest", (request) => {
      request.accept();
    });
    await using tmux = await Tmux.start({ socket: `toxcore-ts-terminal-${process.pid}` });
    const script = join(folder, "chat");
    const bootstrap = `127.0.0.1:${friend.udpPort}:${friend.dhtPublicKey}`;
    const command = `exec '${process.execPath}' '${MAIN}' chat --no-ipv6 --port 0 --bootstrap ${bootstrap}`;
    await writeFile(script, `#!/bin/sh\n${command}\n`, { mode: 0o755 });
    const terminal = await tmux.open("chat", script);
    await terminal.waitForText("/help shows");

    await terminal.enter(`/add ${friend.id}`);
    await terminal.waitForText("friend>");
    const draft = Array.from({ length: 60 }, (_, i) => `word${i}`).join(" ");
    await terminal.type(draft);
    await terminal.waitForText("word59");
    for (const text of ["first", "second", "third"]) friend.friends[0]?.send(text);
    await terminal.waitForText("friend: third");
    await terminal.waitForText("word59"); // the draft is taken away and written again below
    const screen = await terminal.capture();
    for (const line of ["friend: first", "friend: second", "friend: third"]) expect(screen).toContain(line);
    expect(screen.replaceAll("\n", "")).toContain(`friend> ${draft}`);
    expect(screen.split("word0 ").length).toBe(2);

    await terminal.press("C-u");
    await terminal.enter("/quit");
    expect(await terminal.exited).toBe("exit code 0");
    await rm(folder, { recursive: true });
  });
});
