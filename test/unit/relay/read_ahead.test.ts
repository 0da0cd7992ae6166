import { describe, expect, it } from "vitest";
import { ReadAhead } from "../../../src/relay/read_ahead.ts";
import { World } from "./world.ts";

const FRAME = 1400;
const LIMIT = 30 * 1024;

/** What goes out until it is refused, 1 MiB at most. */
function fill(ahead: ReadAhead): number {
  let sent = 0;
  for (; sent < 1024 * 1024 && ahead.allows(FRAME); sent += FRAME) ahead.sent(FRAME);
  return sent;
}

describe("what may lie unread at a relay", () => {
  it("is limited where the relay is near and answers late", () => {
    const ahead = new ReadAhead(0.3);
    for (let round = 0; round < 40; round++) {
      const sent = fill(ahead);
      expect(sent).toBeGreaterThan(LIMIT - 2 * FRAME);
      expect(sent).toBeLessThanOrEqual(LIMIT);
      ahead.pinged();
      // It is prompt now and then, when a ping comes just before it looks.
      expect(ahead.answered(round % 5 === 0 ? 25 : 3)).toBe(true);
    }
  });

  it("is what a ping does not cover, and nothing is to be tried again where nothing was refused", () => {
    const ahead = new ReadAhead(0.3);
    ahead.sent(20_000);
    ahead.pinged();
    ahead.sent(10_000);
    expect(ahead.answered(25)).toBe(false);
    expect(ahead.allows(LIMIT - 10_000)).toBe(true);
    expect(ahead.allows(LIMIT - 9_999)).toBe(false);
    expect(ahead.answered(25)).toBe(true);
  });

  it("is limited there too when connecting took long for once", () => {
    const ahead = new ReadAhead(35);
    for (const ms of [29, 31, 14, 30, 30]) {
      expect(fill(ahead)).toBeLessThanOrEqual(LIMIT);
      ahead.pinged();
      expect(ahead.answered(ms)).toBe(true);
    }
    expect(fill(ahead)).toBeLessThanOrEqual(LIMIT);
  });

  it("has no limit at a relay that is always prompt, nor at one that is far", () => {
    const prompt = new ReadAhead(0.3);
    for (let round = 0; round < 8; round++) {
      expect(fill(prompt)).toBeLessThanOrEqual(LIMIT);
      prompt.pinged();
      prompt.answered(1);
    }
    expect(fill(prompt)).toBeGreaterThanOrEqual(1024 * 1024);
    const far = new ReadAhead(40);
    for (let round = 0; round < 3; round++) far.answered(41 + 20 * round);
    expect(fill(far)).toBeGreaterThanOrEqual(1024 * 1024);
  });
});

it("a client asks a near relay what it has read, and goes on", async () => {
  const world = new World();
  const server = await world.relay();
  const [alice, bob] = [world.client([10, 0, 1, 1]), world.client([10, 0, 1, 2])];
  alice.relay.requestRoute(bob.key);
  bob.relay.requestRoute(alice.key);
  await world.run(20);
  const packet = new Uint8Array(FRAME).fill(27);
  let sent = 0;
  let first = 0;
  for (let round = 0; round < 12; round++) {
    for (; alice.relay.sendTo(bob.key, packet); sent++);
    first ||= sent;
    await world.run(10);
  }
  expect(first * FRAME).toBeLessThanOrEqual(LIMIT);
  expect(alice.heard.filter((what) => what === "writable").length).toBeGreaterThanOrEqual(8);
  expect(sent * FRAME).toBeGreaterThan(8 * LIMIT);
  alice.relay.close();
  bob.relay.close();
  server.close();
});
