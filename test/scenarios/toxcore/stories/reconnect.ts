import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells = "After forty seconds without a network two friends are back, and what they said meanwhile arrives";

const OUTAGE = 40_000;

export async function play(stage: Stage): Promise<void> {
  const { alice, bob, aliceSees, bobSees } = await stage.twoFriends();
  await stage.pass(30_000);
  bob.host.goOffline();
  aliceSees.send("are you there?");
  bobSees.send("where are you?");
  await stage.pass(OUTAGE);
  assert.deepEqual([aliceSees.connection, bobSees.connection], ["none", "none"]);
  bob.host.goOnline();

  const back = stage.universe.now;
  await stage.hears(bob, "message", ({ text }) => text === "are you there?");
  await stage.hears(alice, "message", ({ text }) => text === "where are you?");
  assert.deepEqual([aliceSees.connection, bobSees.connection], ["udp", "udp"]);
  const took = stage.universe.now - back;
  const bound = stage.weather.reliable ? 3_000 : 60_000;
  assert.ok(took < bound, `they were back after ${took} ms`);
  assert.deepEqual([...alice.heard.all("message"), ...bob.heard.all("message")], []);
}
