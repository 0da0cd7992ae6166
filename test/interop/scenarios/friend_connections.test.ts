import { describe, expect, it } from "vitest";
import { describeInterop, ToxcorePeer } from "../toxcore.ts";
import {
  befriend,
  introduce,
  startNetwork,
  startOurs,
  startPair,
  TOXCORE_PATIENCE_MS,
  untilOnline,
} from "../two_sides.ts";

/** What a good-bye takes, where silence would take 32 s. */
const SAID_GOODBYE_MS = 20_000;

describeInterop("friend connections with libtoxcore", () => {
  describe.concurrent("friend_connection", () => {
    it("is seen by both, and its end when they leave", async () => {
      await using pair = await startPair();
      const { ours, theirs, friend } = pair;
      expect(friend.connection).toBe("udp");
      expect(await theirs.friendConnectionStatus(ours.tox.publicKey)).toBe("udp");
      await theirs.close();
      await ours.heard.waitFor("friendConnection", ({ state }) => state === "none", SAID_GOODBYE_MS);
      expect(friend.connection).toBe("none");
    });

    it("ends when we leave, and is there again when we return as the same person", async () => {
      const secretKey = new Uint8Array(32).fill(7);
      await using theirs = await ToxcorePeer.start();
      // Alone with us, toxcore would go on building its paths over the node that we were: then it takes up to half a minute.
      await using others = await startNetwork(3);
      await theirs.bootstrap(others.node);
      {
        await using ours = await startOurs({ secretKey, bootstrap: [others.node] });
        await befriend(ours, theirs);
      }
      await theirs.waitFor("friendConnection", { state: "none" }, SAID_GOODBYE_MS);
      await using ours = await startOurs({ secretKey, bootstrap: [others.node] });
      const friend = await ours.tox.addFriendWithoutRequest(theirs.publicKey);
      await untilOnline(ours, theirs);
      friend.send("I am back");
      await theirs.waitFor("message", { text: "I am back" });
    });
  });

  describe.concurrent("friend_delete", () => {
    it("shows us offline to those whom we delete, until we add them again", async () => {
      await using pair = await startPair();
      const { ours, theirs, friend } = pair;
      const lost = friend.send("never mind");
      await theirs.waitFor("message");
      await lost.delivered;
      friend.remove();
      expect(ours.tox.friends).toEqual([]);
      expect(() => friend.send("too late")).toThrow(expect.objectContaining({ code: "unknown-friend" }));
      await theirs.waitFor("friendConnection", { friend: ours.tox.publicKey, state: "none" }, SAID_GOODBYE_MS);
      const send = theirs.send(ours.tox.publicKey, "are you there?");
      await expect(send).rejects.toMatchObject({ code: "TOX_ERR_FRIEND_SEND_MESSAGE_FRIEND_NOT_CONNECTED" });

      const again = await ours.tox.addFriendWithoutRequest(theirs.publicKey);
      await untilOnline(ours, theirs);
      again.send("hello again");
      await theirs.waitFor("message", { text: "hello again" });
    });

    it("shows them offline to us when they delete us, until they add us again", async () => {
      await using pair = await startPair();
      const { ours, theirs, friend } = pair;
      await theirs.friendDelete(ours.tox.publicKey);
      await ours.heard.waitFor("friendConnection", ({ state }) => state === "none", SAID_GOODBYE_MS);
      const waiting = friend.send("are you there?");

      await theirs.friendAddNorequest(ours.tox.publicKey);
      await untilOnline(ours, theirs);
      await theirs.waitFor("message", { text: "are you there?" });
      expect(await waiting.delivered).toBe("delivered");
    });

    it("of each other lets either ask again", async () => {
      await using ours = await startOurs();
      await using theirs = await ToxcorePeer.start();
      await introduce(ours, theirs);
      await ours.tox.addFriend(theirs.address, "we ask");
      await theirs.friendAddNorequest(
        (await theirs.waitFor("friendRequest", { message: "we ask" }, TOXCORE_PATIENCE_MS)).publicKey,
      );
      await untilOnline(ours, theirs);

      ours.tox.friends[0]?.remove();
      await theirs.friendDelete(ours.tox.publicKey);
      await theirs.friendAdd(ours.tox.id, "they ask");
      const request = await ours.heard.waitFor("friendRequest", undefined, TOXCORE_PATIENCE_MS);
      expect(request.message).toBe("they ask");
      const friend = request.accept();
      await untilOnline(ours, theirs);

      await theirs.friendDelete(ours.tox.publicKey);
      friend.remove();
      await ours.tox.addFriend(theirs.address, "we ask again");
      await theirs.waitFor("friendRequest", { message: "we ask again" }, TOXCORE_PATIENCE_MS);
      await theirs.friendAddNorequest(ours.tox.publicKey);
      await untilOnline(ours, theirs);
    });
  });
});
