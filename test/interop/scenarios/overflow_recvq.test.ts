import { afterAll, beforeAll, expect, it } from "vitest";
import { expectFlood, FLOOD_PATIENCE_MS, hears } from "../floods.ts";
import { describeInterop } from "../toxcore.ts";
import { type Pair, startPair } from "../two_sides.ts";

const FLOOD = 40_000;

describeInterop("overflow_recvq with libtoxcore", () => {
  let pair: Pair;

  beforeAll(async () => {
    pair = await startPair();
  });
  afterAll(() => pair?.[Symbol.asyncDispose]());

  it("of 40,000 messages from theirs loses none, nor their order", async () => {
    const { ours, theirs } = pair;
    const heard = hears(ours.tox);
    const { messageIds, sendqFull } = await theirs.sendMany(ours.tox.publicKey, "flood ", FLOOD, FLOOD_PATIENCE_MS);
    // Their queue was full, or nothing would have overflowed.
    expect(sendqFull).toBeGreaterThan(0);
    expectFlood(await heard.first(FLOOD));
    await theirs.waitFor("receipt", { messageId: messageIds.at(-1) as number }, FLOOD_PATIENCE_MS);
  });

  it("of 40,000 messages from ours loses none, nor their order", async () => {
    const { theirs, friend } = pair;
    const sent = Array.from({ length: FLOOD }, (_, i) => friend.send(`flood ${i}`));
    const seen = await theirs.waitForMany("message", FLOOD, undefined, FLOOD_PATIENCE_MS);
    expectFlood(seen.map(({ text }) => text));
    expect(new Set(await Promise.all(sent.map(({ delivered }) => delivered)))).toEqual(new Set(["delivered"]));
  });
});
