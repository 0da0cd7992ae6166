import { expect, it } from "vitest";
import { askNodeInfo } from "../../src/cli/node/info.ts";
import { loadCryptoProvider, nodeEdges } from "../../src/node/index.ts";
import { ToxNode } from "../../src/tox_node.ts";
import { describeInterop, startBootstrapd, ToxcorePeer } from "./toxcore.ts";

describeInterop("a node of ours", () => {
  it("asks tox-bootstrapd for its version and message of the day", async () => {
    await using theirs = await startBootstrapd();
    const { version, motd } = await askNodeInfo(theirs.host, theirs.port);
    expect(version).toBeGreaterThan(0);
    expect(motd).toMatch(/^interop /);
  });

  it("lets a C peer find others through it", { timeout: 240_000 }, async () => {
    const edges = nodeEdges();
    await using node = await ToxNode.create(
      { ...edges, crypto: await loadCryptoProvider(), release: edges.close },
      { port: 0, ipv6: false, bindIpv4: "127.0.0.1" },
    );
    const at = { host: "127.0.0.1", port: node.udpPort, publicKey: node.publicKey };
    await using alice = await ToxcorePeer.start({ label: "alice" });
    await using bob = await ToxcorePeer.start({ label: "bob" });
    await Promise.all([alice.bootstrap(at), bob.bootstrap(at)]);
    await alice.friendAddNorequest(bob.publicKey);
    await bob.friendAddNorequest(alice.publicKey);
    await alice.waitFor("friendConnection", { friend: bob.publicKey, state: "udp" }, 200_000);
    expect(node.nodeCount).toBeGreaterThan(0);
  });
});
