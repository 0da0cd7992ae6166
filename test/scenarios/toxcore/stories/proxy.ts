import assert from "node:assert/strict";
import { SimulatedProxy } from "../../../support/simulated_proxy.ts";
import { assertNothingBeside } from "../leaks.ts";
import type { Stage } from "../stage.ts";

export const tells = "Whoever has a proxy meets everybody through it, and sends nothing to anybody else";

/** Alice and Bob have a proxy each. She knows the nodes by address, he by name, which only his proxy may look up. */
export async function play(stage: Stage): Promise<void> {
  stage.universe.trace.start(Number.POSITIVE_INFINITY);
  const nodes = await stage.relays(3);
  const carol = await stage.person("Carol");
  const proxies = [await proxyOn(stage, "Alice's proxy"), await proxyOn(stage, "Bob's proxy")] as const;
  const [hers, his] = proxies;
  const alice = await stage.person("Alice", { udp: false, env: (host) => hers.edgesOf(host) });
  const named = nodes.map(({ at, host }) => ({ ...at, host: host.name }));
  const bootstrap = nodes.map(({ at }) => at);
  const bob = await stage.person("Bob", { udp: false, bootstrap, relays: named, env: (host) => his.edgesOf(host) });
  for (const person of [alice, bob]) await stage.hears(person, "connection", ({ state }) => state === "tcp");

  const aliceSees = await alice.tox.addFriend(bob.tox.id, "Who are you?");
  const bobSees = (await stage.hears(bob, "friendRequest")).accept();
  await stage.everybodyOver("tcp", [aliceSees, bobSees]);
  const carolSees = await carol.tox.addFriend(alice.tox.id, "And you?");
  const aliceSeesCarol = (await stage.hears(alice, "friendRequest")).accept();
  await stage.everybodyOver("tcp", [carolSees, aliceSeesCarol]);

  const texts = Array.from({ length: 30 }, (_, i) => `message ${i}`);
  const friends = [aliceSees, bobSees, carolSees, aliceSeesCarol];
  const said = texts.flatMap((text) => friends.map((friend) => friend.send(text)));
  await stage.until("all to be delivered", () => said.every(({ state }) => state === "delivered"));
  await stage.pass(60_000);

  assert.deepEqual([alice.tox.udpPort, alice.tox.connection, bob.tox.connection], [0, "tcp", "tcp"]);
  assertNothingBeside(stage, alice.host, hers.host);
  assertNothingBeside(stage, bob.host, his.host);
  assert.ok(
    named.some(({ host, port }) => his.targets.includes(`${host}:${port}`)),
    "his proxy was given names",
  );
  await stage.refuses("network-unavailable", () =>
    stage.restart(alice.host, "a relay", { udp: false, relayPort: 1, env: (host) => hers.edgesOf(host) }),
  );
}

async function proxyOn(stage: Stage, name: string): Promise<SimulatedProxy> {
  const proxy = new SimulatedProxy(stage.universe.host(name));
  await stage.universe.wait(proxy.start());
  return proxy;
}
