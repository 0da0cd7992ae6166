import assert from "node:assert/strict";
import type { Friend, Message } from "../../../../src/core.ts";
import type { Stage } from "../stage.ts";

export const tells = "Two friends pour out 40,000 messages at one without a pause: he gets each once and in order";

/** In rough weather the story is the same, and would only take longer. */
const MESSAGES = { fair: 40_000, rough: 4_000 } as const;

export async function play(stage: Stage): Promise<void> {
  const bob = await stage.person("Bob");
  const senders = [await stage.person("Alice"), await stage.person("Carol")] as const;
  const texts = Array.from({ length: MESSAGES[stage.weather.name] / senders.length }, (_, i) => `message ${i}`);
  const floods: { readonly from: Friend; readonly sent: Message[] }[] = [];
  for (const sender of senders) {
    const [senderSees, from] = await stage.befriend(sender, bob);
    floods.push({ from, sent: texts.map((text) => senderSees.send(text)) });
  }
  const isDelivered = ({ state }: Message) => state === "delivered";
  await stage.until("the flood to end", () => floods.every(({ sent }) => sent.at(-1)?.state === "delivered"));

  const heard = bob.heard.all("message");
  for (const { from, sent } of floods) {
    assert.ok(sent.every(isDelivered));
    const of = heard.filter(({ friend }) => friend === from);
    assert.deepEqual(
      of.map(({ text }) => text),
      texts,
    );
    assert.equal(from.connection, "udp");
  }
}
