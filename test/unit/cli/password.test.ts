import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Tox } from "../../../src/index.ts";
import { fileStore } from "../../../src/node/index.ts";
import { Tmux } from "../../interop/tmux.ts";
import { MAIN } from "../../support/rpc_client.ts";
import { scratch } from "../../support/scratch.ts";

const newFolder = scratch();
const tmuxInstalled = spawnSync("tmux", ["-V"]).error === undefined;
const friend = "42".repeat(32);

async function run(...args: string[]): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, [MAIN, "password", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const [code] = await once(child, "close");
  return { code, said };
}

async function newProfile(path: string): Promise<string> {
  const store = fileStore(path);
  const tox = await Tox.create({ store, udp: false });
  const { id } = tox;
  (await tox.addFriendWithoutRequest(friend)).send("this waits");
  await tox.close();
  await store.close();
  return id;
}

/** Whose it is, and what waits in it. */
async function open(path: string, password?: string): Promise<string[]> {
  const store = fileStore(path, password === undefined ? {} : { password });
  try {
    await using tox = await Tox.create({ store, udp: false });
    return [tox.id, ...tox.outbox().map(({ message }) => message.text)];
  } finally {
    await store.close();
  }
}

describe("toxcore-ts password", () => {
  it("sets, changes and takes away the password of a profile with all that waits in it", async () => {
    const folder = newFolder();
    const path = join(folder, "alice.tox");
    const [one, two] = [join(folder, "one"), join(folder, "two")];
    writeFileSync(one, "correct horse\n");
    writeFileSync(two, "battery staple\n");
    const all = [await newProfile(path), "this waits"];
    const set = { code: 0, said: `${path} has the new password.\n` };
    expect(await run(path, "--new-password-file", one)).toEqual(set);
    await expect(open(path)).rejects.toMatchObject({ code: "password-missing" });
    expect(await open(path, "correct horse")).toEqual(all);
    expect(await run(path, "--password-file", one, "--new-password-file", two)).toEqual(set);
    await expect(open(path, "correct horse")).rejects.toMatchObject({ code: "password-wrong" });
    expect(await open(path, "battery staple")).toEqual(all);
    const removed = { code: 0, said: `${path} has no password any more.\n` };
    expect(await run(path, "--password-file", two, "--remove")).toEqual(removed);
    expect(await open(path)).toEqual(all);
  }, 60_000);

  it("says what is missing or wrong", async () => {
    const folder = newFolder();
    const path = join(folder, "alice.tox");
    const secret = join(folder, "secret");
    writeFileSync(secret, "correct horse\n");
    const none = await run(path, "--new-password-file", secret);
    expect([none.code, none.said]).toEqual([1, expect.stringContaining("There is no profile")]);
    expect(existsSync(path)).toBe(false);
    await newProfile(path);
    const both = await run(path, "--remove", "--new-password-file", secret);
    expect([both.code, both.said]).toEqual([1, expect.stringContaining("one or the other")]);
    const nothing = await run(path);
    expect([nothing.code, nothing.said]).toEqual([1, expect.stringContaining("--new-password-file FILE")]);
    await run(path, "--new-password-file", secret);
    const locked = await run(path, "--remove");
    expect([locked.code, locked.said]).toEqual([1, expect.stringContaining("give its password with --password-file")]);
  }, 60_000);

  it.skipIf(!tmuxInstalled)(
    "asks for what it is not given, and shows nothing of it",
    async () => {
      const folder = newFolder();
      const path = join(folder, "alice.tox");
      await newProfile(path);
      const script = join(folder, "password");
      writeFileSync(script, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' password '${path}'\n`, { mode: 0o755 });
      await using tmux = await Tmux.start({ socket: `toxcore-ts-password-${process.pid}` });
      const set = await tmux.open("set", script);
      await set.waitForText("New password of");
      await set.enter("correct horse");
      await set.waitForText("Once more:");
      await set.enter("correct horse");
      await set.waitForText("has the new password.");
      expect(await set.capture()).not.toContain("horse");
      expect(await set.exited).toBe("exit code 0");

      const change = await tmux.open("change", script);
      await change.waitForText("Password of");
      await change.enter("correct horse");
      await change.waitForText("New password of");
      await change.enter("battery staple");
      await change.waitForText("Once more:");
      await change.enter("battery stable");
      await change.waitForText("two different passwords");
      expect(await change.exited).toBe("exit code 1");
      expect((await open(path, "correct horse")).at(1)).toBe("this waits");
    },
    60_000,
  );
});
