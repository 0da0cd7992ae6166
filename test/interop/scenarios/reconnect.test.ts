import { expect, it } from "vitest";
import { describeInterop, ToxcorePeer } from "../toxcore.ts";
import { befriend, introduce, startNetwork, startOurs, TOXCORE_PATIENCE_MS, untilOnline } from "../two_sides.ts";

/** What a friend is told of one who vanishes without a word: after 32 s of silence. */
const SILENCE_PATIENCE_MS = 45_000;

describeInterop("coming and going with libtoxcore", () => {
  it.concurrent("shows each at once when the other leaves", { timeout: 120_000 }, async () => {
    await using ours = await startOurs();
    await using theirs = await ToxcorePeer.start();
    await introduce(ours, theirs);
    await befriend(ours, theirs);
    await theirs.close();
    await ours.heard.waitFor("friendConnection", ({ state }) => state === "none", 5_000);
  });

  it.concurrent("shows them when we leave, and has us back when we return as the same person", {
    timeout: 180_000,
  }, async () => {
    const secretKey = new Uint8Array(32).fill(7);
    await using theirs = await ToxcorePeer.start();
    // Alone with us, toxcore would go on building its paths over the node that we were: then it takes up to half a minute.
    await using others = await startNetwork(3);
    await theirs.bootstrap(others.node);
    {
      await using ours = await startOurs({ secretKey });
      await ours.tox.bootstrap(others.node);
      await befriend(ours, theirs);
    }
    await theirs.waitFor("friendConnection", { state: "none" }, 5_000);
    await using ours = await startOurs({ secretKey });
    await ours.tox.bootstrap(others.node);
    const friend = await ours.tox.addFriendWithoutRequest(theirs.publicKey);
    await untilOnline(ours, theirs);
    friend.send("I am back");
    await theirs.waitFor("message", { text: "I am back" });
  });

  it.concurrent("delivers what was said while they were away when they restart", { timeout: 240_000 }, async () => {
    await using ours = await startOurs();
    let savedata: Uint8Array;
    let friend: Awaited<ReturnType<typeof befriend>>;
    {
      await using theirs = await ToxcorePeer.start();
      await introduce(ours, theirs);
      friend = await befriend(ours, theirs);
      savedata = await theirs.savedata();
      await theirs.kill();
    }
    const message = friend.send("said into the silence");
    await ours.heard.waitFor("friendConnection", ({ state }) => state === "none", SILENCE_PATIENCE_MS);
    expect(message.state).not.toBe("delivered");

    await using returned = await ToxcorePeer.start({ savedata });
    await introduce(ours, returned);
    await returned.waitFor("message", { text: "said into the silence" }, TOXCORE_PATIENCE_MS);
    expect(await message.delivered).toBe("delivered");
  });
});
