import { describe, expect, it } from "vitest";
import { describeInterop, startBootstrapd, ToxcorePeer } from "../toxcore.ts";
import { type Ours, startOurs, TOXCORE_PATIENCE_MS } from "../two_sides.ts";

describeInterop("networks of both kinds", () => {
  describe.concurrent("bootstrap", () => {
    it("of ours from a node of theirs", async () => {
      await using theirs = await ToxcorePeer.start();
      await using ours = await startOurs({ bootstrap: [theirs.dhtNode] });
      await untilConnected(ours);
      expect(ours.tox.nodeCount).toBe(1);
    });

    it("of theirs from a node of ours", async () => {
      await using ours = await startOurs();
      await using theirs = await ToxcorePeer.start();
      await theirs.bootstrap(ours.node);
      await theirs.waitFor("selfConnection", ({ state }) => state !== "none", TOXCORE_PATIENCE_MS);
      await untilConnected(ours);
    });

    it("of ours from tox-bootstrapd", async () => {
      await using daemon = await startBootstrapd();
      await using ours = await startOurs({ bootstrap: [daemon] });
      await untilConnected(ours);
      expect(ours.tox.nodeCount).toBe(1);
    });

    it("lets two of ours find each other through nodes of theirs", async () => {
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

    it("lets two of theirs find each other through nodes of ours", async () => {
      await using first = await startOurs();
      await using second = await startOurs({ bootstrap: [first.node] });
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
});

async function untilConnected(ours: Ours): Promise<void> {
  await ours.heard.waitFor("connection", ({ state }) => state === "udp", TOXCORE_PATIENCE_MS);
}
