import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { fileBytes } from "../support/files.ts";
import { startRpc } from "../support/rpc_client.ts";
import { describeInterop, ToxcorePeer } from "./toxcore.ts";
import { TOXCORE_PATIENCE_MS } from "./two_sides.ts";

describeInterop("toxcore-ts rpc with libtoxcore", () => {
  it.concurrent("talks after its own request", async () => {
    await using theirs = await ToxcorePeer.start();
    await using rpc = startRpc("--name", "rpc");
    const self = await rpc.call("self");
    await theirs.bootstrap({ host: "127.0.0.1", port: self.udpPort, publicKey: self.dhtPublicKey });
    await rpc.call("addFriend", { id: theirs.address, message: "from a bot" });
    const request = await theirs.waitFor("friendRequest", { message: "from a bot" }, TOXCORE_PATIENCE_MS);
    await theirs.friendAddNorequest(request.publicKey);
    const friend = theirs.publicKey;
    expect(await rpc.notified("friendConnection")).toEqual({ friend, state: "udp" });
    await theirs.waitFor("friendName", { name: "rpc" });

    const { messageId } = await rpc.call("send", { friend, text: "hello" });
    await theirs.waitFor("message", { text: "hello" });
    expect(await rpc.notified("delivered")).toEqual({ friend, messageId });

    await rpc.call("setTyping", { friend, on: true });
    await theirs.waitFor("typing", { on: true });
    await theirs.setName("their name");
    await rpc.notified("friendName", ({ name }) => name === "their name");
    expect(await rpc.call("friends")).toMatchObject([
      { publicKey: friend, name: "their name", connection: "udp", queued: 0 },
    ]);
    await rpc.call("close");
    expect(await rpc.exited).toBe(0);
    await theirs.waitFor("friendConnection", { state: "none" });
  });

  it.concurrent("sends and takes files", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tox-rpc-"));
    await using theirs = await ToxcorePeer.start();
    await using rpc = startRpc();
    await rpc.call("bootstrap", { host: "127.0.0.1", port: theirs.udpPort, publicKey: theirs.dhtId });
    const { publicKey } = await rpc.call("self");
    const friend = theirs.publicKey;
    await rpc.call("addFriendWithoutRequest", { publicKey: friend });
    await theirs.friendAddNorequest(publicKey);
    await rpc.notified("friendConnection", ({ state }) => state !== "none");
    await theirs.waitFor("friendConnection", (event) => event.state !== "none", TOXCORE_PATIENCE_MS);
    const bytes = fileBytes(300_000);
    writeFileSync(join(folder, "a.bin"), bytes);

    const { fileId } = await rpc.call("sendFile", { friend, path: join(folder, "a.bin") });
    const offer = await theirs.waitFor("fileOffer", { name: "a.bin", size: 300_000 });
    await theirs.acceptFile(publicKey, offer.file, { path: join(folder, "there") });
    expect(await rpc.notified("fileDone")).toMatchObject({ friend, fileId, direction: "send", bytes: 300_000 });
    expect(readFileSync(join(folder, "there")).equals(bytes)).toBe(true);

    const there = { path: join(folder, "a.bin"), name: "../b.bin" };
    await theirs.sendFile(publicKey, there);
    const incoming = await rpc.notified("fileOffer");
    expect(incoming).toMatchObject({ friend, name: "_b.bin", size: 300_000, kind: "data" });
    await rpc.call("acceptFile", { friend, fileId: incoming.fileId, path: `${folder}/` });
    expect(await rpc.notified("fileDone")).toMatchObject({ fileId: incoming.fileId, direction: "receive" });
    expect(readFileSync(join(folder, "_b.bin")).equals(bytes)).toBe(true);

    await theirs.sendFile(publicKey, there);
    const again = await rpc.notified("fileOffer");
    await rpc.call("rejectFile", { friend, fileId: again.fileId });
    await theirs.waitFor("fileControl", { control: "cancel" });
    const gone = rpc.call("acceptFile", { friend, fileId: again.fileId, path: folder });
    await expect(gone).rejects.toMatchObject({ data: { code: "unknown-file" } });
    rmSync(folder, { recursive: true });
  });

  it.concurrent("talks after their request", async () => {
    await using theirs = await ToxcorePeer.start();
    await using rpc = startRpc();
    await rpc.call("bootstrap", { host: "127.0.0.1", port: theirs.udpPort, publicKey: theirs.dhtId });
    const { id, publicKey } = await rpc.call("self");
    await theirs.friendAdd(id, "from a person");
    expect(await rpc.notified("friendRequest")).toEqual({ publicKey: theirs.publicKey, message: "from a person" });
    await rpc.call("acceptFriend", { publicKey: theirs.publicKey });
    await rpc.notified("friendConnection", ({ state }) => state === "udp");

    await theirs.waitFor("friendConnection", (event) => event.state !== "none", TOXCORE_PATIENCE_MS);
    const messageId = await theirs.send(publicKey, "hello bot", { action: true });
    const friend = theirs.publicKey;
    expect(await rpc.notified("message")).toEqual({ friend, text: "hello bot", action: true });
    await theirs.waitFor("receipt", { messageId });
    await theirs.setTyping(publicKey, true);
    expect(await rpc.notified("typing")).toEqual({ friend, on: true });
  });
});
