import assert from "node:assert/strict";
import { Caller } from "../../../support/callers.ts";
import type { Stage } from "../stage.ts";

export const tells = "One talks with three friends at once, and each hears what is for him alone";

export async function play(stage: Stage): Promise<void> {
  await stage.crowd(2);
  const alice = await stage.person("Alice");
  const sizes: number[] = [];
  const talks: { readonly mine: Caller; readonly his: Caller; readonly size: number }[] = [];
  for (const size of [101, 102, 103]) {
    const friend = await stage.person(`friend ${size}`);
    const [aliceSees] = await stage.befriend(alice, friend);
    const call = aliceSees.call();
    const answered = await stage.hears(friend, "incomingCall");
    answered.answer();
    await stage.until("an answer", () => call.state === "active");
    const mine = new Caller(call, alice.host.edges.clock);
    talks.push({ mine, his: new Caller(answered, friend.host.edges.clock), size });
    mine.speak(size);
    sizes.push(size);
  }
  await stage.until("everybody to hear enough", () => talks.every(({ his }) => his.heard.length > 100));
  for (const { his, size } of talks) assert.ok(his.heard.every(({ frame }) => frame.data.length === size));
  assert.equal(alice.tox.calls.length, sizes.length);
  alice.tox.calls[0]?.hangUp();
  const [, second] = talks;
  const before = second?.his.heard.length ?? 0;
  await stage.until("the others to go on", () => (second?.his.heard.length ?? 0) > before + 20);
}
