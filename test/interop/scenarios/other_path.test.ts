import { describe, it } from "vitest";
import { startRpcWith } from "../../support/rpc_client.ts";
import { startBootstrapd } from "../bootstrapd.ts";
import { netnsAvailable, Sandbox } from "../netns.ts";
import { spawnTied } from "../process.ts";
import { describeInterop, ToxcorePeer } from "../toxcore.ts";
import { TOXCORE_PATIENCE_MS } from "../two_sides.ts";

const netns = netnsAvailable();
if (!netns) console.log("a test with UDP blocked was skipped: it needs root on Linux, iproute2 and iptables");

describeInterop("a conversation with libtoxcore", () => {
  describe.concurrent("reconnect_by_another_path", () => {
    it.skipIf(!netns && process.env.CI === undefined)(
      "goes on over a relay when UDP is blocked, and over UDP when it is free again",
      async () => {
        await using sandbox = await Sandbox.create();
        const inside = { netns: sandbox.netns };
        const port = 33445;
        await using node = await startBootstrapd({ ...inside, port, relayPorts: [port] });
        await using theirs = await ToxcorePeer.start(inside);
        await using rpc = startRpcWith((command, args) => spawnTied(command, args, sandbox.netns));
        const { publicKey } = await rpc.call("self");
        const friend = theirs.publicKey;
        await rpc.call("bootstrap", { host: node.host, port, publicKey: node.publicKey });
        await theirs.bootstrap(node);
        await theirs.addTcpRelay(node);
        await rpc.call("addFriendWithoutRequest", { publicKey: friend });
        await theirs.friendAddNorequest(publicKey);
        const over = (state: "tcp" | "udp") =>
          Promise.all([
            rpc.notified("friendConnection", (event) => event.state === state),
            theirs.waitFor("friendConnection", { friend: publicKey, state }, TOXCORE_PATIENCE_MS),
          ]);
        const talk = async (text: string) => {
          await rpc.call("send", { friend, text });
          await theirs.waitFor("message", { friend: publicKey, text }, TOXCORE_PATIENCE_MS);
          await theirs.send(publicKey, text);
          await rpc.notified("message", (event) => event.text === text);
        };
        await over("udp");
        await talk("over UDP");
        sandbox.blockUdp();
        await talk("while UDP is blocked");
        await over("tcp");
        await talk("over a relay");
        sandbox.blockUdp(false);
        await over("udp");
        await talk("over UDP again");
      },
    );
  });
});
