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
    const tox = await Tox.create({ store, bindIpv4: "127.0.0.1", ipv6: false, port: 0 });
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
