import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Crypto } from "../../src/crypto/crypto.ts";
import { Tox } from "../../src/index.ts";
import { fileStore } from "../../src/node/index.ts";
import { nodeRandom } from "../../src/node/random.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { toHex } from "../../src/util/bytes.ts";
import { startBootstrapd } from "./toxcore.ts";
import { Sandbox, Toxic, toxicAvailable } from "./toxic.ts";

const available = toxicAvailable();
/** Somebody who is nowhere. */
const FRIEND = toHex(new Crypto(sodiumProvider, nodeRandom).keyPair().publicKey);

const LOOPBACK = { bindIpv4: "127.0.0.1", ipv6: false, port: 0 };

/** In a network namespace that has loopback and no route. */
describe.skipIf(!available && process.env.CI === undefined)("a profile that toxic made", () => {
  it("opens here, gains a friend, and opens there again with it", async () => {
    expect(available).toBe(true);
    await using sandbox = await Sandbox.create();
    await using node = await startBootstrapd({ netns: sandbox.netns });
    const toxic = await Toxic.start(sandbox, { nodes: [node] });
    await toxic.setName("toxicuser");
    await toxic.quit();

    const store = fileStore(join(sandbox.directory, "toxic.tox"));
    const tox = await Tox.create({ store, ...LOOPBACK });
    expect([tox.id, tox.name]).toEqual([toxic.id, "toxicuser"]);
    await tox.addFriendWithoutRequest(FRIEND);
    await tox.close();
    await store.close();

    const again = await Toxic.start(sandbox, { nodes: [node] });
    expect(again.id).toBe(toxic.id);
    await again.show(1);
    await again.terminal.waitForText(FRIEND.slice(0, 6));
    await again.show(0); // among the contacts letters are commands
    await again.quit();
  });
});

describe.skipIf(!available && process.env.CI === undefined)("a profile that we made", () => {
  it.each([
    ["plain", undefined],
    ["encrypted", "correct horse"],
  ])("(%s) opens in toxic with name, words and friend, is saved there, and opens here again", async (_, password) => {
    expect(available).toBe(true);
    await using sandbox = await Sandbox.create();
    await using node = await startBootstrapd({ netns: sandbox.netns });
    const open = () => fileStore(join(sandbox.directory, "ours.tox"), password === undefined ? {} : { password });

    const store = open();
    const tox = await Tox.create({ store, name: "oursuser", statusMessage: "made by ours", ...LOOPBACK });
    const { id } = tox;
    const friend = await tox.addFriendWithoutRequest(FRIEND);
    const message = friend.send("until you are there");
    await tox.close();
    await store.close();

    const toxic = await Toxic.start(sandbox, {
      nodes: [node],
      profile: "ours",
      ...(password !== undefined && { password }),
    });
    expect(toxic.id).toBe(id);
    await toxic.terminal.waitForText("oursuser");
    await toxic.terminal.waitForText("made by ours");
    await toxic.show(1);
    await toxic.terminal.waitForText(FRIEND.slice(0, 6));
    await toxic.show(0);
    await toxic.setName("toxicuser");
    await toxic.quit();
    const saved = await readFile(join(sandbox.directory, "ours.tox"), "latin1");
    expect(saved.startsWith("toxEsave")).toBe(password !== undefined);

    const storeAgain = open();
    await using again = await Tox.create({ store: storeAgain, ...LOOPBACK });
    expect([again.id, again.name, again.statusMessage]).toEqual([id, "toxicuser", "made by ours"]);
    expect(again.friends.map(({ publicKey }) => publicKey)).toEqual([FRIEND]);
    // What only ours know lies beside it, untouched.
    expect(again.outbox().map((queued) => [queued.message.id, queued.message.text])).toEqual([
      [message.id, "until you are there"],
    ]);
    await again.close();
    await storeAgain.close();
  });
});
