import assert from "node:assert/strict";
import { SimulatedProxy } from "../../../support/simulated_proxy.ts";
import { assertNothingBeside } from "../leaks.ts";
import type { Stage } from "../stage.ts";

export const tells =
  "With a proxy there is no UDP: asking for it is refused, and nothing goes past a proxy that is none";

const OFFLINE_MS = 60_000;

export async function play(stage: Stage): Promise<void> {
  stage.universe.trace.start(Number.POSITIVE_INFINITY);
  await stage.relays(2);
  const proxy = new SimulatedProxy(stage.universe.host("no proxy"));
  const host = stage.universe.host("Alice");
  const env = () => proxy.edgesOf(host);
  await stage.refuses("network-unavailable", () => stage.restart(host, "Alice", { env }));
  await stage.refuses("invalid-argument", () => stage.restart(host, "Alice", { env, udp: false, lan: true }));
  await stage.pass(OFFLINE_MS);
  assert.deepEqual([host.sockets, host.edges.streams.open, host.edges.clock.pending], [[], [], 0]);
  assert.ok(!stage.universe.trace.entries.some(({ from }) => from === host.endpoint(from.port)), "nothing was sent");

  // What `Tox.create` of the package makes of UDP and a proxy, as toxcore does.
  const alice = await stage.restart(host, "Alice", { env, udp: false });
  const friend = await alice.tox.addFriend((await stage.person("Bob")).tox.id, "Do you hear me?");
  await stage.pass(OFFLINE_MS);
  assert.deepEqual([alice.tox.connection, alice.tox.udpPort, friend.connection], ["none", 0, "none"]);
  assert.deepEqual(alice.heard.all("connection"), []);
  assert.deepEqual(host.sockets, []);
  assertNothingBeside(stage, host, proxy.host);
}
