import { afterAll, beforeAll, expect, it } from "vitest";
import type { ToxError } from "../../../src/index.ts";
import { expectFlood, FLOOD_PATIENCE_MS, hears } from "../floods.ts";
import { describeInterop } from "../toxcore.ts";
import { type Pair, startPair } from "../two_sides.ts";

/** Packets in a queue of toxcore's. */
const TOXCORE_QUEUE = 32_768;
/** Of its own packets fewer than this wait at a time. */
const OWN_PACKETS = 8;
/** What `Friend.send` takes before it says `queue-full`. */
const MAX_QUEUED = 65_536;
const LAST_KEPT = 100;

describeInterop("overflow_sendq with libtoxcore", () => {
  let pair: Pair;

  beforeAll(async () => {
    pair = await startPair();
  });
  afterAll(() => pair?.[Symbol.asyncDispose]());

  it("of ours is refused, and what was taken and not taken back arrives once they listen again", async () => {
    const { theirs, friend } = pair;
    theirs.suspend();
    const messages = untilFull((i) => friend.send(`flood ${i}`));
    expect(messages.length).toBe(MAX_QUEUED);
    expect(friend.queued).toBe(MAX_QUEUED);
    // An app's packets wait in the session's own queue, which is as long as toxcore's.
    const packets = untilFull(() => friend.sendPacket(Uint8Array.of(160))).length;
    expect(packets).toBeLessThan(TOXCORE_QUEUE);
    expect(packets).toBeGreaterThan(30_000);
    // Those under way cannot be taken back; of the others only the last ones are to go.
    const kept = messages.filter((message, i) => i >= MAX_QUEUED - LAST_KEPT || !message.cancel());
    theirs.resume();
    const seen = await theirs.waitForMany("message", kept.length, undefined, FLOOD_PATIENCE_MS);
    expect(seen.map(({ text }) => text)).toEqual(kept.map(({ text }) => text));
    await theirs.waitForMany("lossless", packets, undefined, FLOOD_PATIENCE_MS);
    friend.send("and on");
    await theirs.waitFor("message", { text: "and on" }, FLOOD_PATIENCE_MS);
  });

  it("of theirs is refused, and what was taken arrives here", async () => {
    const { ours, theirs } = pair;
    const heard = hears(ours.tox);
    const { messageIds, refusal } = await theirs.sendUntilRefused(ours.tox.publicKey, "flood ");
    expect(refusal).toBe("TOX_ERR_FRIEND_SEND_MESSAGE_SENDQ");
    // Of its own, an alive packet for one, a few may still wait for our acknowledgement.
    expect(messageIds.length).toBeLessThanOrEqual(TOXCORE_QUEUE);
    expect(messageIds.length).toBeGreaterThan(TOXCORE_QUEUE - OWN_PACKETS);
    expectFlood(await heard.first(messageIds.length));
    await theirs.waitFor("receipt", { messageId: messageIds.at(-1) as number }, FLOOD_PATIENCE_MS);
    const messageId = await theirs.send(ours.tox.publicKey, "and on");
    await theirs.waitFor("receipt", { messageId }, FLOOD_PATIENCE_MS);
  });
});

/** What each time gave until it was refused as `queue-full`. */
function untilFull<T>(send: (i: number) => T): T[] {
  const results: T[] = [];
  for (;;) {
    try {
      results.push(send(results.length));
    } catch (error) {
      expect((error as ToxError).code).toBe("queue-full");
      return results;
    }
  }
}
