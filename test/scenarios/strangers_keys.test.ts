import { expect, it } from "vitest";
import { Tox } from "../../src/core.ts";
import { Crypto } from "../../src/crypto/crypto.ts";
import { asPublicKey } from "../../src/crypto/keys.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { fromHex } from "../../src/util/bytes.ts";
import { makeEndpoint } from "../../src/util/endpoint.ts";
import { dearKeys } from "../support/dear_keys.ts";
import { Forge } from "../support/forge.ts";
import { Story } from "../support/people.ts";

const FLOOD = 1_000;

it("strangers by the thousand leave most of the time to those who have a friend, found or not", async () => {
  await using story = new Story();
  const host = story.universe.host("Alice");
  const { clock, provider } = dearKeys(host.edges.clock);
  const tox = await story.universe.wait(Tox.create({ ...host.edges, clock, crypto: provider }));
  const key = asPublicKey(fromHex(tox.dhtPublicKey) ?? expect.unreachable());
  const forge = new Forge(new Crypto(sodiumProvider, story.universe.random.fork("forge")), { dht: key, self: key });
  const { metrics } = host.edges;

  /** How many of so many new people are served, in the DHT and in the onion. */
  const flood = async () => {
    const before = [metrics.get("dht.nodesRequest.received"), metrics.get("onion.announceRequests")];
    for (let i = 0; i < FLOOD; i++) {
      const from = makeEndpoint(Uint8Array.of(203, 0, 113, 1 + (i % 200)), 1_000 + i);
      for (const packet of [forge.nodesRequest(), forge.announceRequest()]) {
        story.universe.network.inject(packet, from, host.endpoint(33445));
      }
      await story.pass(1);
    }
    const after = [metrics.get("dht.nodesRequest.received"), metrics.get("onion.announceRequests")];
    return after.map((count, i) => count - (before[i] ?? 0));
  };

  // A key is 1 ms, and so is the pause between two of each: without friends the DHT takes all of them, and the onion 30 % of the
  // time that passes, (2 + x) ms for x of it, which is 857; with friends both take 15 %, of (1 + 2x) ms, which is 214. Beside
  // that each may spend 50 ms at once.
  const [inDht, inOnion] = await flood();
  expect(inDht).toBe(FLOOD);
  expect(inOnion).toBeGreaterThan(800);
  const friend = await tox.addFriendWithoutRequest(`${"AB".repeat(31)}0B`);
  await story.pass(600_000);
  for (const served of await flood()) expect(served).toBeLessThan(300);
  await friend.remove();
  expect((await flood())[0]).toBe(FLOOD);
  await story.universe.wait(tox.close());
});

it("a flood from one network leaves others their announcements and their ways through the onion", async () => {
  await using story = new Story();
  const host = story.universe.host("Alice");
  const { clock, provider } = dearKeys(host.edges.clock);
  const tox = await story.universe.wait(Tox.create({ ...host.edges, clock, crypto: provider }));
  const key = asPublicKey(fromHex(tox.dhtPublicKey) ?? expect.unreachable());
  const forge = new Forge(new Crypto(sodiumProvider, story.universe.random.fork("forge")), { dht: key, self: key });
  const heard = new Set<string>();
  story.universe.network.addFilter((_bytes, from, to) => {
    if (from.port === 33445) heard.add(to.address.join("."));
    return true;
  });
  const next = makeEndpoint(Uint8Array.of(198, 51, 100, 9), 33445);
  for (let i = 0; i < 1_000; i++) {
    const say = (packet: Uint8Array, network: number) => {
      const from = makeEndpoint(Uint8Array.of(203, 0, network, 1), 1_000 + i);
      story.universe.network.inject(packet, from, host.endpoint(33445));
    };
    for (let j = 0; j < 3; j++) say(forge.announceRequest(), 113);
    if (i >= 20 && i % 50 === 0) say(forge.announceRequest(), i / 50);
    if (i % 50 === 25) say(forge.onionRequest(0, next, new Uint8Array(400)), 200);
    await story.pass(1);
  }
  await story.pass(100);
  expect([...heard].filter((address) => /^203\.0\.\d\d?\.1$/.test(address)).length).toBe(19);
  expect(host.edges.metrics.get("onion.requestsPassedOn")).toBe(20);
  expect(host.edges.metrics.get("drop.announceRequest.rate-limited")).toBeGreaterThan(1_000);
  await story.universe.wait(tox.close());
});
