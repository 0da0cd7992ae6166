import assert from "node:assert/strict";
import { type Friend, ToxError } from "../../../../src/core.ts";
import type { Stage } from "../stage.ts";

export const tells =
  "Who sends without end to one who does not answer is told so, loses nothing that was taken, and goes on";

/** What waits for one friend at most: `queue-full` in docs/errors.md. */
const MOST_MESSAGES = 65_536;
const KEPT = 500;

export async function play(stage: Stage): Promise<void> {
  const { bob, aliceSees } = await stage.twoFriends();
  bob.host.goOffline(); // and nobody knows it yet

  const packets = await overflow(() => aliceSees.sendPacket(Uint8Array.of(160, 1)));
  assert.ok(packets > 100, `${packets} packets`);
  const messages = await overflow(() => aliceSees.send("are you there?"));
  assert.equal(messages, MOST_MESSAGES);
  await stage.refuses("queue-full", () => aliceSees.send("still not?"));
  await stage.until("Bob to be missed", () => aliceSees.connection === "none");
  await stage.refuses("queue-full", () => aliceSees.send("and now?"));

  makeRoom(aliceSees);
  aliceSees.send("the last word");
  assert.equal(aliceSees.queued, KEPT + 1);
  bob.host.goOnline();
  await stage.until("all to be delivered", () => aliceSees.queued === 0);
  const texts = bob.heard.all("message").map(({ text }) => text);
  assert.deepEqual(texts, [...new Array(KEPT).fill("are you there?"), "the last word"]);
}

/** How often the call goes well before it says that the queue is full. */
async function overflow(send: () => unknown): Promise<number> {
  for (let times = 0; ; times++) {
    try {
      send();
    } catch (error) {
      if (error instanceof ToxError && error.code === "queue-full") return times;
      throw error;
    }
  }
}

/** Takes back all but the oldest. */
function makeRoom(friend: Friend): void {
  for (const message of friend.outbox().slice(KEPT)) assert.ok(message.cancel());
}
