import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeInterop } from "../toxcore.ts";
import { type Pair, startPair } from "../two_sides.ts";

const LONGEST = 1372;

describeInterop("messages with libtoxcore", () => {
  let pair: Pair;

  beforeAll(async () => {
    pair = await startPair();
  });
  afterAll(() => pair?.[Symbol.asyncDispose]());

  describe("message", () => {
    it.each([
      ["a short", "hello"],
      ["a Unicode", "שלום 👩‍👩‍👧 e\u0301 \u0000 end"],
      ["a one-byte", "."],
    ])("%s one arrives either way", async (_, text) => {
      const { ours, theirs, friend } = pair;
      friend.send(text);
      await theirs.waitFor("message", { friend: ours.tox.publicKey, text, action: false });
      await theirs.send(ours.tox.publicKey, text);
      await ours.heard.waitFor("message", (it) => it.friend === friend && it.text === text && !it.action);
    });

    it("of theirs that is no text is shown as far as it is", async () => {
      const { ours, theirs } = pair;
      await theirs.send(ours.tox.publicKey, Uint8Array.of(0xff, 0x41, 0xe2, 0x82));
      await ours.heard.waitFor("message", ({ text }) => text === "\uFFFDA\uFFFD");
    });

    it("is an action where it was sent as one", async () => {
      const { ours, theirs, friend } = pair;
      friend.send("waves", { action: true });
      await theirs.waitFor("message", { text: "waves", action: true });
      await theirs.send(ours.tox.publicKey, "bows", { action: true });
      await ours.heard.waitFor("message", ({ text, action }) => text === "bows" && action);
    });
  });

  describe("send_message", () => {
    it.each([
      ["letters", "m".repeat(LONGEST)],
      ["four-byte characters", "😀".repeat(LONGEST / 4)],
    ])("takes the longest of %s either way, and not one more", async (_, text) => {
      const { ours, theirs, friend } = pair;
      const longer = `${text}.`;
      expect(() => friend.send(longer)).toThrow(expect.objectContaining({ code: "message-too-long" }));
      friend.send(text);
      await theirs.waitFor("message", { text });

      const tooLong = { code: "TOX_ERR_FRIEND_SEND_MESSAGE_TOO_LONG" };
      await expect(theirs.send(ours.tox.publicKey, longer)).rejects.toMatchObject(tooLong);
      await theirs.send(ours.tox.publicKey, text);
      await ours.heard.waitFor("message", (event) => event.text === text);
    });

    it("takes no empty one", async () => {
      const { ours, theirs, friend } = pair;
      expect(() => friend.send("")).toThrow(expect.objectContaining({ code: "message-empty" }));
      const empty = { code: "TOX_ERR_FRIEND_SEND_MESSAGE_EMPTY" };
      await expect(theirs.send(ours.tox.publicKey, "")).rejects.toMatchObject(empty);
    });
  });

  describe("friend_read_receipt", () => {
    it("comes for ours when they have it", async () => {
      const { ours, theirs, friend } = pair;
      const message = friend.send("received?");
      expect(await message.delivered).toBe("delivered");
      await ours.heard.waitFor("delivered", (event) => event.message === message);
      await theirs.waitFor("message", { text: "received?" });
    });

    it("comes for theirs when we have it", async () => {
      const { ours, theirs } = pair;
      const messageId = await theirs.send(ours.tox.publicKey, "received?");
      await theirs.waitFor("receipt", { friend: ours.tox.publicKey, messageId });
      await ours.heard.waitFor("message", ({ text }) => text === "received?");
    });

    it("comes for each of 1,000 of ours, which come in order", async () => {
      const { theirs, friend } = pair;
      const sent = Array.from({ length: 1000 }, (_, i) => friend.send(`ours ${i}`));
      const seen = await theirs.waitForMany("message", 1000, ({ text }) => text.startsWith("ours "), 100_000);
      expect(seen.map(({ text }) => text)).toEqual(sent.map(({ text }) => text));
      expect(new Set(await Promise.all(sent.map(({ delivered }) => delivered)))).toEqual(new Set(["delivered"]));
    });

    it("comes for each of 1,000 of theirs, which come in order", async () => {
      const { ours, theirs } = pair;
      const { messageIds } = await theirs.sendMany(ours.tox.publicKey, "theirs ", 1000);
      for (let i = 0; i < 1000; i++) {
        const { text } = await ours.heard.waitFor("message", (event) => event.text.startsWith("theirs "), 100_000);
        expect(text).toBe(`theirs ${i}`);
      }
      for (const messageId of messageIds) await theirs.waitFor("receipt", { messageId }, 100_000);
    });
  });
});
