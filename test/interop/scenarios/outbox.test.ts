import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../src/index.ts";
import { describeInterop, ToxcorePeer } from "../toxcore.ts";
import { befriend, startNetwork, startOurs, untilOnline } from "../two_sides.ts";

describeInterop("the outbox with libtoxcore", () => {
  describe("outbox", () => {
    it("what is said while they are away arrives when they are back, over a restart of ours, in order and once", async () => {
      // Without others toxcore would go on building its paths over the node that we were.
      await using others = await startNetwork(3);
      const store = memoryStore();
      let savedata: Uint8Array;
      let friendKey: string;
      {
        await using ours = await startOurs({ store, bootstrap: [others.node] });
        await using theirs = await ToxcorePeer.start();
        await theirs.bootstrap(others.node);
        await befriend(ours, theirs);
        savedata = await theirs.savedata();
        friendKey = theirs.publicKey;
        await theirs.close();
        await ours.heard.waitFor("friendConnection", ({ state }) => state === "none", 40_000);
        const friend = ours.tox.friend(friendKey);
        const messages = ["one", "taken back", "too late", "two"].map((text) =>
          friend?.send(text, text === "too late" ? { ttl: 1 } : {}),
        );
        await Promise.all(messages.map((message) => message?.stored));
        expect(messages[1]?.cancel()).toBe(true);
        await ours.heard.waitFor("expired", ({ message }) => message.text === "too late");
      }
      await using ours = await startOurs({ store, bootstrap: [others.node] });
      ours.tox.friend(friendKey)?.send("three", { action: true });
      expect(ours.tox.outbox().map(({ message }) => message.text)).toEqual(["one", "two", "three"]);
      await using theirs = await ToxcorePeer.start({ savedata });
      await theirs.bootstrap(others.node);
      await untilOnline(ours, theirs);
      for (const [text, action] of [
        ["one", false],
        ["two", false],
        ["three", true],
      ] as const) {
        expect(await theirs.waitFor("message")).toMatchObject({ text, action });
      }
      for (let i = 0; i < 3; i++) await ours.heard.waitFor("delivered");
      expect(ours.tox.outbox()).toEqual([]);
      expect(theirs.drain("message")).toEqual([]);
    });
  });
});
