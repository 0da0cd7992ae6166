import { describe, expect, it } from "vitest";
import { CountingMetrics } from "../../support/counting_metrics.ts";
import { describeInterop, ToxcorePeer } from "../toxcore.ts";
import { introduce, startOurs, TOXCORE_PATIENCE_MS, untilOnline } from "../two_sides.ts";

const REQUESTS = [
  ["one letter", "a"],
  ["the longest text", `${"👋".repeat(230)}!`],
] as const;

describeInterop("friend requests with libtoxcore", () => {
  describe.concurrent("friend_request", () => {
    it.each(REQUESTS)("of ours, %s, begins a friendship", async (_, message) => {
      await using ours = await startOurs();
      await using theirs = await ToxcorePeer.start();
      await introduce(ours, theirs);
      const friend = await ours.tox.addFriend(theirs.address, message);
      const request = await theirs.waitFor("friendRequest", undefined, TOXCORE_PATIENCE_MS);
      expect(request).toMatchObject({ publicKey: ours.tox.publicKey, message });
      await theirs.friendAddNorequest(request.publicKey);
      await untilOnline(ours, theirs);
      expect(friend.connection).toBe("udp");
    });

    it.each(REQUESTS)("of theirs, %s, begins a friendship", async (_, message) => {
      await using ours = await startOurs();
      await using theirs = await ToxcorePeer.start();
      await introduce(ours, theirs);
      await theirs.friendAdd(ours.tox.id, message);
      const request = await ours.heard.waitFor("friendRequest", undefined, TOXCORE_PATIENCE_MS);
      expect(request).toMatchObject({ publicKey: theirs.publicKey, message });
      request.accept();
      await untilOnline(ours, theirs);
    });

    it("that cannot be is refused on both sides", async () => {
      await using ours = await startOurs();
      await using theirs = await ToxcorePeer.start();
      const longer = ours.tox.addFriend(theirs.address, "x".repeat(922));
      await expect(longer).rejects.toMatchObject({ code: "request-message-too-long" });
      await expect(ours.tox.addFriend(theirs.address, "")).rejects.toMatchObject({ code: "message-empty" });
      const mistyped = theirs.address.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
      await expect(ours.tox.addFriend(mistyped, "Hi")).rejects.toMatchObject({ code: "checksum-mismatch" });
      await expect(ours.tox.addFriend(ours.tox.id, "Hi")).rejects.toMatchObject({ code: "own-id" });

      const refused = (code: string) => ({ code: `TOX_ERR_FRIEND_ADD_${code}` });
      await expect(theirs.friendAdd(ours.tox.id, "")).rejects.toMatchObject(refused("NO_MESSAGE"));
      await expect(theirs.friendAdd(mistyped, "Hi")).rejects.toMatchObject(refused("BAD_CHECKSUM"));
      await expect(theirs.friendAdd(theirs.address, "Hi")).rejects.toMatchObject(refused("OWN_KEY"));
    });
  });

  describe.concurrent("nospam", () => {
    it("of theirs: who asks under the old one is not shown, under the new one he is", async () => {
      const metrics = new CountingMetrics();
      await using ours = await startOurs({ metrics });
      await using theirs = await ToxcorePeer.start();
      await introduce(ours, theirs);
      const oldId = theirs.address;
      await theirs.setNospam(0x12345678);
      expect(theirs.address).not.toBe(oldId);
      const friend = await ours.tox.addFriend(oldId, "under the old one");
      // The first thing that goes to somebody found is the request, and what comes later cannot overtake it.
      await metrics.counted("onion.dataRequest.sent", 1, TOXCORE_PATIENCE_MS);
      expect(await ours.tox.addFriend(theirs.address, "under the new one")).toBe(friend);
      const request = await theirs.waitFor("friendRequest", undefined, TOXCORE_PATIENCE_MS);
      expect(request.message).toBe("under the new one");
      await theirs.friendAddNorequest(request.publicKey);
      await untilOnline(ours, theirs);
      expect(theirs.drain("friendRequest").map(({ message }) => message)).not.toContain("under the old one");
    });

    it("of ours: who asks under the old one is not shown, under the new one he is", async () => {
      const metrics = new CountingMetrics();
      await using ours = await startOurs({ metrics });
      await using theirs = await ToxcorePeer.start();
      await introduce(ours, theirs);
      const oldId = ours.tox.id;
      ours.tox.nospam = (ours.tox.nospam ^ 0x5aa55aa5) >>> 0;
      await theirs.friendAdd(oldId, "under the old one");
      await metrics.counted("drop.friendRequest.not-for-us", 1, TOXCORE_PATIENCE_MS);
      await theirs.friendDelete(ours.tox.publicKey);
      await theirs.friendAdd(ours.tox.id, "under the new one");
      const request = await ours.heard.waitFor("friendRequest", undefined, TOXCORE_PATIENCE_MS);
      expect(request.message).toBe("under the new one");
      request.accept();
      await untilOnline(ours, theirs);
      expect(ours.heard.all("friendRequest")).toEqual([]);
    });
  });
});
