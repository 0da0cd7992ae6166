import assert from "node:assert/strict";
import type { Person } from "../../../support/people.ts";
import type { Stage } from "../stage.ts";

export const tells = "Words and deeds go both ways, in order, whatever the letters";

const TEXTS = ["hello", "ä ö ü", "🦊🦉", "a\nb\tc", " ", "\u0000", "x"];

export async function play(stage: Stage): Promise<void> {
  const { alice, bob, aliceSees, bobSees } = await stage.twoFriends();
  for (const text of TEXTS) {
    aliceSees.send(text);
    bobSees.send(text, { action: true });
  }
  for (const [hearer, friend, action] of [
    [bob, bobSees, false],
    [alice, aliceSees, true],
  ] as const) {
    await stage.until("all to be heard", () => heardBy(hearer).length === TEXTS.length);
    assert.deepEqual(
      heardBy(hearer).map((event) => [event.friend, event.text, event.action]),
      TEXTS.map((text) => [friend, text, action]),
    );
    const now = hearer.host.edges.clock.wall();
    assert.ok(heardBy(hearer).every(({ receivedAt }) => receivedAt > now - 300 && receivedAt <= now));
  }
}

function heardBy(person: Person) {
  return person.heard.all("message");
}
