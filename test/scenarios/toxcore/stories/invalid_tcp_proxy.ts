import assert from "node:assert/strict";
import type { Person } from "../../../support/people.ts";
import type { ProxyMode } from "../../../support/proxy_modes.ts";
import { SimulatedProxy } from "../../../support/simulated_proxy.ts";
import { assertNothingBeside } from "../leaks.ts";
import type { Stage } from "../stage.ts";

export const tells = "Whose proxy is none, or does not let him through, is offline and knows it, until it does";

const OFFLINE_MS = 60_000;
const KINDS: readonly (ProxyMode | "not there" | "off")[] = ["not there", "off", "refuse", "hang", "nonsense"];

export async function play(stage: Stage): Promise<void> {
  stage.universe.trace.start(Number.POSITIVE_INFINITY);
  const nodes = await stage.relays(2);
  const people = new Map<Person, SimulatedProxy>();
  for (const kind of KINDS) {
    const proxy = new SimulatedProxy(stage.universe.host(`proxy: ${kind}`));
    if (kind === "off") proxy.host.goOffline();
    else if (kind !== "not there") {
      proxy.mode = kind;
      await stage.universe.wait(proxy.start());
    }
    const relays = nodes.map(({ at }) => at);
    const options = { udp: false, relays, env: proxy.edgesOf.bind(proxy) };
    people.set(await stage.person(`person: ${kind}`, options), proxy);
  }
  const [asker] = people.keys();
  const friend = await asker?.tox.addFriend((await stage.person("Bob")).tox.id, "Do you hear me?");
  const message = friend?.send("And now?");

  await stage.pass(OFFLINE_MS);
  for (const [{ tox, host, heard }, proxy] of people) {
    assert.deepEqual([tox.connection, heard.all("connection")], ["none", []], host.name);
    assertNothingBeside(stage, host, proxy.host);
  }
  assert.deepEqual([friend?.connection, message?.state], ["none", "queued"]);

  for (const proxy of people.values()) {
    proxy.mode = "relay";
    proxy.host.goOnline();
    if (proxy.host.edges.streams.listeners.length === 0) await stage.universe.wait(proxy.start());
  }
  const online = () => [...people.keys()].every(({ tox }) => tox.connection === "tcp");
  await stage.until("all to be online", online, stage.patience + OFFLINE_MS);
  for (const [{ host }, proxy] of people) assertNothingBeside(stage, host, proxy.host);

  for (const proxy of people.values()) proxy.host.goOffline();
  for (const { tox, host } of people.keys()) {
    await stage.universe.wait(tox.close());
    assert.equal(host.edges.clock.pending, 0, `timers of ${host.name}`);
  }
}
