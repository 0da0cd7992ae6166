import { afterAll, beforeAll, expect, it } from "vitest";
import type { Friend } from "../../src/index.ts";
import { describeInterop, ToxcorePeer } from "./toxcore.ts";
import { befriend, introduce, type Ours, startOurs } from "./two_sides.ts";

const LONGEST = 1372;

describeInterop("a conversation with libtoxcore", () => {
  let ours: Ours;
  let theirs: ToxcorePeer;
  let friend: Friend;

  beforeAll(async () => {
    ours = await startOurs({ name: "Öurs", statusMessage: "here", status: "busy" });
    theirs = await ToxcorePeer.start();
    await introduce(ours, theirs);
    friend = await befriend(ours, theirs);
  }, 120_000);

  afterAll(async () => {
    await ours?.tox.close();
    await theirs?.close();
  });

  it("does not show them the hello of our extension, which was sent first of all", async () => {
    await theirs.waitFor("friendName", { name: "Öurs" });
    expect(theirs.drain("lossless")).toEqual([]);
    expect(await theirs.friendConnectionStatus(ours.tox.publicKey)).toBe("udp");
    expect(friend.connection).toBe("udp");
  });

  it("tells them our name, status message and status", async () => {
    await theirs.waitFor("friendStatusMessage", { statusMessage: "here" });
    await theirs.waitFor("friendStatus", { status: "busy" });
    ours.tox.name = "changed ✓";
    ours.tox.statusMessage = "s".repeat(1007);
    ours.tox.status = "away";
    await theirs.waitFor("friendName", { name: "changed ✓" });
    await theirs.waitFor("friendStatusMessage", { statusMessage: "s".repeat(1007) });
    await theirs.waitFor("friendStatus", { status: "away" });
  });

  it("tells us theirs", async () => {
    await theirs.setName("n".repeat(128));
    await theirs.setStatusMessage("thérè");
    await theirs.setStatus("busy");
    await ours.heard.waitFor("friendName", ({ name }) => name === "n".repeat(128));
    await ours.heard.waitFor("friendStatusMessage", ({ statusMessage }) => statusMessage === "thérè");
    await ours.heard.waitFor("friendStatus", ({ status }) => status === "busy");
    expect(friend).toMatchObject({ name: "n".repeat(128), statusMessage: "thérè", status: "busy" });
  });

  it("shows each when the other types", async () => {
    await theirs.setTyping(ours.tox.publicKey, true);
    await ours.heard.waitFor("typing", ({ on }) => on);
    await theirs.setTyping(ours.tox.publicKey, false);
    await ours.heard.waitFor("typing", ({ on }) => !on);
    friend.setTyping(true);
    await theirs.waitFor("typing", { on: true });
    friend.setTyping(false);
    await theirs.waitFor("typing", { on: false });
  });

  it.each([
    ["a short", "hello"],
    ["a Unicode", "שלום 👩‍👩‍👧 e\u0301 \u0000 end"],
    ["the longest", "m".repeat(LONGEST)],
    ["the longest of four-byte", "😀".repeat(LONGEST / 4)],
  ])("carries %s message each way, with its receipt", async (_, text) => {
    const message = friend.send(text);
    await theirs.waitFor("message", { text, action: false });
    expect(await message.delivered).toBe("delivered");
    const id = await theirs.send(ours.tox.publicKey, text);
    await ours.heard.waitFor("message", (event) => event.text === text && !event.action);
    await theirs.waitFor("receipt", { messageId: id });
  });

  it("carries actions each way", async () => {
    friend.send("waves", { action: true });
    await theirs.waitFor("message", { text: "waves", action: true });
    await theirs.send(ours.tox.publicKey, "bows", { action: true });
    await ours.heard.waitFor("message", ({ text, action }) => text === "bows" && action);
  });

  it("carries custom packets each way", async () => {
    friend.sendPacket(Uint8Array.of(160, 1, 2, 3));
    await theirs.waitFor("lossless", { hex: "A0010203" });
    friend.sendPacket(Uint8Array.of(200, 4, 5));
    await theirs.waitFor("lossy", { hex: "C80405" });
    await theirs.sendLossless(ours.tox.publicKey, "A109");
    await ours.heard.waitFor("packet", ({ bytes }) => bytes[0] === 161 && bytes[1] === 9);
    await theirs.sendLossy(ours.tox.publicKey, "C907");
    await ours.heard.waitFor("packet", ({ bytes }) => bytes[0] === 201 && bytes[1] === 7);
  });

  it("carries 1,000 of our messages in order, with receipts", { timeout: 60_000 }, async () => {
    const sent = Array.from({ length: 1000 }, (_, i) => friend.send(`ours ${i}`));
    const seen = await theirs.waitForMany("message", 1000, ({ text }) => text.startsWith("ours "), 50_000);
    expect(seen.map(({ text }) => text)).toEqual(sent.map(({ text }) => text));
    expect(new Set(await Promise.all(sent.map(({ delivered }) => delivered)))).toEqual(new Set(["delivered"]));
  });

  it("carries 1,000 of their messages in order, with receipts", { timeout: 60_000 }, async () => {
    const { messageIds } = await theirs.sendMany(ours.tox.publicKey, "theirs ", 1000);
    for (let i = 0; i < 1000; i++) {
      const { text } = await ours.heard.waitFor("message", (event) => event.text.startsWith("theirs "), 50_000);
      expect(text).toBe(`theirs ${i}`);
    }
    for (const messageId of messageIds) await theirs.waitFor("receipt", { messageId }, 50_000);
  });
});
