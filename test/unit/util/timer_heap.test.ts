import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TimerHeap } from "../../../src/util/timer_heap.ts";

interface ModelTimer {
  readonly time: number;
  readonly order: number;
}

type Command = { add: number } | { cancel: number } | { take: number } | "next";

const arbitraryTime = fc.integer({ min: 0, max: 50 });
const arbitraryCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: arbitraryTime.map((add) => ({ add })) },
  { weight: 3, arbitrary: fc.nat(400).map((cancel) => ({ cancel })) },
  { weight: 2, arbitrary: arbitraryTime.map((take) => ({ take })) },
  { weight: 1, arbitrary: fc.constant("next" as const) },
);

/** A sorted list does the same, slowly. */
class NaiveTimers {
  timers: ModelTimer[] = [];

  add(time: number, order: number): void {
    this.timers.push({ time, order });
    this.timers.sort((a, b) => a.time - b.time || a.order - b.order);
  }

  take(now: number): number | undefined {
    const [first] = this.timers;
    if (first === undefined || first.time > now) return undefined;
    this.timers.shift();
    return first.order;
  }
}

describe("TimerHeap", () => {
  it("does what a sorted list does", () => {
    fc.assert(
      fc.property(fc.array(arbitraryCommand, { maxLength: 500 }), (commands) => {
        const heap = new TimerHeap();
        const model = new NaiveTimers();
        const cancels: Array<() => void> = [];
        let fired: number | undefined;
        for (const command of commands) {
          if (command === "next") {
            expect(heap.nextTime()).toBe(model.timers[0]?.time);
          } else if ("add" in command) {
            const order = cancels.length;
            const fire = () => {
              fired = order;
            };
            cancels.push(heap.add(command.add, fire));
            model.add(command.add, order);
          } else if ("cancel" in command) {
            cancels[command.cancel]?.();
            model.timers = model.timers.filter(({ order }) => order !== command.cancel);
          } else {
            fired = undefined;
            heap.takeDue(command.take)?.();
            expect(fired).toBe(model.take(command.take));
          }
          expect(heap.size).toBe(model.timers.length);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("keeps the living through thousands of cancelled ones", () => {
    const heap = new TimerHeap();
    const fired: number[] = [];
    for (let i = 0; i < 10_000; i++) {
      const cancel = heap.add((i * 7919) % 10_007, () => fired.push((i * 7919) % 10_007));
      if (i % 100 !== 0) cancel();
    }
    expect(heap.size).toBe(100);
    for (let due = heap.takeDue(1e9); due !== undefined; due = heap.takeDue(1e9)) due();
    expect(fired.length).toBe(100);
    expect(fired).toEqual([...fired].sort((a, b) => a - b));
  });

  it("does nothing for a second cancel, nor for one after the timer has fired", () => {
    const heap = new TimerHeap();
    const cancelFirst = heap.add(1, () => {});
    heap.add(2, () => {});
    heap.takeDue(1)?.();
    cancelFirst();
    cancelFirst();
    expect(heap.size).toBe(1);
    const cancelThird = heap.add(3, () => {});
    cancelThird();
    cancelThird();
    expect(heap.size).toBe(1);
  });

  it("is empty after clear, and goes on", () => {
    const heap = new TimerHeap();
    const cancel = heap.add(1, () => expect.unreachable());
    heap.clear();
    cancel();
    expect(heap.size).toBe(0);
    expect(heap.takeDue(10)).toBeUndefined();
    heap.add(7, () => {});
    expect([heap.size, heap.nextTime()]).toEqual([1, 7]);
  });
});
