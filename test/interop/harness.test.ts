import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Tmux } from "./tmux.ts";
import { describeInterop, startBootstrapd, ToxcorePeer } from "./toxcore.ts";

describeInterop("the interop harness", () => {
  it("lets two C peers meet and talk", async () => {
    await using node = await startBootstrapd();
    await using alice = await ToxcorePeer.start({ label: "alice" });
    await using bob = await ToxcorePeer.start({ label: "bob" });
    await Promise.all([alice.bootstrap(node), bob.bootstrap(node), alice.bootstrap(bob.dhtNode)]);

    await alice.friendAdd(bob.address, "Hi, it's Alice");
    const request = await bob.waitFor("friendRequest", { publicKey: alice.publicKey }, 120_000);
    expect(request.message).toBe("Hi, it's Alice");
    await bob.friendAddNorequest(request.publicKey);
    await Promise.all([
      alice.waitFor("friendConnection", { friend: bob.publicKey, state: "udp" }, 120_000),
      bob.waitFor("friendConnection", { friend: alice.publicKey, state: "udp" }, 120_000),
    ]);

    const hello = await alice.send(bob.publicKey, "hello");
    expect(await bob.waitFor("message")).toMatchObject({ friend: alice.publicKey, text: "hello", action: false });
    await alice.waitFor("receipt", { friend: bob.publicKey, messageId: hello });
    await bob.send(alice.publicKey, "waves", { action: true });
    expect(await alice.waitFor("message")).toMatchObject({ friend: bob.publicKey, text: "waves", action: true });
  });

  it("loses nothing of what a peer has said before it is closed", async () => {
    const peer = await ToxcorePeer.start();
    const said = Array.from({ length: 2000 }, () => peer.savedata());
    const [profiles] = await Promise.all([Promise.all(said), peer.close()]);
    expect(new Set(profiles.map(({ length }) => length)).size).toBe(1);
    expect(await peer.exited).toBe("exit code 0");
  });

  it("is not hurt by a peer that is killed in the middle of a line", async () => {
    const peer = await ToxcorePeer.start();
    const said = Array.from({ length: 2000 }, () => peer.savedata());
    const settled = Promise.allSettled(said);
    await said[0];
    await peer.kill();
    expect((await settled).at(-1)?.status).toBe("rejected");
  });

  it("tells how a program in a terminal has ended", async () => {
    const folder = await mkdtemp(join(tmpdir(), "toxcore-ts-terminal-"));
    await using tmux = await Tmux.start({ socket: `toxcore-ts-harness-${process.pid}` });
    const run = async (name: string, command: string) => {
      const script = join(folder, name);
      await writeFile(script, `#!/bin/sh\n${command}\n`, { mode: 0o755 });
      return (await tmux.open(name, script)).exited;
    };
    const ends = [run("well", "exit 0"), run("badly", "exit 3"), run("killed", "kill -KILL $$")];
    expect(await Promise.all(ends)).toEqual(["exit code 0", "exit code 3", "signal 9"]);
    await rm(folder, { recursive: true });
  });
});
