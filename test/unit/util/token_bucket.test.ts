import { describe, expect, it } from "vitest";
import { TokenBucket } from "../../../src/util/token_bucket.ts";

const takenOf = (bucket: TokenBucket, times: number[]) => times.filter((time) => bucket.take(time)).length;

describe("TokenBucket", () => {
  it("allows a burst, then one an interval", () => {
    const bucket = new TokenBucket(3, 1000);
    expect(takenOf(bucket, Array(10).fill(5000))).toBe(3);
    expect(takenOf(bucket, [5999])).toBe(0);
    expect(takenOf(bucket, [6000, 6001, 6999, 7000])).toBe(2);
  });

  it("saves up no more than a burst, and loses nothing by being asked often", () => {
    const bucket = new TokenBucket(3, 1000);
    expect(takenOf(bucket, Array(10).fill(0))).toBe(3);
    expect(takenOf(bucket, Array(10).fill(1_000_000))).toBe(3);
    const often = Array.from({ length: 10_000 }, (_, i) => 1_000_000 + i);
    expect(takenOf(bucket, often)).toBeGreaterThanOrEqual(9);
    expect(takenOf(bucket, often)).toBeLessThanOrEqual(10);
  });
});
