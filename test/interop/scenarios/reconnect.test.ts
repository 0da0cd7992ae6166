import { setTimeout as pass } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type RpcClient, startRpcWith } from "../../support/rpc_client.ts";
import { netnsAvailable, Sandbox } from "../netns.ts";
import { spawnTied } from "../process.ts";
import { describeInterop, ToxcorePeer } from "../toxcore.ts";
import { introduce, startPair, TOXCORE_PATIENCE_MS, untilOnline } from "../two_sides.ts";

/** Longer than the 32 s of silence after which either side gives a friend up. */
const OUTAGE_MS = 40_000;
const MEBIBYTE = 1024 * 1024;
const SILENCE_PATIENCE_MS = OUTAGE_MS + TOXCORE_PATIENCE_MS;

const netns = netnsAvailable();
if (!netns) console.log("a test without network was skipped: it needs root on Linux, and iproute2");

describeInterop("coming back to libtoxcore", () => {
  describe.concurrent("reconnect", () => {
    it("when they have slept for 40 s: nothing that ours said is lost", async () => {
      await using pair = await startPair();
      const { ours, theirs, friend } = pair;
      theirs.suspend();
      const waking = pass(OUTAGE_MS);
      const early = friend.send("said as they fell asleep");
      await ours.heard.waitFor("friendConnection", ({ state }) => state === "none", SILENCE_PATIENCE_MS);
      const late = friend.send("said while they slept");
      await waking;
      expect([early.state, late.state]).toEqual(["queued", "queued"]);
      theirs.resume();
      await theirs.waitFor("friendConnection", { state: "none" }, TOXCORE_PATIENCE_MS);
      await untilOnline(ours, theirs);
      await theirs.waitFor("message", { text: "said as they fell asleep" });
      await theirs.waitFor("message", { text: "said while they slept" });
      expect(await Promise.all([early.delivered, late.delivered])).toEqual(["delivered", "delivered"]);
      await theirs.send(ours.tox.publicKey, "awake again");
      await ours.heard.waitFor("message", ({ text }) => text === "awake again");
    });

    it("when we have slept for 40 s", async () => {
      await using theirs = await ToxcorePeer.start();
      await using rpc = startRpcWith(spawnTied);
      const friend = await befriendRpc(rpc, theirs);
      rpc.suspend();
      await pass(OUTAGE_MS);
      await theirs.waitFor("friendConnection", { state: "none" }, TOXCORE_PATIENCE_MS);
      rpc.resume();
      await returned(rpc, theirs, friend);
    });

    it.skipIf(!netns && process.env.CI === undefined)(
      "when there was no network for 40 s",
      {
        timeout: 240_000,
      },
      async () => {
        await using sandbox = await Sandbox.create();
        await using theirs = await ToxcorePeer.start({ netns: sandbox.netns });
        await using rpc = startRpcWith((command, args) => spawnTied(command, args, sandbox.netns));
        const friend = await befriendRpc(rpc, theirs);
        sandbox.setNetwork("down");
        const back = pass(OUTAGE_MS);
        const { messageId } = await rpc.call("send", { friend, text: "into the void" });
        await rpc.notified("friendConnection", ({ state }) => state === "none");
        await theirs.waitFor("friendConnection", { state: "none" }, SILENCE_PATIENCE_MS);
        await back;
        sandbox.setNetwork("up");
        await returned(rpc, theirs, friend);
        await theirs.waitFor("message", { text: "into the void" });
        await rpc.notified("delivered", (event) => event.messageId === messageId);
      },
    );

    it("when they were killed and start again: nothing that ours said is lost", async () => {
      await using pair = await startPair();
      const { ours, theirs, friend } = pair;
      const savedata = await theirs.savedata();
      await theirs.kill();
      const message = friend.send("said into the silence");
      await ours.heard.waitFor("friendConnection", ({ state }) => state === "none", SILENCE_PATIENCE_MS);
      expect(message.state).not.toBe("delivered");

      await using restarted = await ToxcorePeer.start({ savedata });
      await introduce(ours, restarted);
      await restarted.waitFor("message", { text: "said into the silence" }, TOXCORE_PATIENCE_MS);
      expect(await message.delivered).toBe("delivered");
    });

    it("with a file on its way, which goes on when it is offered again", async () => {
      await using pair = await startPair();
      const { ours, theirs, friend } = pair;
      const size = 64 * MEBIBYTE;
      const source = { name: "cut", size, read: async (_: number, length: number) => new Uint8Array(length) };
      const transfer = friend.sendFile(source);
      const offer = await theirs.waitFor("fileOffer", { name: "cut" });
      await theirs.acceptFile(ours.tox.publicKey, offer.file);
      await new Promise<void>(
        (resolve) => void transfer.on("progress", ({ bytes }) => void (bytes > MEBIBYTE && resolve())),
      );
      theirs.suspend();
      await ours.heard.waitFor("friendConnection", ({ state }) => state === "none", 60_000);
      expect(transfer.state).toBe("interrupted");
      theirs.resume();
      await untilOnline(ours, theirs);
      const again = await theirs.waitFor("fileOffer", { name: "cut", fileId: transfer.fileId });
      await theirs.acceptFile(ours.tox.publicKey, again.file, { seek: size - 3 * MEBIBYTE });
      expect(await transfer.done).toEqual({ state: "done" });
      await theirs.waitFor("fileDone", { file: again.file, bytes: size });
    });
  });
});

/** Gives their key. */
async function befriendRpc(rpc: RpcClient, theirs: ToxcorePeer): Promise<string> {
  const self = await rpc.call("self");
  await theirs.bootstrap({ host: "127.0.0.1", port: self.udpPort, publicKey: self.dhtPublicKey });
  await rpc.call("bootstrap", theirs.dhtNode);
  await rpc.call("addFriendWithoutRequest", { publicKey: theirs.publicKey });
  await theirs.friendAddNorequest(self.publicKey);
  await rpc.notified("friendConnection", ({ state }) => state === "udp");
  await theirs.waitFor("friendConnection", { state: "udp" }, TOXCORE_PATIENCE_MS);
  return theirs.publicKey;
}

/** Both see each other again, and talk. */
async function returned(rpc: RpcClient, theirs: ToxcorePeer, friend: string): Promise<void> {
  const { publicKey } = await rpc.call("self");
  await theirs.waitFor("friendConnection", { friend: publicKey, state: "udp" }, TOXCORE_PATIENCE_MS);
  await rpc.call("send", { friend, text: "here again" });
  await theirs.waitFor("message", { text: "here again" }, TOXCORE_PATIENCE_MS);
  await theirs.send(publicKey, "welcome back");
  await rpc.notified("message", ({ text }) => text === "welcome back");
}
