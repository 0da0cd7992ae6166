import { describe, expect, it } from "vitest";
import { MAIN } from "../../support/rpc_client.ts";
import type { Sandbox, Terminal } from "../toxic.ts";
import { Toxic, toxicAvailable } from "../toxic.ts";
import { bootstrapArgs, Island, type RelayNode } from "./island.ts";

const PATIENCE_MS = 120_000;

const available = toxicAvailable();
if (!available) console.log("toxic tests skipped: they need root on Linux, toxic, tmux and toxcore-utils");

function startChat(sandbox: Sandbox, nodes: readonly RelayNode[], ...flags: string[]): Promise<Terminal> {
  const command = [process.execPath, MAIN, "chat", "--name", "oursuser", ...flags, ...bootstrapArgs(nodes)];
  return sandbox.run("chat", command, { env: { PATH: process.env.PATH ?? "" } });
}

const CASES = (["theirs", "ours"] as const).flatMap((relays) => [
  { relays, link: "has UDP", at: "world", flags: ["--no-ipv6"] } as const,
  { relays, link: "has UDP off", at: "world", flags: ["--no-ipv6", "--no-udp"] } as const,
  { relays, link: "is behind the same firewall", at: "island", flags: ["--no-ipv6"] } as const,
]);

/** A firewall lets no UDP of toxic through, so that it lives by TCP relays alone. */
describe.skipIf(!available && process.env.CI === undefined)("toxic without UDP", () => {
  it.concurrent.each(CASES)("over relays of $relays, ours $link: they add each other and talk", async (one) => {
    expect(available).toBe(true);
    await using place = await Island.create("tcp");
    await using relays = await place.startRelays(one.relays);
    const toxic = await Toxic.start(place.island, { nodes: [...relays.nodes] });
    await toxic.setName("toxicuser");
    const ours = await startChat(place[one.at], relays.nodes, ...one.flags);
    await ours.waitForText(/[0-9A-F]{76}/);
    await toxic.waitOnline(PATIENCE_MS);

    await ours.enter(`/add ${toxic.id} Hello from ours`);
    await toxic.acceptFriend("Hello from ours", 0, PATIENCE_MS);
    await ours.waitForText("is online", PATIENCE_MS);
    await ours.waitForText("toxicuser>", PATIENCE_MS);
    await ours.enter("first words");
    await toxic.showChat(0, PATIENCE_MS);
    await toxic.terminal.waitForText("first words", PATIENCE_MS);
    await toxic.enter("an answer");
    await ours.waitForText("toxicuser: an answer", PATIENCE_MS);
    await ours.enter("/quit");
    await ours.exited;
    expect(place.dropped()).toBeGreaterThan(0); // what toxic sent to the relays over UDP
  });

  it.concurrent.each(CASES)("over relays of $relays, ours $link: toxic asks", async (one) => {
    expect(available).toBe(true);
    await using place = await Island.create("tcp");
    await using relays = await place.startRelays(one.relays);
    const toxic = await Toxic.start(place.island, { nodes: [...relays.nodes] });
    const ours = await startChat(place[one.at], relays.nodes, ...one.flags);
    const [id] = await ours.waitForText(/[0-9A-F]{76}/);
    await toxic.waitOnline(PATIENCE_MS);

    await toxic.addFriend(id, "LetMeIn");
    await ours.waitForText('asks to be your friend: "LetMeIn"', PATIENCE_MS);
    await ours.enter("/accept");
    await ours.waitForText("is online", PATIENCE_MS);
    await ours.enter("welcome");
    await toxic.showChat(0, PATIENCE_MS);
    await toxic.terminal.waitForText("welcome", PATIENCE_MS);
    await toxic.enter("thanks");
    await ours.waitForText(": thanks", PATIENCE_MS);
    await ours.enter("/quit");
    await ours.exited;
    expect(place.dropped()).toBeGreaterThan(0); // what toxic sent to the relays over UDP
  });
});
