import assert from "node:assert/strict";
import { Conversation } from "../../../support/conversation.ts";
import type { Stage } from "../stage.ts";

export const tells =
  "A conversation goes on when UDP is blocked or relays die, over whatever is left, and loses no word";

/** In virtual ms: the longest that a word may take when the way that it went is gone. */
const FALLS_BACK_WITHIN = { fair: 2_000, rough: 30_000 } as const;
/** From when there is a way again. */
const BACK_WITHIN = { fair: 10_000, rough: 60_000 } as const;

export async function play(stage: Stage): Promise<void> {
  const quickly = FALLS_BACK_WITHIN[stage.weather.name];
  const relays = await stage.relays(4);
  const alice = await stage.person("Alice");
  const bob = await stage.person("Bob");
  const [aliceSees, bobSees] = await stage.befriend(alice, bob);
  const friends = [aliceSees, bobSees];
  await stage.everybodyOnline(friends);
  await stage.pass(30_000);
  const talk = new Conversation(stage, [alice, aliceSees], [bob, bobSees]);
  const goesOn = async (what: string, ms: number, state: "tcp" | "udp") => {
    const took = await talk.over(ms);
    assert.ok(took <= quickly, `${what}: a word took ${took} ms`);
    await stage.everybodyOver(state, friends, BACK_WITHIN[stage.weather.name]);
  };

  await goesOn("at first", 3_000, "udp");
  alice.host.blockUdp();
  await goesOn("UDP is blocked", 10_000, "tcp");
  alice.host.blockUdp(false);
  await goesOn("UDP is free again", 5_000, "udp");
  bob.host.blockUdp();
  await goesOn("UDP is blocked at the other end", 10_000, "tcp");
  for (const { host } of relays.slice(1)) {
    host.goOffline();
    await goesOn(`${host.name} has died without a word`, 10_000, "tcp");
  }
  bob.host.blockUdp(false);
  relays[0]?.host.goOffline();
  await goesOn("all relays are dead, and UDP is free", 10_000, "udp");

  bob.host.blockUdp();
  await talk.over(40_000);
  assert.deepEqual(
    friends.map(({ connection }) => connection),
    ["none", "none"],
    "there is no way left",
  );
  for (const { host } of relays) host.goOnline();
  await stage.everybodyOver("tcp", friends, BACK_WITHIN[stage.weather.name]);
  await talk.ends();
  await stage.pass(5_000);
  await talk.ends();
}
