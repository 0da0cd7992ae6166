import { describe, expect, it } from "vitest";
import { CountingMetrics } from "../../support/counting_metrics.ts";
import { describeInterop, ToxcorePeer } from "../toxcore.ts";
import { introduce, startOurs, startPair, TOXCORE_PATIENCE_MS, untilOnline } from "../two_sides.ts";

/** What a good-bye takes, where silence would take 32 s. */
const SAID_GOODBYE_MS = 20_000;
/** Long enough for toxcore to come back, if it could. */
const QUIET_MS = 15_000;

describeInterop("blocking libtoxcore", () => {
  describe.concurrent("friend_block", () => {
    it("a friend sees us offline and cannot reach us, and is back when he is let in", async () => {
      await using pair = await startPair();
      const { ours, theirs, friend } = pair;
      friend.blocked = true;
      await ours.heard.waitFor("friendConnection", ({ state }) => state === "none");
      await theirs.waitFor("friendConnection", { friend: ours.tox.publicKey, state: "none" }, SAID_GOODBYE_MS);
      const send = theirs.send(ours.tox.publicKey, "are you there?");
      await expect(send).rejects.toMatchObject({ code: "TOX_ERR_FRIEND_SEND_MESSAGE_FRIEND_NOT_CONNECTED" });
      const waiting = friend.send("when I let you in");
      await theirs.setName("somebody else");
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      expect(await theirs.friendConnectionStatus(ours.tox.publicKey)).toBe("none");
      expect([friend.connection, waiting.state]).toEqual(["none", "queued"]);
      expect(ours.heard.all("friendName").map(({ name }) => name)).not.toContain("somebody else");

      friend.blocked = false;
      await untilOnline(ours, theirs);
      await theirs.waitFor("message", { text: "when I let you in" });
      await ours.heard.waitFor("friendName", ({ name }) => name === "somebody else");
    });

    it("a stranger asks in vain, and is heard when he is let in", async () => {
      const metrics = new CountingMetrics();
      await using ours = await startOurs({ metrics });
      await using theirs = await ToxcorePeer.start();
      await introduce(ours, theirs);
      await ours.tox.block(theirs.publicKey);
      await theirs.friendAdd(ours.tox.id, "let me in");
      await metrics.counted("drop.friendRequest.blocked", 1, TOXCORE_PATIENCE_MS);
      expect(ours.heard.all("friendRequest")).toEqual([]);
      await ours.tox.block(theirs.publicKey, false);
      const request = await ours.heard.waitFor("friendRequest", undefined, TOXCORE_PATIENCE_MS);
      expect(request.message).toBe("let me in");
      request.accept();
      await untilOnline(ours, theirs);
    });
  });

  it.concurrent("last_online: both know when the other was last there", async () => {
    await using pair = await startPair();
    const { ours, theirs, friend } = pair;
    const started = Math.floor(Date.now() / 1000);
    // toxcore notes it when it looks at its friends, not when one comes.
    await expect.poll(() => theirs.lastOnline(ours.tox.publicKey), { timeout: SAID_GOODBYE_MS }).toBeGreaterThan(0);
    friend.blocked = true;
    await theirs.waitFor("friendConnection", { friend: ours.tox.publicKey, state: "none" }, SAID_GOODBYE_MS);
    const now = Math.ceil(Date.now() / 1000);
    const seen = { byUs: friend.lastOnline, byThem: await theirs.lastOnline(ours.tox.publicKey) };
    expect(seen.byUs).toBeGreaterThanOrEqual(started - 60);
    expect(seen.byUs).toBeLessThanOrEqual(now);
    expect(seen.byThem).toBeGreaterThanOrEqual(started - 60);
    expect(seen.byThem).toBeLessThanOrEqual(now);
  });
});
