import assert from "node:assert/strict";
import type { PublicNode } from "../../../support/people.ts";
import { RelayGuest } from "../../../support/relay_guest.ts";
import type { Stage } from "../stage.ts";

export const tells = "Two who reach nothing but a relay are linked by it, talk over it, and hear when the other leaves";

/** In virtual ms: a request, its acceptance and the first session of two people who have no UDP. */
const FRIENDS_WITHIN = { fair: 3_000, rough: 60_000 } as const;
/** After so much silence a relay has pinged its client, in vain, and lets it go: 30 s and 10 s, and the way there. */
const MISSED_WITHIN = 45_000;

export async function play(stage: Stage): Promise<void> {
  const [relay] = (await stage.relays(2)) as [PublicNode, PublicNode];
  await clients(stage, relay);
  await friends(stage);
}

async function clients(stage: Stage, relay: PublicNode): Promise<void> {
  const { reliable } = stage.weather;
  const one = guest(stage, "one", relay);
  const other = guest(stage, "other", relay);
  await stage.until("the relay to take both", () => relay.node.stats.relayConnections === 2);
  one.relay.requestRoute(other.publicKey);
  await stage.pass(1_000);
  assert.equal(one.relay.sendTo(other.publicKey, Uint8Array.of(1)), false, "nobody is linked by one wish");
  other.relay.requestRoute(one.publicKey);
  await stage.until("both to be linked", () => one.relay.isPeerOnline(other.publicKey) && isLinked(other, one));

  const sent = Array.from({ length: 100 }, (_, i) => new Uint8Array(1 + 20 * i).fill(i));
  for (const packet of sent) {
    await stage.until("one to have room", () => one.relay.sendTo(other.publicKey, packet.slice()));
    await stage.until("the other to have room", () => other.relay.sendTo(one.publicKey, packet.slice()));
  }
  await stage.until("all packets", () => one.packets.length + other.packets.length === 2 * sent.length);
  assert.deepEqual([one.packets, other.packets], [sent, sent]);

  const stranger = guest(stage, "stranger", relay);
  await stage.until("the stranger to come", () => relay.node.stats.relayConnections === 3);
  assert.ok(stranger.relay.sendOob(one.publicKey, Uint8Array.of(7, 7)));
  assert.ok(stranger.relay.sendOob(stranger.crypto.keyPair().publicKey, Uint8Array.of(8)), "nobody knows who is there");
  await stage.until("a word out of band", () => one.outOfBand.length > 0);
  assert.deepEqual(one.outOfBand, [{ from: stranger.publicKey, bytes: Uint8Array.of(7, 7) }]);

  // Ten pings each way.
  if (reliable) await stage.pass(300_000);
  if (reliable) assert.deepEqual([one.notices, other.notices], [LINKED, LINKED]);
  assert.ok((one.relay.roundTripMs ?? 0) > 0);

  other.relay.dropRoute(one.publicKey);
  await stage.until("one to hear that he is given up", () => one.notices.at(-1) === "offline");
  assert.equal(one.relay.sendTo(other.publicKey, Uint8Array.of(1)), false);
  other.relay.requestRoute(one.publicKey);
  await stage.until("both to be linked again", () => one.relay.isPeerOnline(other.publicKey) && isLinked(other, one));

  const leftAt = stage.universe.now;
  other.host.goOffline();
  await stage.until("one to hear that the other is gone", () => one.notices.at(-1) === "offline");
  if (reliable) assert.ok(stage.universe.now - leftAt < MISSED_WITHIN);
  await stage.until("the other to know it as well", () => other.notices.at(-1)?.startsWith("closed") === true);

  for (const guest of [one, other, stranger]) guest.close();
  await stage.until("the relay to be left alone", () => relay.node.stats.relayConnections === 0);
}

/** Even in rough weather its stream is fast enough for the ten seconds in which pings are to be answered. */
function guest(stage: Stage, name: string, relay: PublicNode): RelayGuest {
  const one = new RelayGuest(stage, name, relay);
  if (!stage.weather.reliable) stage.universe.network.setLink(one.host, relay.host, { loss: 0.05 });
  return one;
}

const LINKED = ["ready", "online"];

function isLinked(who: RelayGuest, to: RelayGuest): boolean {
  return who.relay.isPeerOnline(to.publicKey);
}

async function friends(stage: Stage): Promise<void> {
  const alice = await stage.person("Alice", { udp: false });
  const bob = await stage.person("Bob", { udp: false });
  await stage.until("both to be in the network", () => [alice, bob].every(({ tox }) => tox.connection === "tcp"));
  await stage.pass(5_000);

  const askedAt = stage.universe.now;
  const aliceSees = await alice.tox.addFriend(bob.tox.id, "Hi, it's Alice");
  const bobSees = (await stage.hears(bob, "friendRequest")).accept();
  await stage.everybodyOver("tcp", [aliceSees, bobSees]);
  const took = stage.universe.now - askedAt;
  assert.ok(took <= FRIENDS_WITHIN[stage.weather.name], `they were friends after ${took} ms`);

  const texts = Array.from({ length: 50 }, (_, i) => `message ${i}`);
  const said = texts.flatMap((text) => [aliceSees.send(text), bobSees.send(text)]);
  await stage.until("all to be delivered", () => said.every(({ state }) => state === "delivered"));
  for (const person of [alice, bob]) {
    assert.deepEqual(
      person.heard.all("message").map(({ text }) => text),
      texts,
    );
  }
  await stage.universe.wait(bob.tox.close());
  await stage.hears(alice, "friendConnection", ({ state }) => state === "none");
}
