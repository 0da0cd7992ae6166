import assert from "node:assert/strict";
import { memoryStore } from "../../../../src/core.ts";
import type { Stage } from "../stage.ts";

export const tells = "What is said to a friend who is away waits, over crashes of both, and arrives in order and once";

export async function play(stage: Stage): Promise<void> {
  await stage.crowd(2);
  const stores = [memoryStore(), memoryStore()] as const;
  let alice = await stage.person("Alice", { store: stores[0] });
  let bob = await stage.person("Bob", { store: stores[1] });
  const [aliceSees] = await stage.befriend(alice, bob);
  bob.host.crash();
  const says = (text: string, options = {}) => {
    const message = alice.tox.friend(aliceSees.publicKey)?.send(text, options);
    assert.ok(message, "Bob is a friend");
    return message;
  };

  const first = says("one");
  const regretted = says("not meant");
  says("only today", { ttl: 60 });
  says("two", { action: true, ttl: 86_400 });
  await stage.universe.wait(Promise.all(alice.tox.outbox().map(({ message }) => message.stored)));
  alice.host.crash();
  alice = await stage.restart(alice.host, "Alice", { store: stores[0] });
  assert.deepEqual(
    alice.tox.outbox().map(({ message }) => message.text),
    ["one", "not meant", "only today", "two"],
  );
  assert.equal(alice.tox.queuedMessage(first.id)?.text, "one");
  assert.equal(alice.tox.queuedMessage(regretted.id)?.cancel(), true);
  const { message: expired } = await stage.hears(alice, "expired", undefined, 120_000);
  assert.deepEqual([expired.text, expired.state], ["only today", "expired"]);
  says("three");
  await stage.universe.wait(alice.tox.close());

  alice = await stage.restart(alice.host, "Alice", { store: stores[0] });
  bob = await stage.restart(bob.host, "Bob", { store: stores[1] });
  await stage.until("all to be delivered", () => alice.tox.outbox().length === 0, 240_000);
  const texts = () => bob.heard.all("message").map(({ text, action }) => (action ? `* ${text}` : text));
  assert.deepEqual(texts(), ["one", "* two", "three"]);
  assert.equal(alice.heard.all("delivered").length, 3);

  says("four");
  await stage.until("the fourth", () => texts().length === 4);
  bob.host.crash(); // Alice may not know yet that it was handled
  bob = await stage.restart(bob.host, "Bob", { store: stores[1] });
  says("five");
  await stage.until("the fifth", () => alice.tox.outbox().length === 0, 240_000);
  assert.deepEqual(texts(), ["five"]);
}
