import { expect, it } from "vitest";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import { Retry } from "../../../src/util/retry.ts";

it("what fails is tried again after pauses that double up to five minutes, and begin anew after a success", () => {
  const timeline = new Timeline();
  const at: number[] = [];
  let fails = true;
  const retry = new Retry(new VirtualClock(timeline, 1_700_000_000), () => {
    at.push(timeline.now);
    if (fails) retry.failed();
    else retry.succeeded();
  });
  const start = timeline.now;
  retry.failed();
  retry.failed(); // the same attempt is for both
  expect(retry.isDue).toBe(true);
  while (at.length < 9) timeline.step(Number.MAX_SAFE_INTEGER);
  const pauses = at.map((time, i) => time - (at[i - 1] ?? start));
  expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300].map((seconds) => 1000 * seconds));
  fails = false;
  timeline.step(Number.MAX_SAFE_INTEGER);
  expect(retry.isDue).toBe(false);
  fails = true;
  const again = timeline.now;
  retry.failed();
  timeline.step(Number.MAX_SAFE_INTEGER);
  expect((at.at(-1) ?? 0) - again).toBe(5000);
  retry.stop();
  retry.failed();
  expect(retry.isDue).toBe(false);
});
