import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/util/bytes.ts";
import { KeyMap } from "../../../src/util/key_map.ts";

/** Few different keys of several lengths, so that commands meet; they differ in one byte at either end or the middle. */
const arbitraryKey = fc.tuple(fc.constantFrom(4, 5, 16, 32), fc.nat(40), fc.nat(3)).map(([length, at, value]) => {
  const key = new Uint8Array(length);
  key[at % length] = value;
  return key;
});

type Command = { set: Uint8Array; value: number } | { delete: Uint8Array } | "clear";

const arbitraryCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ set: arbitraryKey, value: fc.nat() }) },
  { weight: 10, arbitrary: fc.record({ delete: arbitraryKey }) },
  { weight: 1, arbitrary: fc.constant("clear" as const) },
);

describe("KeyMap", () => {
  it("does what a Map of strings does, in the same order", () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(arbitraryCommand, { maxLength: 200 }), (seed, commands) => {
        const map = new KeyMap<number>(seed);
        const model = new Map<string, number>();
        for (const command of commands) {
          if (command === "clear") {
            map.clear();
            model.clear();
          } else if ("set" in command) {
            const key = command.set.slice();
            map.set(key, command.value);
            key.fill(0xff);
            model.set(toHex(command.set), command.value);
          } else {
            expect(map.delete(command.delete)).toBe(model.delete(toHex(command.delete)));
            expect(map.has(command.delete)).toBe(false);
          }
          expect(map.size).toBe(model.size);
        }
        expect([...map.entries()].map(([key, value]) => [toHex(key), value])).toEqual([...model]);
        expect([...map.keys()].map(toHex)).toEqual([...model.keys()]);
        expect([...map.values()]).toEqual([...model.values()]);
        const [oldest] = model.keys();
        expect(map.oldestKey() && toHex(map.oldestKey() ?? new Uint8Array())).toEqual(oldest);
        for (const [key, value] of model) expect(map.get(Buffer.from(key, "hex"))).toBe(value);
      }),
      { numRuns: 200 },
    );
  });

  it("finds keys through views of larger buffers", () => {
    const map = new KeyMap<string>();
    const packet = new Uint8Array(100).map((_, i) => i);
    map.set(packet.subarray(10, 42), "here");
    expect(map.get(packet.slice(10, 42))).toBe("here");
    expect(map.get(packet.subarray(11, 43))).toBeUndefined();
  });

  it("spreads keys that differ little over its buckets, whatever the seed", () => {
    for (const seed of [0, 1, -1, 0x12345678]) {
      const map = new KeyMap<number>(seed);
      const started = performance.now();
      const key = new Uint8Array(32);
      for (let i = 0; i < 50_000; i++) {
        key[0] = i;
        key[15] = i >> 8;
        key[31] = i >> 16;
        map.set(key, i);
      }
      expect(map.size).toBe(50_000);
      expect(performance.now() - started).toBeLessThan(2000); // collisions would make it minutes
    }
  });

  it("allows changes during iteration", () => {
    const map = new KeyMap<number>();
    for (let i = 0; i < 10; i++) map.set(Uint8Array.of(0, 0, 0, i), i);
    for (const [key, value] of map.entries()) if (value % 2 === 0) map.delete(key);
    expect([...map.values()]).toEqual([1, 3, 5, 7, 9]);
  });
});
