import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../src/env/memory_store.ts";
import type { Message } from "../../../src/friend/message.ts";
import { type Person, World } from "./world.ts";

type Step =
  | { readonly do: "send"; readonly who: 0 | 1; readonly count: number; readonly length: number }
  | { readonly do: "break"; readonly spread: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "queue"; readonly limit: number; readonly allowance: number };

const who = fc.constantFrom<0 | 1>(0, 1);
const length = fc.oneof(fc.integer({ min: 8, max: 1372 }), fc.integer({ min: 1355, max: 1372 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      who,
      count: fc.integer({ min: 1, max: 40 }),
      length,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("break" as const), spread: fc.constantFrom(0, 5, 100, 2000) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 5, 30, 200, 3000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("queue" as const),
      limit: fc.integer({ min: 1, max: 40 }),
      allowance: fc.constantFrom(0, 0, 2),
    }),
  },
);

/** The mark of what had been handled was lost when the session ended first, and the process then. */
const FOUND_ONCE: [0 | 1, number, number][] = [
  [0, 1, 0],
  [0, 9, 60],
  [0, 8, 15],
  [1, 0, 0],
  [0, 0, 0],
];

/** How the apps handle messages: at once, or with a promise that takes up to so many ms. */
const handling = fc.constantFrom(0, 0, 3, 60, 500);

describe("messages between two of ours", () => {
  it("are shown once each and in order, whatever the network does", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(step, { minLength: 5, maxLength: 40 }),
        handling,
        async (seed, steps, slow) => {
          const world = new World(seed);
          const people = [await world.person("a"), await world.person("b")] as const;
          const shown = people.map((person) => listen(world, person, slow));
          const handles = await world.befriend(...people);
          const sent: Message[][] = [[], []];
          for (const action of steps) {
            if (action.do === "send") {
              for (let i = 0; i < action.count; i++) {
                const text = `${sent[action.who]?.length}`.padEnd(action.length, ".");
                sent[action.who]?.push(handles[action.who].send(text, { action: i % 3 === 0 }));
              }
            } else if (action.do === "break") {
              world.breakAll(() => world.random.between(0, action.spread));
            } else if (action.do === "queue") {
              world.link.queueLimit = action.limit;
              world.link.controlAllowance = action.allowance;
            } else {
              await world.run(action.ms);
            }
          }
          world.link.queueLimit = 1000;
          await world.run(300_000);
          for (const at of [0, 1] as const) {
            const texts = sent[at]?.map((message) => `${message.action} ${message.text}`);
            expect(shown[1 - at]?.texts).toEqual(texts);
            expect(shown[at]?.delivered).toEqual(sent[at]?.map((message) => message.id));
            expect(sent[at]?.every((message) => message.state === "delivered")).toBe(true);
            expect(handles[at].queued).toBe(0);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(["close", "crash"] as const)("survive restarts of both by %s, given their stores", async (how) => {
    const restarts = fc.array(fc.tuple(who, fc.integer({ min: 0, max: 12 }), fc.constantFrom(0, 4, 15, 60, 400)), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(fc.nat(), restarts, async (seed, rounds) => {
        const world = new World(seed);
        const names = ["a", "b"] as const;
        const stores = [memoryStore(), memoryStore()] as const;
        const shown: string[][] = [[], []];
        const start = async (at: 0 | 1) => {
          const person = await world.person(names[at], stores[at]);
          person.friends.on("message", ({ text }) => shown[at]?.push(text));
          return { person, friend: person.friends.addWithoutRequest(world.keys(names[1 - at] ?? "").publicKey) };
        };
        const living = [await start(0), await start(1)];
        const counts: [number, number] = [0, 0];
        const next = (at: 0 | 1) => counts[at]++;
        for (const [at, count, ms] of rounds) {
          for (let i = 0; i < count; i++) {
            living[0]?.friend.send(`${next(0)}`);
            living[1]?.friend.send(`${next(1)}`);
          }
          await world.run(ms);
          await world.stop((living[at] as { person: Person }).person, how);
          living[at] = await start(at);
          await world.run(ms);
        }
        await world.run(300_000);
        // A killed process may have shown what it had no time to note.
        const once = (texts: string[] = []) => (how === "crash" ? [...new Set(texts)] : texts);
        for (const at of [0, 1]) expect(once(shown[at])).toEqual([...Array(counts[1 - at] ?? 0).keys()].map(String));
      }),
      { numRuns: 40, examples: [[274100605, FOUND_ONCE]] },
    );
  });
});

function listen(world: World, person: Person, slow: number): { texts: string[]; delivered: string[] } {
  const heard = { texts: [] as string[], delivered: [] as string[] };
  person.friends.on("message", ({ text, action }) => {
    heard.texts.push(`${action} ${text}`);
    if (slow === 0) return undefined;
    return new Promise<void>((resolve) => world.after(world.random.between(0, slow), resolve));
  });
  person.friends.on("delivered", ({ message }) => heard.delivered.push(message.id));
  return heard;
}
