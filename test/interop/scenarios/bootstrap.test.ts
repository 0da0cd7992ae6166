import { it } from "vitest";
import { describeInterop, startBootstrapd, ToxcorePeer } from "../toxcore.ts";
import { startOurs, TOXCORE_PATIENCE_MS } from "../two_sides.ts";

describeInterop("networks of both kinds", () => {
  it("let two of ours find each other through nodes of theirs", { timeout: 120_000 }, async () => {
    await using daemon = await startBootstrapd();
    await using other = await ToxcorePeer.start();
    await other.bootstrap(daemon);
    await using alice = await startOurs({ bootstrap: [daemon] });
    await using bob = await startOurs({ bootstrap: [daemon] });
    await alice.tox.addFriend(bob.tox.id, "through their network");
    const request = await bob.heard.waitFor("friendRequest", undefined, TOXCORE_PATIENCE_MS);
    const friend = request.accept();
    await alice.heard.waitFor("friendConnection", ({ state }) => state === "udp", TOXCORE_PATIENCE_MS);
    friend.send("found you");
    await alice.heard.waitFor("message", ({ text }) => text === "found you");
  });

  it("let two of theirs find each other through nodes of ours", { timeout: 120_000 }, async () => {
    await using first = await startOurs();
    await using second = await startOurs({
      bootstrap: [{ host: "127.0.0.1", port: first.tox.udpPort, publicKey: first.tox.dhtPublicKey }],
    });
    await using carol = await ToxcorePeer.start({ label: "carol" });
    await using dave = await ToxcorePeer.start({ label: "dave" });
    await carol.bootstrap(first.node);
    await dave.bootstrap(second.node);
    await carol.friendAdd(dave.address, "through your network");
    const request = await dave.waitFor("friendRequest", undefined, TOXCORE_PATIENCE_MS);
    await dave.friendAddNorequest(request.publicKey);
    await carol.waitFor("friendConnection", { state: "udp" }, TOXCORE_PATIENCE_MS);
    await dave.waitFor("friendConnection", { state: "udp" }, TOXCORE_PATIENCE_MS);
    await carol.send(dave.publicKey, "found you");
    await dave.waitFor("message", { text: "found you" });
  });
});
