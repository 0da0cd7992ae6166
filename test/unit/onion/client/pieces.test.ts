import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FriendFinder } from "../../../../src/friend/ports.ts";
import type { AnnounceTarget } from "../../../../src/onion/client/announce_targets.ts";
import { byDataKey, haveAgreed, isLikely, trustedTargets } from "../../../../src/onion/client/data_key_agreement.ts";
import { FriendTeller } from "../../../../src/onion/client/friend_teller.ts";
import type { OnionClient } from "../../../../src/onion/client/onion_client.ts";
import { MAX_PENDING_REQUESTS, PendingRequests } from "../../../../src/onion/client/pending_requests.ts";
import {
  askedPerLook,
  foundInterval,
  hastyInterval,
  oneSidedInterval,
  patientInterval,
  searchWidth,
} from "../../../../src/onion/client/search_pace.ts";
import { SearchQueue } from "../../../../src/onion/client/search_queue.ts";
import { SeededRandom } from "../../../../src/testing/seeded_random.ts";
import { Universe } from "../../../../src/testing/universe.ts";

test("the client is what friend connections ask for", () => {
  const finder = (client: OnionClient): FriendFinder => client;
  expect(finder).toBeTypeOf("function");
});

describe("pending requests", () => {
  test("each is found by its own sendback only, once, for ten seconds, while 256 newer ones have not come", () => {
    const step = fc.record({
      wait: fc.nat(4_000),
      add: fc.nat(100),
      answer: fc.array(fc.nat(400), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.nat(), (steps, seed) => {
        const pending = new PendingRequests<number>(new SeededRandom(seed));
        const sent: Array<{ sendback: Uint8Array; at: number; answered: boolean }> = [];
        const isPending = (index: number, now: number) => {
          const request = sent[index];
          if (request === undefined || request.answered || now - request.at >= 10_000) return false;
          return index >= sent.length - MAX_PENDING_REQUESTS;
        };
        let now = 0;
        for (const { wait, add, answer } of steps) {
          now += wait;
          for (let i = 0; i < add; i++)
            sent.push({ sendback: pending.add(sent.length, now), at: now, answered: false });
          for (const index of answer) {
            const request = sent[index];
            if (request === undefined) continue;
            const expected = isPending(index, now) ? index : undefined;
            expect(pending.find(request.sendback, now)?.value).toBe(expected);
            if (expected === undefined) continue;
            pending.remove(request.sendback);
            request.answered = true;
          }
          expect(pending.sizeAt(now)).toBe(sent.filter((_, index) => isPending(index, now)).length);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("a guess finds nothing", () => {
    const pending = new PendingRequests<string>(new SeededRandom(1));
    const sendback = pending.add("asked", 0);
    const guess = sendback.slice();
    guess[7] = (guess[7] ?? 0) ^ 1;
    expect(pending.find(guess, 0)).toBeUndefined();
    expect(pending.find(sendback, 0)).toEqual({ value: "asked", sentAt: 0 });
  });
});

describe("the pace of searches", () => {
  test("hasty at first, then four times as long again as he has been absent, and once an hour in the end", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 50].map((round) => hastyInterval(round, 0))).toEqual([
      50, 100, 200, 400, 800, 1_600, 3_000, 3_000, 3_000,
    ]);
    expect(hastyInterval(0, 500)).toBe(500);
    expect(hastyInterval(50, 10_000)).toBe(10_000);
    const random = new SeededRandom("pace");
    for (const absence of [30_000, 3_600_000, 36_000_000]) {
      const intervals = Array.from({ length: 200 }, () => patientInterval(absence, random));
      const mean = Math.min(4 * absence, 3_600_000);
      expect(Math.min(...intervals)).toBeGreaterThan(0.49 * mean);
      expect(Math.max(...intervals)).toBeLessThan(1.51 * mean);
    }
    const oneSided = Array.from({ length: 200 }, () => oneSidedInterval(0, random));
    expect(Math.max(...oneSided)).toBeLessThan(30_000);
    expect(oneSidedInterval(100_000, random)).toBeGreaterThan(50_000);
    expect([0, 20_000, 3_600_000].map(foundInterval)).toEqual([3_000, 10_000, 60_000]);
    expect([searchWidth(0, false), searchWidth(0, true), searchWidth(60_000, false)]).toEqual([8, 3, 3]);
    expect(searchWidth(3_600_000, false)).toBe(2);
    expect([8, 3, 2].map(askedPerLook)).toEqual([4, 1, 1]);
  });

  test("searches take turns, at 40 requests a second after the first 100, and wait while too much is under way", async () => {
    const universe = new Universe({ seed: "queue" });
    const { clock } = universe.host("alice").edges;
    let busy = false;
    const queue = new SearchQueue(clock, () => busy);
    const order: number[] = [];
    const searches = Array.from({ length: 50 }, (_, id) => {
      let left = 5;
      return { step: () => order.push(id) > 0 && --left > 0 };
    });
    for (const search of searches) queue.add(search);
    expect(order.length).toBe(100);
    await universe.run(1_000);
    expect(order.length).toBe(140);
    busy = true;
    await universe.run(1_000);
    expect(order.length).toBe(140);
    busy = false;
    await universe.run(60_000);
    expect(order.length).toBe(250);
    for (let id = 0; id < 50; id++) expect(order.filter((other) => other === id).length).toBe(5);
    expect(new Set(order.slice(100, 140)).size).toBe(30); // all that have more to send
    expect(clock.pending).toBe(0);
  });
});

describe("agreement on the data key", () => {
  const stored = (...keys: number[]) =>
    keys.map((key) => ({ stored: true, dataKey: new Uint8Array(32).fill(key) }) as unknown as AnnounceTarget);

  test("nodes that agree are preferred; without agreement, or when told so, all are trusted", () => {
    const [a, b, liar] = stored(1, 1, 2);
    if (!a || !b || !liar) throw new Error("no targets");
    expect(byDataKey([a, liar, b])).toEqual([[a, b], [liar]]);
    expect(haveAgreed([a, liar])).toBe(false);
    expect(trustedTargets([a, liar], false)).toEqual([a, liar]);
    expect(haveAgreed([liar, a, b])).toBe(true);
    expect(trustedTargets([liar, a, b], false)).toEqual([a, b]);
    expect(trustedTargets([liar, a, b], true)).toEqual([liar, a, b]);
    const camps = stored(1, 2, 1, 2, 3);
    expect(trustedTargets(camps, false).length).toBe(4);
  });

  test("more than a quarter of the others have to keep him", () => {
    expect([1, 4, 5, 8].map((live) => isLikely(1, live))).toEqual([true, true, false, false]);
    expect(isLikely(2, 8)).toBe(true);
    expect(isLikely(0, 0)).toBe(false);
  });
});

describe("telling a friend our DHT key", () => {
  function teller() {
    const universe = new Universe({ seed: "teller" });
    const told = { onion: [] as number[], dht: [] as number[], insistent: [] as boolean[] };
    const { clock } = universe.host("alice").edges;
    const made = new FriendTeller(clock, {
      overOnion: (insistent) => told.insistent.push(insistent) + told.onion.push(universe.now),
      overDht: () => told.dht.push(universe.now),
    });
    return { universe, clock, told, made };
  }

  test("at once, again soon, then every 30 s, and every minute after ten", async () => {
    const { universe, told, made } = teller();
    made.startOnion();
    made.startOnion();
    await universe.run(120_000);
    const pauses = told.onion.map((time, i) => time - (told.onion[i - 1] ?? 0));
    expect(pauses.slice(0, 4)).toEqual([0, 1_000, 1_500, 2_250]);
    expect(pauses.at(-1)).toBe(30_000);
    expect(told.insistent.slice(0, 4)).toEqual([false, false, true, true]);
    await universe.run(900_000);
    expect((told.onion.at(-1) ?? 0) - (told.onion.at(-2) ?? 0)).toBe(60_000);
  });

  test("by DHT request every 20 s, and hardly any more after ten minutes", async () => {
    const { universe, told, made } = teller();
    made.startDht();
    await universe.run(60_000);
    expect(told.dht).toEqual([0, 20_000, 40_000, 60_000]);
    await universe.run(3_600_000);
    expect(told.dht.length).toBeLessThan(45);
  });

  test("he is answered at once, but no more than once a second, and nothing is told to one who is online", async () => {
    const { universe, clock, told, made } = teller();
    made.startOnion();
    await universe.run(6_500);
    const before = told.onion.length;
    made.answer(false);
    for (let i = 0; i < 100; i++) made.answer(false);
    expect([told.onion.length - before, told.dht.length]).toEqual([1, 1]);
    made.rest();
    expect(clock.pending).toBe(0);
    await universe.run(100_000);
    expect([told.onion.length - before, told.dht.length]).toEqual([1, 1]);
  });

  test("who tells us again and again is answered ever more seldom, and at once when his key is new", async () => {
    const { universe, told, made } = teller();
    for (let second = 0; second < 300; second++) {
      made.answer(false);
      await universe.run(1_000);
    }
    expect(told.dht.length).toBeLessThan(30); // 15 of them ours
    const before = told.dht.length;
    made.answer(true);
    expect(told.dht.length).toBe(before + 1);
  });
});
