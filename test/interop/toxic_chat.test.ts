import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { startBootstrapd } from "./toxcore.ts";
import { Sandbox, Toxic, toxicAvailable } from "./toxic.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/main.ts");
const PATIENCE_MS = 60_000;

const available = toxicAvailable();
if (!available) console.log("toxic tests skipped: they need root on Linux, toxic, tmux and toxcore-utils");

/** The three programs in one network namespace that has loopback and no route. */
describe.skipIf(!available && process.env.CI === undefined)("toxcore-ts chat and toxic", () => {
  it.concurrent("add each other and talk", async () => {
    expect(available).toBe(true);
    await using sandbox = await Sandbox.create();
    await using node = await startBootstrapd({ netns: sandbox.netns });
    const toxic = await Toxic.start(sandbox, { nodes: [node] });
    await toxic.setName("toxicuser");
    const bootstrap = `${node.host}:${node.port}:${node.publicKey}`;
    const command = [process.execPath, MAIN, "chat", "--no-ipv6", "--name", "oursuser", "--bootstrap", bootstrap];
    const ours = await sandbox.run("chat", command, { env: { PATH: process.env.PATH ?? "" } });
    await ours.waitForText(/[0-9A-F]{76}/);
    await toxic.waitOnline();

    await ours.enter(`/add ${toxic.id} Hello from ours`);
    await toxic.acceptFriend("Hello from ours");
    await ours.waitForText("is online", PATIENCE_MS);
    await ours.waitForText("toxicuser>", PATIENCE_MS);

    await ours.enter("first words");
    await toxic.showChat(0, PATIENCE_MS);
    await toxic.terminal.waitForText("first words", PATIENCE_MS);
    await toxic.enter("an answer");
    await ours.waitForText("toxicuser: an answer", PATIENCE_MS);
    await ours.enter("/quit");
    await ours.exited;
  });

  it.concurrent("talk after a request from toxic", async () => {
    expect(available).toBe(true);
    await using sandbox = await Sandbox.create();
    await using node = await startBootstrapd({ netns: sandbox.netns });
    const toxic = await Toxic.start(sandbox, { nodes: [node] });
    const bootstrap = `${node.host}:${node.port}:${node.publicKey}`;
    const ours = await sandbox.run("chat", [process.execPath, MAIN, "chat", "--no-ipv6", "--bootstrap", bootstrap]);
    const [id] = await ours.waitForText(/[0-9A-F]{76}/);
    await toxic.waitOnline();

    await toxic.addFriend(id, "LetMeIn");
    await ours.waitForText('asks to be your friend: "LetMeIn"', PATIENCE_MS);
    await ours.enter("/accept");
    await ours.waitForText("is online", PATIENCE_MS);
    await ours.enter("welcome");
    await toxic.showChat(0, PATIENCE_MS);
    await toxic.terminal.waitForText("welcome", PATIENCE_MS);
    await ours.enter("/quit");
    await ours.exited;
  });
});
