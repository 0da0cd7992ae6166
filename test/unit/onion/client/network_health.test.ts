import { expect, test } from "vitest";
import { NetworkHealth } from "../../../../src/onion/client/network_health.ts";

function watched() {
  let recoveries = 0;
  const health = new NetworkHealth(() => recoveries++);
  return {
    miss(count: number) {
      for (let i = 0; i < count; i++) health.missed();
    },
    answer(count: number, now: number) {
      for (let i = 0; i < count; i++) health.answered(now);
    },
    get recoveries() {
      return recoveries;
    },
  };
}

test("a network that was ill and is well again is told of, once", () => {
  const network = watched();
  network.answer(100, 0);
  network.miss(40);
  network.answer(5, 1_000);
  expect(network.recoveries).toBe(0);
  network.answer(100, 2_000);
  expect(network.recoveries).toBe(1);
});

test("a network in which every other node is dead is not ill", () => {
  const network = watched();
  for (let i = 0; i < 1_000; i++) {
    network.miss(1);
    network.answer(1, i * 10_000);
  }
  network.answer(100, 20_000_000);
  expect(network.recoveries).toBe(0);
});

test("ups and downs are told of every five minutes at most", () => {
  const network = watched();
  for (let minute = 0; minute < 60; minute++) {
    network.miss(60);
    network.answer(60, minute * 60_000);
  }
  expect(network.recoveries).toBe(12);
});
