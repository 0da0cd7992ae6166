import { describe, expect, it } from "vitest";
import { ReceiveBudget } from "../../../src/net_crypto/receive_budget.ts";
import { Receiver } from "../../../src/net_crypto/receiver.ts";
import { RoundTrip } from "../../../src/net_crypto/round_trip.ts";
import { decodePacketRequest } from "../../../src/wire/net_crypto/packet_request.ts";

const MEGABYTE = 2 ** 20;

/** Takes as much as there is to be had, in packets of 1 KiB. */
function hoard(budget: ReceiveBudget): number {
  let held = 0;
  while (budget.take(held, 1024)) held += 1024;
  return held;
}

describe("ReceiveBudget", () => {
  it("leaves the next one as much as those have who hold what they can", () => {
    const budget = new ReceiveBudget();
    const shares = Array.from({ length: 100 }, () => hoard(budget) / MEGABYTE);
    expect(shares[0]).toBeCloseTo(32, 1);
    expect(shares[1]).toBeCloseTo(16, 1);
    expect(Math.min(...shares)).toBe(1);
    expect(budget.used).toBeLessThan((64 + 100) * MEGABYTE);
  });

  it("has everything back when a session has delivered or is closed", () => {
    const budget = new ReceiveBudget();
    const [one, other] = [new Receiver(new RoundTrip(), budget), new Receiver(new RoundTrip(), budget)];
    const deliver = () => true;
    for (let number = 1; number <= 1000; number++) {
      one.accept(number, new Uint8Array(1000), 0, deliver);
      other.accept(number, new Uint8Array(1000), 0, deliver);
    }
    expect(budget.used).toBeGreaterThan(2 * MEGABYTE - 200_000);
    one.accept(0, new Uint8Array(1), 0, deliver);
    other.close();
    expect(budget.used).toBe(0);
    expect(one.bufferStart).toBe(1001);
  });

  it("is given back by a session that a handler ends in the middle", () => {
    const budget = new ReceiveBudget();
    const receiver = new Receiver(new RoundTrip(), budget);
    for (let number = 1; number <= 10; number++) receiver.accept(number, new Uint8Array(10), 0, () => true);
    let delivered = 0;
    receiver.accept(0, new Uint8Array(10), 0, () => {
      if (++delivered < 5) return true;
      receiver.close();
      return false;
    });
    expect([delivered, budget.used]).toEqual([5, 0]);
  });
});

describe("requests", () => {
  it("list what the peer has sent enough to ask for, and the oldest always", () => {
    const receiver = new Receiver(new RoundTrip(), new ReceiveBudget());
    const into = new Uint8Array(1373);
    receiver.extend(30_000, 0);
    const lengths = Array.from({ length: 8 }, (_, i) => receiver.encodeRequest(into, i));
    expect(lengths.slice(0, 4)).toEqual([1373, 1373, 1373, 1373]);
    expect(lengths.slice(4)).toEqual([64, 64, 64, 64]);
    const decoded = decodePacketRequest(into.subarray(0, 64), () => undefined);
    expect(decoded?.missing).toEqual(Array.from({ length: 63 }, (_, i) => i));
    receiver.accept(10_000, new Uint8Array(500), 9, () => true);
    expect(receiver.encodeRequest(into, 10)).toBe(500);
  });

  it("come less and less often while nothing new arrives", () => {
    const receiver = new Receiver(new RoundTrip(), new ReceiveBudget());
    const into = new Uint8Array(1373);
    receiver.extend(100, 0);
    receiver.encodeRequest(into, 0);
    let now = 0;
    const pauses = Array.from({ length: 12 }, () => {
      const due = receiver.nextDue();
      const pause = due - now;
      now = due;
      receiver.encodeRequest(into, now);
      return pause;
    });
    expect(pauses.slice(0, 4)).toEqual([300, 300, 300, 300]); // 1.5 times the guess of a round trip
    expect(pauses.slice(4)).toEqual([600, ...Array(7).fill(1000)]);
    receiver.accept(50, new Uint8Array(1), now, () => true);
    receiver.encodeRequest(into, now);
    expect(receiver.nextDue() - now).toBe(300);
  });
});
