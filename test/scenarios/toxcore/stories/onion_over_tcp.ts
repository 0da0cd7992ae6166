import assert from "node:assert/strict";
import { formatAddress } from "../../../../src/util/endpoint.ts";
import type { Person, PublicNode } from "../../../support/people.ts";
import type { Stage } from "../stage.ts";

export const tells = "Whoever reaches nothing but relays is announced through them, is found by all, and finds all";

/** In virtual ms: from a request to being online. */
const FOUND_WITHIN = { fair: 3_000, rough: 60_000 } as const;

export async function play(stage: Stage): Promise<void> {
  stage.universe.trace.start();
  const relays = await stage.relays(4);
  // The two without UDP know different relays, and know them by name.
  const named = relays.map(({ host, at }) => ({ ...at, host: host.name }));
  const hidden = await stage.person("hidden", { udp: false, bootstrap: named.slice(0, 2) });
  await stage.hears(hidden, "connection", ({ state }) => state === "tcp");
  await stage.until("the hidden one to be announced", () => announcements(relays) > 0);
  const alsoHidden = await stage.person("also hidden", { host: { udp: false }, bootstrap: named.slice(2) });
  const open = await stage.person("open");
  await stage.until("all to be in the network", () => stage.people.every(({ tox }) => tox.connection !== "none"));
  await stage.pass(10_000);

  await meet(stage, open, hidden);
  await meet(stage, alsoHidden, open);
  await meet(stage, hidden, alsoHidden);
  for (const { tox } of [hidden, alsoHidden]) assert.equal(tox.connection, "tcp");
  assert.equal(open.tox.connection, "udp");

  assert.equal(hidden.tox.udpPort, 0);
  const { entries } = stage.universe.trace;
  assert.ok(entries.length > 0);
  const overUdp = entries.filter(({ protocol, from }) => protocol === "udp" && isAt(from, hidden));
  assert.deepEqual(overUdp, []);
}

function announcements(relays: readonly PublicNode[]): number {
  return relays.reduce((sum, { node }) => sum + node.stats.announcements, 0);
}

/** One asks the other, who accepts. */
async function meet(stage: Stage, one: Person, other: Person): Promise<void> {
  const askedAt = stage.universe.now;
  const friend = await one.tox.addFriend(other.tox.id, `Hi, it's ${one.host.name}`);
  const request = await stage.hears(other, "friendRequest");
  assert.equal(request.publicKey, one.tox.publicKey);
  const back = request.accept();
  await stage.everybodyOver("tcp", [friend, back]);
  const took = stage.universe.now - askedAt;
  assert.ok(took <= FOUND_WITHIN[stage.weather.name], `${one.host.name} found ${other.host.name} after ${took} ms`);
  friend.send("you are found");
  await stage.hears(other, "message", ({ text }) => text === "you are found");
}

function isAt({ address }: { readonly address: Uint8Array }, { host }: Person): boolean {
  return formatAddress(address) === host.address;
}
