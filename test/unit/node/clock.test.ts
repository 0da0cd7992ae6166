import { afterEach, describe, expect, it } from "vitest";
import { type NodeClock, nodeClock } from "../../../src/node/index.ts";

const clocks: NodeClock[] = [];

const newClock = (): NodeClock => {
  const clock = nodeClock();
  clocks.push(clock);
  return clock;
};

/** Resolves when all that is due until then has fired: a busy machine may be late. */
const fires = (clock: NodeClock, due: number) => new Promise<void>((resolve) => void clock.at(due, () => resolve()));

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

afterEach(() => {
  for (const clock of clocks.splice(0)) clock.close();
});

describe("nodeClock", () => {
  it("fires in order of time, never early, never within the call", async () => {
    const clock = newClock();
    const start = clock.monotonic();
    const fired: Array<[number, number]> = [];
    const delays = [40, 5, 17, 17.5, 1, 0, -10, 33, 0.25];
    for (const delay of delays) {
      clock.at(start + delay, () => fired.push([delay, clock.monotonic() - start]));
    }
    expect(fired).toEqual([]);
    await fires(clock, start + 41);
    expect(fired.map(([delay]) => delay)).toEqual([...delays].sort((a, b) => a - b));
    for (const [delay, elapsed] of fired) {
      expect(elapsed).toBeGreaterThanOrEqual(delay);
    }
  });

  it("never fires a thousand timers early", async () => {
    const clock = newClock();
    const start = clock.monotonic();
    let fired = 0;
    let early = 0;
    for (let i = 0; i < 1000; i++) {
      const due = start + i / 20;
      clock.at(due, () => {
        fired++;
        if (clock.monotonic() < due) early++;
      });
    }
    await fires(clock, start + 51);
    expect([fired, early]).toEqual([1000, 0]);
  });

  it("does not fire what was cancelled, even by a timer due at the same time", async () => {
    const clock = newClock();
    const due = clock.monotonic() + 5;
    const fired: string[] = [];
    const cancelEarly = clock.at(due - 1, () => fired.push("early"));
    clock.at(due, () => {
      fired.push("first");
      cancelSecond();
    });
    const cancelSecond = clock.at(due, () => fired.push("second"));
    cancelEarly();
    cancelEarly();
    await fires(clock, due + 1);
    expect(fired).toEqual(["first"]);
  });

  it("lets I/O have its turn between timers that are always due", async () => {
    const clock = newClock();
    let rounds = 0;
    const again = () => {
      rounds++;
      clock.at(0, again);
    };
    again();
    await sleep(20);
    clock.close();
    const before = rounds;
    expect(before).toBeGreaterThan(1);
    await sleep(10);
    expect(rounds).toBe(before);
  });

  it("re-arms for an earlier timer, and goes on after one that throws", async () => {
    const clock = newClock();
    const fired: string[] = [];
    clock.at(clock.monotonic() + 3_000_000_000, () => fired.push("in a month"));
    const later = clock.monotonic() + 20;
    clock.at(later, () => fired.push("later"));
    clock.at(clock.monotonic() + 2, () => {
      throw new Error("from a timer");
    });
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const caught: unknown[] = [];
    process.once("uncaughtException", (error) => caught.push(error));
    try {
      await fires(clock, later + 1);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
    expect(fired).toEqual(["later"]);
    expect(caught).toEqual([new Error("from a timer")]);
  });

  it("ends everything on close", async () => {
    const clock = newClock();
    clock.at(clock.monotonic() + 1, () => expect.unreachable());
    clock.close();
    clock.at(clock.monotonic() + 1, () => expect.unreachable())();
    await sleep(10);
  });

  it("knows the wall clock in whole seconds", () => {
    expect(Math.abs(newClock().wall() - Date.now() / 1000)).toBeLessThan(2);
    expect(Number.isInteger(newClock().wall())).toBe(true);
  });
});
