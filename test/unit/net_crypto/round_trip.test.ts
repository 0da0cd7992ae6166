import { expect, it } from "vitest";
import { RoundTrip } from "../../../src/net_crypto/round_trip.ts";

it("the usual time is the lowest, and over a relay that lets packets wait what they take, 30 ms more at most", () => {
  const roundTrip = new RoundTrip();
  for (let i = 0; i < 100; i++) roundTrip.sample(i === 50 ? 3 : 60, i * 20);
  expect(roundTrip.usual).toBe(3);
  roundTrip.relayed = true;
  expect(roundTrip.usual).toBe(33);
  const prompt = new RoundTrip();
  prompt.relayed = true;
  for (let i = 0; i < 100; i++) prompt.sample(2, i);
  expect(prompt.usual).toBeCloseTo(2);
});
