import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameBuilder, type VideoPacket } from "../../../src/webrtc/frame_builder.ts";
import { packetizeVp8 } from "../../../src/webrtc/vp8_payload.ts";

/** One stream: frames as packets, and what a builder makes of them. */
class Line {
  readonly built: number[] = [];
  lost = 0;
  #sequence: number;
  readonly #builder = new FrameBuilder(
    ({ data }) => this.built.push(data[1] ?? -1),
    () => this.lost++,
  );

  constructor(firstSequence = 65_530) {
    this.#sequence = firstSequence;
  }

  /** The frame's number is its second byte. */
  frame(number: number, { keyFrame = false, size = 3_000 } = {}): VideoPacket[] {
    const data = new Uint8Array(size).fill(number);
    data[0] = keyFrame ? 0x10 : 0x11;
    const payloads = packetizeVp8(data);
    return payloads.map((payload, index) => ({
      sequence: this.#next(),
      timestamp: (4_294_967_000 + number * 3_000) >>> 0,
      marker: index === payloads.length - 1,
      payload,
    }));
  }

  padding(number: number): VideoPacket {
    const timestamp = (4_294_967_000 + number * 3_000) >>> 0;
    return { sequence: this.#next(), timestamp, marker: false, payload: new Uint8Array() };
  }

  add(packets: readonly VideoPacket[], now = 0): void {
    for (const packet of packets) this.#builder.add(packet, now);
  }

  #next(): number {
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) & 0xffff;
    return sequence;
  }
}

describe("frames from a page", () => {
  it("are whole and in order, however a few packets are mixed up, across the ends of both counters", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 8 }),
        fc.gen(),
        (sizes, gen) => {
          const line = new Line();
          line.add(line.frame(0, { keyFrame: true }));
          const packets = sizes.flatMap((size, index) => line.frame(index + 1, { size: size + 2 }));
          const mixed = gen(() =>
            fc.shuffledSubarray(packets, { minLength: packets.length, maxLength: packets.length }),
          );
          line.add(mixed);
          expect(line.built).toEqual([0, ...sizes.map((_, index) => index + 1)]);
          expect(line.lost).toBe(0);
        },
      ),
    );
  });

  it("begin with a key frame", () => {
    const line = new Line();
    line.add(line.frame(1));
    line.add(line.frame(2, { keyFrame: true }));
    expect(line.built).toEqual([2]);
  });

  it("may have padding between them", () => {
    const line = new Line();
    line.add(line.frame(1, { keyFrame: true }));
    line.add([line.padding(1), line.padding(1)]);
    line.add(line.frame(2));
    expect(line.built).toEqual([1, 2]);
  });

  it("come twice and count once", () => {
    const line = new Line();
    const first = line.frame(1, { keyFrame: true });
    const second = line.frame(2);
    line.add([...first, ...first, ...second, ...second, ...first]);
    expect(line.built).toEqual([1, 2]);
  });

  it("are waited for while a packet may still come", () => {
    const line = new Line();
    line.add(line.frame(1, { keyFrame: true }));
    const [missing, ...others] = line.frame(2);
    line.add(others, 10);
    line.add(line.frame(3), 100);
    expect(line.built).toEqual([1]);
    line.add(missing === undefined ? [] : [missing], 110);
    expect(line.built).toEqual([1, 2, 3]);
  });

  it("that lack a packet for good are given up, and a key frame goes on", () => {
    const line = new Line();
    line.add(line.frame(1, { keyFrame: true }));
    line.add(line.frame(2).slice(1), 10);
    line.add(line.frame(3), 200);
    expect([line.built, line.lost]).toEqual([[1], 1]);
    line.add(line.frame(4), 210);
    line.add(line.frame(5, { keyFrame: true }), 220);
    line.add(line.frame(6), 230);
    expect([line.built, line.lost]).toEqual([[1, 5, 6], 1]);
  });

  it("without an end are given up before they have more than a frame may", () => {
    const line = new Line();
    line.add(line.frame(1, { keyFrame: true }));
    const payload = new Uint8Array(60_000);
    const packets = Array.from({ length: 71 }, () => ({ ...line.padding(2), payload }));
    line.add(packets.slice(0, 69));
    expect(line.lost).toBe(0);
    line.add(packets.slice(69));
    expect(line.lost).toBe(1);
    line.add(line.frame(3, { keyFrame: true }));
    line.padding(4); // this one is missing
    line.add(Array.from({ length: 71 }, () => ({ ...line.padding(4), payload })));
    expect([line.built, line.lost]).toEqual([[1, 3], 2]);
  });

  it("of noise make no frame, throw nothing and fill no memory", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            sequence: fc.nat(0xffff),
            timestamp: fc.nat(0xffff_ffff),
            marker: fc.boolean(),
            payload: fc.uint8Array({ maxLength: 40 }),
          }),
          { maxLength: 200 },
        ),
        (packets) => {
          const line = new Line();
          line.add(line.frame(1, { keyFrame: true }));
          line.add(packets);
          expect(line.built[0]).toBe(1);
        },
      ),
    );
  });
});
