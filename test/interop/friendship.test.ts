import { expect, it } from "vitest";
import { describeInterop, ToxcorePeer } from "./toxcore.ts";
import { introduce, startOurs, TOXCORE_PATIENCE_MS, untilOnline } from "./two_sides.ts";

describeInterop("friendship with libtoxcore", () => {
  it.concurrent("begins with our request", { timeout: 120_000 }, async () => {
    await using ours = await startOurs({ name: "ours" });
    await using theirs = await ToxcorePeer.start();
    await introduce(ours, theirs);

    const friend = await ours.tox.addFriend(theirs.address, "Hi, it is us");
    const request = await theirs.waitFor("friendRequest", undefined, TOXCORE_PATIENCE_MS);
    expect(request).toMatchObject({ publicKey: ours.tox.publicKey, message: "Hi, it is us" });

    await theirs.friendAddNorequest(request.publicKey);
    await untilOnline(ours, theirs);
    expect(friend.connection).toBe("udp");
  });

  it.concurrent("begins with their request", { timeout: 120_000 }, async () => {
    await using ours = await startOurs();
    await using theirs = await ToxcorePeer.start();
    await introduce(ours, theirs);

    await theirs.friendAdd(ours.tox.id, "Grüß Gott 👋");
    const request = await ours.heard.waitFor("friendRequest", undefined, TOXCORE_PATIENCE_MS);
    expect(request).toMatchObject({ publicKey: theirs.publicKey, message: "Grüß Gott 👋" });

    request.accept();
    await untilOnline(ours, theirs);
  });

  it.concurrent("carries the longest request either way", { timeout: 120_000 }, async () => {
    await using ours = await startOurs();
    await using theirs = await ToxcorePeer.start();
    await introduce(ours, theirs);
    await ours.tox.addFriend(theirs.address, "x".repeat(921));
    await theirs.waitFor("friendRequest", { message: "x".repeat(921) }, TOXCORE_PATIENCE_MS);
    await using others = await ToxcorePeer.start();
    await introduce(ours, others);
    await others.friendAdd(ours.tox.id, "y".repeat(921));
    await ours.heard.waitFor("friendRequest", ({ message }) => message === "y".repeat(921), TOXCORE_PATIENCE_MS);
  });
});
