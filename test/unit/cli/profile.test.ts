import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileStore } from "../../../src/node/index.ts";
import { Tmux } from "../../interop/tmux.ts";
import { MAIN, startRpc } from "../../support/rpc_client.ts";
import { scratch } from "../../support/scratch.ts";

const newFolder = scratch();
const tmuxInstalled = spawnSync("tmux", ["-V"]).error === undefined;
const quiet = ["--no-ipv6", "--port", "0"];

async function run(...args: string[]): Promise<{ code: number; errors: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const [code] = await once(child, "close");
  return { code, errors };
}

async function encryptedProfile(path: string, password: string): Promise<void> {
  const store = fileStore(path, { password });
  await store.write("nodes", Uint8Array.of(1));
  await store.append(Uint8Array.of(200));
  await store.close();
}

describe("--profile", () => {
  it("keeps friends and what waits for them, under the password of a file, and belongs to one program at a time", async () => {
    const folder = newFolder();
    const path = join(folder, "alice.tox");
    const secret = join(folder, "password");
    writeFileSync(secret, "correct horse\n");
    const flags = ["--profile", path, "--password-file", secret];
    const friend = "42".repeat(32);
    const first = startRpc(...flags);
    await first.call("addFriendWithoutRequest", { publicKey: friend });
    const { messageId } = await first.call("send", { friend, text: "until you are back" });
    const refused = await run("rpc", ...quiet, ...flags);
    expect(refused.code).toBe(1);
    expect(refused.errors).toMatch(/is in use by process \d+: close that program first\. \(profile-in-use\)/);
    await first.call("close");
    expect(await first.exited).toBe(0);
    for (const file of readdirSync(folder))
      expect(readFileSync(join(folder, file), "latin1")).not.toContain("until you");

    const second = startRpc(...flags);
    expect(await second.call("friends")).toEqual([expect.objectContaining({ publicKey: friend, queued: 1 })]);
    const outbox = await second.call("outbox");
    expect(outbox).toEqual([expect.objectContaining({ friend, messageId, text: "until you are back" })]);
    await second.call("close");
    expect(await second.exited).toBe(0);
  });

  it("is refused with a sentence where it cannot be opened", async () => {
    const folder = newFolder();
    const path = join(folder, "alice.tox");
    const [wrong, empty] = [join(folder, "wrong"), join(folder, "empty")];
    writeFileSync(wrong, "nonsense");
    writeFileSync(empty, "\n");
    await encryptedProfile(path, "correct horse");
    const cases = [
      [["--profile", path], "give its password with --password-file FILE"],
      [["--profile", path, "--password-file", wrong], "password-wrong"],
      [["--profile", path, "--password-file", empty], "is empty"],
      [["--profile", path, "--password-file", join(folder, "none")], "cannot be read"],
      [["--password-file", wrong], "--password-file goes with --profile"],
      [["--profile", join(folder, "none", "alice.tox")], "Make it first"],
    ] as const;
    for (const [flags, sentence] of cases) {
      const { code, errors } = await run("rpc", ...quiet, ...flags);
      expect(code).toBe(1);
      expect(errors).toContain(sentence);
    }
    const demo = await run("chat", "--demo", "--profile", path);
    expect([demo.code, demo.errors]).toEqual([1, expect.stringContaining("leave --profile out")]);
  });

  it.skipIf(!tmuxInstalled)("is opened by a password that is asked for in the chat, and not shown", async () => {
    const folder = newFolder();
    const path = join(folder, "alice.tox");
    await encryptedProfile(path, "correct horse");
    await using tmux = await Tmux.start({ socket: `toxcore-ts-profile-${process.pid}` });
    const script = join(folder, "chat");
    const command = `exec '${process.execPath}' '${MAIN}' chat ${quiet.join(" ")} --profile '${path}'`;
    writeFileSync(script, `#!/bin/sh\n${command}\n`, { mode: 0o755 });
    const terminal = await tmux.open("chat", script);
    await terminal.waitForText(`Password of ${path}:`);
    await terminal.enter("wrong");
    await terminal.waitForText("That does not open it. Once more:");
    await terminal.enter("correct horse");
    await terminal.waitForText("/help shows");
    const screen = await terminal.capture();
    expect(screen).not.toContain("horse");
    await terminal.enter("/quit");
    expect(await terminal.exited).toBe("exit code 0");
  });
});
