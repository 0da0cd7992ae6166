import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { MAIN, startRpc } from "../../support/rpc_client.ts";

const FRIEND = "42".repeat(32);
const STRANGER = "43".repeat(32);

describe("rpc", () => {
  it("lists what waits, takes it back, and tells what was not sent in time", async () => {
    await using rpc = startRpc();
    await rpc.call("addFriendWithoutRequest", { publicKey: FRIEND });
    await rpc.call("addFriendWithoutRequest", { publicKey: STRANGER });
    const send = (friend: string, text: string, more = {}) => rpc.call("send", { friend, text, ...more });
    const one = await send(FRIEND, "one");
    const two = await send(STRANGER, "two", { action: true, expiresAt: 4_000_000_000 });
    const three = await send(FRIEND, "three", { ttl: 0.1 });
    const rest = { action: false, state: "queued", expiresAt: null };
    expect((await rpc.call("outbox")).slice(0, 1)).toEqual([
      { friend: FRIEND, messageId: one.messageId, text: "one", ...rest },
    ]);
    expect(await rpc.call("outbox", { friend: STRANGER })).toEqual([
      { friend: STRANGER, messageId: two.messageId, text: "two", ...rest, action: true, expiresAt: 4_000_000_000 },
    ]);
    expect(await rpc.notified("expired")).toEqual({ friend: FRIEND, messageId: three.messageId });
    expect(await rpc.call("friends")).toMatchObject([{ queued: 1, lastOnline: null, blocked: false }, { queued: 1 }]);
    const cancel = (messageId: string) => rpc.call("cancelMessage", { messageId });
    expect(await cancel(one.messageId.toLowerCase())).toEqual({ cancelled: true });
    expect(await cancel(one.messageId)).toEqual({ cancelled: false });
    expect(await cancel("nonsense")).toEqual({ cancelled: false });
    expect(await rpc.call("outbox")).toMatchObject([{ messageId: two.messageId }]);
    await expect(send(FRIEND, "x", { ttl: -1 })).rejects.toMatchObject({ data: { code: "invalid-argument" } });
    await expect(send(FRIEND, "x", { ttl: "1" })).rejects.toMatchObject({ code: -32602 });
  });

  it("blocks friends and strangers, and takes links", async () => {
    await using rpc = startRpc();
    await using other = startRpc();
    const [self, { id, publicKey, udpPort, dhtPublicKey }] = [await rpc.call("self"), await other.call("self")];
    await rpc.call("bootstrap", { host: "127.0.0.1", port: udpPort, publicKey: dhtPublicKey });
    await rpc.call("addFriend", { id: `tox:${id}?message=from%20a%20link` });
    expect(await other.notified("friendRequest")).toMatchObject({ message: "from a link" });
    await other.call("acceptFriend", { publicKey: self.publicKey });
    await other.notified("friendConnection", ({ state }) => state === "udp");
    await rpc.notified("friendConnection", ({ state }) => state === "udp");

    await rpc.call("block", { friend: publicKey.toLowerCase(), on: true });
    await other.notified("friendConnection", ({ state }) => state === "none");
    await rpc.call("block", { friend: STRANGER, on: true });
    expect(await rpc.call("blocked")).toEqual([publicKey, STRANGER]);
    expect(await rpc.call("friends")).toMatchObject([{ publicKey, connection: "none", blocked: true }]);
    await rpc.call("block", { friend: publicKey, on: false });
    await other.notified("friendConnection", ({ state }) => state === "udp");
    await expect(rpc.call("block", { friend: self.publicKey, on: true })).rejects.toMatchObject({
      data: { code: "own-id" },
    });
    await expect(rpc.call("addFriend", { id: "tox:somebody@example.org", message: "x" })).rejects.toMatchObject({
      data: { code: "invalid-id" },
    });
  });
});

describe("chat", () => {
  it("lists what waits, takes it back, blocks and lets in again", async () => {
    const child = spawn(process.execPath, [MAIN, "chat", "--no-ipv6", "--port", "0"], { stdio: "pipe" });
    const lines = [
      `/add tox:${idOf(FRIEND)}?message=hello`,
      "/outbox",
      "first",
      "second",
      "/outbox",
      "/unsend 1",
      "/unsend 1",
      "/unsend 9",
      "/block 1",
      `/block ${STRANGER}`,
      "third",
      "/blocked",
      "/friends",
      `/unblock tox:${idOf(STRANGER)}`,
      "/block nobody at all",
      "/blocked",
    ];
    child.stdin.end(`${lines.join("\n")}\n`);
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    expect(await once(child, "close")).toEqual([0, null]);
    const name = `${FRIEND.slice(0, 12)}…`;
    const shown = out.split("\n").slice(3);
    for (const [at, expected] of [
      "Nothing waits.",
      `  1  ${name} (queued)  first`,
      `  2  ${name} (queued)  second`,
      '* taken back: "first"',
      "There is no such message. /outbox lists them.",
      `* ${name} is blocked: they see you offline`,
      `* ${name} is blocked: kept until you /unblock them`,
      `  ${name}  ${FRIEND}`,
      `  1  ${name} (offline, blocked, 2 waiting to be delivered)  ${FRIEND}`,
      `* ${STRANGER.slice(0, 12)}… is no longer blocked`,
      "No one friend is meant by that. /friends lists them with their numbers.",
    ].entries()) {
      expect(shown, `line ${at}`).toContain(expected);
    }
    expect(out.match(new RegExp(`  ${name}  ${FRIEND}`, "g"))?.length).toBe(2);
    expect(out.match(new RegExp(`  ${STRANGER.slice(0, 12)}…  ${STRANGER}`, "g"))?.length).toBe(1);
  });
});

function idOf(publicKey: string): string {
  const checksum = [0, 0];
  for (const [i, byte] of Buffer.from(publicKey, "hex").entries()) checksum[i % 2] = (checksum[i % 2] ?? 0) ^ byte;
  return `${publicKey}00000000${Buffer.from(checksum).toString("hex")}`;
}
