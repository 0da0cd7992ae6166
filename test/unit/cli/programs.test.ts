import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MAIN, startRpc } from "../../support/rpc_client.ts";
import { scratch } from "../../support/scratch.ts";

const newFolder = scratch();

/** Runs the program without a terminal and answers what it wrote. With `keepOpen` its input does not end. */
async function run(args: readonly string[], input = "", { timeoutMs = 30_000, keepOpen = false } = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: "pipe", timeout: timeoutMs });
  let [out, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  if (keepOpen) child.stdin.write(input);
  else child.stdin.end(input);
  const [code, signal] = await once(child, "close");
  return { code, signal, out, errors };
}

describe("chat", () => {
  it("says hello to the demo's echo and hears it", async () => {
    expect(await run(["chat", "--demo", "--say", "hello"])).toEqual({
      code: 0,
      signal: null,
      out: "echo: hello\n",
      errors: "",
    });
  });

  it("reads lines where there is no terminal", async () => {
    const { code, out } = await run(["chat", "--demo"], "/name Robin\nfrom a pipe\n/nonsense\n/friends\n");
    expect(code).toBe(0);
    expect(out).toContain("echo: from a pipe\n");
    expect(out).toContain("There is no /nonsense.");
  });

  it("behind a proxy that is not there, says so, and that nobody can start from it", async () => {
    const proxy = ["--proxy", "socks5://127.0.0.1:1"];
    const node = ["--bootstrap", `relay.invalid:33445:${"5A".repeat(32)}`];
    const { code, out, errors } = await run(["chat", ...proxy, ...node], "/node\n");
    expect({ code, port: /:0:/.exec(out) }).toEqual({ code: 0, port: null });
    expect(out).toContain("Nobody can start from you: UDP is off.");
    expect(errors).toMatch(/^\S+ warn no TCP relay can be reached; .*socks5 proxy 127\.0\.0\.1:1 .*\n$/);
    expect((await run(["chat", ...proxy], "/quit\n")).out).toContain("without UDP nobody can find you");
  });

  it("leaves with /quit though its input is still open", async () => {
    expect(await run(["chat", "--demo"], "/quit\n", { keepOpen: true })).toMatchObject({ code: 0, signal: null });
  });

  it("says why when nobody answers, after 15 s", { timeout: 40_000 }, async () => {
    const { code, out, errors } = await run([
      "chat",
      "--no-ipv6",
      "--port",
      "0",
      "--say",
      "hello",
      "--to",
      idOf("5A".repeat(32)),
    ]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(errors).toContain("the network does not answer");
  });

  it("refuses a Tox ID with a typing error", async () => {
    const id = idOf("5A".repeat(32)).replace(/^5/, "6");
    const { code, errors } = await run(["chat", "--no-ipv6", "--port", "0", "--say", "hello", "--to", id]);
    expect(code).toBe(1);
    expect(errors).toContain("checksum-mismatch");
  });

  it.each([
    [["chat", "--say", "hello"], "--say needs --to"],
    [["chat", "--demo", "--proxy", "socks5://127.0.0.1:1"], "leave --proxy and --no-udp out"],
    [["chat", "--demo", "--no-udp"], "leave --proxy and --no-udp out"],
    [["chat", "--proxy", "socks4://127.0.0.1:1"], "neither socks5://"],
    [["rpc", "--no-udp", "--map-ports"], "Leave out --map-ports with --no-udp"],
    [["chat", "--port", "70000"], "Give a port from 0 to 65535"],
    [["chat", "--bootstrap", "nowhere"], "HOST:PORT:KEY"],
    [["chat", "--nodes", "/nonexistent/nodes.json"], "cannot be read"],
    [["nonsense"], "unknown command"],
  ])("refuses %j with a sentence", async (args, sentence) => {
    const { code, errors } = await run(args);
    expect(code).toBe(1);
    expect(errors).toContain(sentence);
  });
});

/** The Tox ID of a key with nospam 0. */
function idOf(publicKey: string): string {
  const checksum = [0, 0];
  for (const [i, byte] of Buffer.from(publicKey, "hex").entries()) checksum[i % 2] = (checksum[i % 2] ?? 0) ^ byte;
  return `${publicKey}00000000${Buffer.from(checksum).toString("hex")}`;
}

describe("rpc", () => {
  it("lets two programs talk, and ends with its input", async () => {
    const alice = startRpc();
    const bob = startRpc();
    const [a, b] = [await alice.call("self"), await bob.call("self")];
    await alice.call("bootstrap", { host: "127.0.0.1", port: b.udpPort, publicKey: b.dhtPublicKey });
    await alice.call("addFriend", { id: b.id, message: "by rpc" });
    expect(await bob.notified("friendRequest")).toEqual({ publicKey: a.publicKey, message: "by rpc" });
    await bob.call("acceptFriend", { publicKey: a.publicKey.toLowerCase() });
    await alice.notified("friendConnection");
    const { messageId } = await alice.call("send", { friend: b.publicKey, text: "hello" });
    const id = expect.stringMatching(/^[0-9A-F]{32}$/);
    expect(await bob.notified("message")).toEqual({ friend: a.publicKey, text: "hello", action: false, id });
    expect(await alice.notified("delivered")).toEqual({ friend: b.publicKey, messageId });
    await expect(alice.call("send", { friend: b.publicKey, text: "" })).rejects.toMatchObject({
      data: { code: "message-empty" },
    });
    await alice.call("close");
    await bob.notified("friendConnection", ({ state }) => state === "none");
    bob.endInput();
    expect(await Promise.all([alice.exited, bob.exited])).toEqual([0, 0]);
  });

  it("shows avatars, and says at once when a file has no place, so that its offer stays", async () => {
    const folder = newFolder();
    const image = join(folder, "face.png");
    writeFileSync(image, "a face");
    await using alice = startRpc();
    await using bob = startRpc();
    const [a, b] = [await alice.call("self"), await bob.call("self")];
    await alice.call("bootstrap", { host: "127.0.0.1", port: b.udpPort, publicKey: b.dhtPublicKey });
    await alice.call("addFriendWithoutRequest", { publicKey: b.publicKey });
    await bob.call("addFriendWithoutRequest", { publicKey: a.publicKey });
    await alice.notified("friendConnection");

    await alice.call("setAvatar", { path: image });
    const { hash } = await alice.call("avatar");
    expect(await bob.notified("friendAvatar")).toEqual({ friend: a.publicKey, hash });
    const shown = { hash, hex: Buffer.from("a face").toString("hex").toUpperCase() };
    expect(await bob.call("avatar", { friend: a.publicKey })).toEqual(shown);
    await alice.call("setAvatar");
    expect(await bob.notified("friendAvatar")).toEqual({ friend: a.publicKey, hash: null });
    expect(await bob.call("avatar", { friend: a.publicKey })).toEqual({ hash: null, hex: null });

    await alice.call("sendFile", { friend: b.publicKey, path: image });
    const { fileId } = await bob.notified("fileOffer");
    const take = (path: string) => bob.call("acceptFile", { friend: a.publicKey, fileId, path });
    await expect(take(image)).rejects.toMatchObject({ message: expect.stringContaining("is there already") });
    await expect(take(join(folder, "none", "x"))).rejects.toMatchObject({
      message: expect.stringContaining("There is no folder"),
    });
    await take(join(folder, "copy"));
    await bob.notified("fileDone");
    expect(readFileSync(join(folder, "copy"), "utf8")).toBe("a face");
  });
});
