import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AudioReceiver } from "../../../src/av/audio_receiver.ts";
import { Transit } from "../../../src/av/transit.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import { encodeAudioPayload } from "../../../src/wire/av/audio_payload.ts";
import { ignoreDrop } from "../../../src/wire/drop.ts";
import { opusFrame } from "../../support/callers.ts";
import { firstPieceOf } from "./pieces.ts";

/** First bytes of Opus packets, by what they last in ms. 120 has six frames of 20. */
const TOC = { 2.5: [0xe0], 5: [0xe8], 10: [0xf0], 20: [0xf8], 40: [0x10], 60: [0x18], 120: [0xfb, 6] } as const;
type Duration = keyof typeof TOC;

function numberIn(packet: Uint8Array): number {
  return new DataView(packet.buffer, packet.byteOffset).getUint32(4);
}

/** Sound from somebody with another clock, whose packets come when a test says. */
class Hearing {
  readonly timeline = new Timeline();
  readonly clock = new VirtualClock(this.timeline, 1_700_000_000);
  readonly given: { readonly at: number; readonly number: number; readonly duration: number }[] = [];
  readonly lost: { readonly at: number; readonly duration: number }[] = [];
  readonly receiver = new AudioReceiver(this.clock, ignoreDrop, {
    frame: ({ data, duration }) => {
      this.given.push({ at: this.clock.monotonic(), number: numberIn(data), duration });
    },
    lost: ({ duration }) => void this.lost.push({ at: this.clock.monotonic(), duration }),
  });

  /** The frame `number` is sent at `timestamp` by his clock, and comes at once. */
  hears(number: number, timestamp: number, duration: Duration = 20): void {
    const packet = opusFrame(number, 8);
    packet.set(TOC[duration]);
    new DataView(packet.buffer).setUint32(4, number);
    const data = encodeAudioPayload(48_000, packet);
    this.receiver.handle(firstPieceOf("audio", number, Math.round(timestamp), data));
  }

  pass(ms: number): void {
    const end = this.timeline.now + ms;
    while (this.timeline.step(end));
    this.timeline.advance(end);
  }

  get numbers(): number[] {
    return this.given.map(({ number }) => number);
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("an hour of sound", () => {
  it.each([
    ["fast", 200e-6],
    ["slow", -200e-6],
  ])("from a clock that is %s by 200 ppm comes whole, past the ends of all counters", (_, drift) => {
    const hearing = new Hearing();
    const frames = 180_000;
    const start = 2 ** 32 - 600_000;
    let worst = 0;
    for (let number = 0; number < frames; number++) {
      hearing.hears(number, start + hearing.timeline.now * (1 + drift));
      hearing.pass(20 / (1 + drift));
      worst = Math.max(worst, hearing.receiver.delay);
    }
    hearing.pass(1_000);
    expect(hearing.given.length).toBe(frames);
    expect(hearing.numbers.every((number, i) => number === i)).toBe(true);
    expect([hearing.receiver.lost, hearing.receiver.loss.lost]).toEqual([0, 0]);
    expect(worst).toBeLessThan(30);
    // Behind the last one there is what a silence begins with.
    expect(hearing.lost.length).toBe(5);
  });
});

describe("frames of other lengths", () => {
  it.each([2.5, 5, 10, 40, 60, 120] as const)("of %f ms come whole and in their time", (duration) => {
    const hearing = new Hearing();
    const frames = Math.round(20_000 / duration);
    for (let number = 0; number < frames; number++) {
      hearing.hears(number, hearing.timeline.now, duration);
      hearing.pass(duration);
    }
    expect(hearing.numbers).toEqual(upTo(hearing.given.length));
    expect(hearing.given.length).toBeGreaterThan(frames - 3 - 30 / duration);
    expect(hearing.lost.length).toBe(0);
  });

  it("that change in the call lose nothing, and what is lost is not missed for long", () => {
    const hearing = new Hearing();
    const lengths = [20, 60, 20, 2.5, 40, 10, 120, 20] as const;
    let number = 0;
    for (const duration of lengths) {
      for (let sent = 0; sent < 3_000; sent += duration) {
        hearing.hears(number++, hearing.timeline.now, duration);
        hearing.pass(duration);
      }
    }
    hearing.pass(500);
    expect(hearing.numbers).toEqual(upTo(number));
    expect(hearing.receiver.lost).toBe(0);
    const gaps = hearing.given.slice(1).map(({ at }, i) => at - (hearing.given[i]?.at ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(180);
  });
});

describe("sound of a hostile friend", () => {
  it("lasts no longer than the time that passes, whatever its packets claim", () => {
    const hearing = new Hearing();
    for (let number = 0; number < 20_000; number++) {
      hearing.hears(number, 0, 120);
      if (number % 20 === 0) hearing.pass(1);
    }
    hearing.pass(1_000);
    const played = hearing.given.reduce((sum, { duration }) => sum + duration, 0);
    expect(played).toBeGreaterThan(500);
    expect(played).toBeLessThan(1.5 * 2_000 + 500);
  });

  it("does not wait ever longer when his clock jumps on and on", () => {
    const hearing = new Hearing();
    for (let number = 0; number < 300; number++) {
      hearing.hears(number, 190 * number);
      hearing.pass(1);
      expect(hearing.receiver.delay).toBeLessThan(410);
    }
  });

  it("makes neither sound nor silence for ever", () => {
    const step = fc.record({
      skip: fc.constantFrom(-600, -3, -1, 0, 1, 1, 1, 2, 17, 499, 501, 30_000),
      jump: fc.constantFrom(-(2 ** 31), -3_000, -150, 0, 20, 20, 20, 150, 3_000, 2 ** 31),
      duration: fc.constantFrom(2.5 as const, 20 as const, 120 as const),
      wait: fc.constantFrom(0, 1, 20, 100),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const hearing = new Hearing();
        let [number, timestamp] = [1_000, 5_000];
        for (const { skip, jump, duration, wait } of steps) {
          number += skip;
          timestamp += jump;
          hearing.hears(number, timestamp, duration);
          hearing.pass(wait);
          expect(hearing.receiver.delay).toBeLessThan(410);
        }
        hearing.pass(30_000);
        expect(hearing.timeline.size).toBe(0);
        const told = [...hearing.given, ...hearing.lost].reduce((sum, { duration }) => sum + duration, 0);
        expect(told).toBeLessThan(1.5 * hearing.timeline.now + 1_000);
      }),
    );
  });
});

describe("a gap", () => {
  it("that is long is concealed at its beginning, and then passed over", () => {
    const hearing = new Hearing();
    for (let number = 0; number < 100; number++) {
      hearing.hears(number < 50 ? number : number + 400, 20 * number);
      hearing.pass(20);
    }
    hearing.pass(1_000);
    expect(hearing.numbers).toEqual(upTo(100).map((i) => (i < 50 ? i : i + 400)));
    expect(hearing.lost.length).toBe(5 + 5);
    expect(hearing.receiver.lost).toBe(400);
  });

  it("of silence does not bring back what was heard", () => {
    const hearing = new Hearing();
    for (let number = 0; number < 20; number++) {
      hearing.hears(number, 20 * number);
      hearing.pass(20);
    }
    hearing.pass(1_000);
    hearing.hears(15, 300);
    hearing.hears(20, 1_400);
    hearing.pass(1_000);
    expect(hearing.numbers).toEqual(upTo(21));
  });
});

describe("the ways of many frames", () => {
  it("are summed up as they are when all are looked at", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 700 }), (ways) => {
        const transit = new Transit();
        for (const way of ways) transit.add(way / 3);
        const last = ways.slice(-250).map((way) => way / 3);
        const sorted = [...last].sort((a, b) => a - b);
        const index = last.length < 10 ? last.length - 1 : Math.floor(last.length * 0.97);
        expect(transit.base).toBe(sorted[0]);
        expect(transit.spread).toBe((sorted[Math.min(index, last.length - 1)] as number) - (sorted[0] as number));
        expect(transit.latest).toBe((last.at(-1) as number) - (sorted[0] as number));
      }),
    );
  });
});
