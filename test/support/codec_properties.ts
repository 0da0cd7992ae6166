import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Drop, DropReason } from "../../src/wire/drop.ts";

export interface CodecUnderTest<T> {
  readonly arbitrary: fc.Arbitrary<T>;
  /** The packet's bytes, of exactly its length. */
  readonly encode: (packet: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array, drop: Drop) => T | undefined;
  /** True where any length above the shortest is a packet too (a variable tail), so that cutting may leave a valid one. */
  readonly variableLength?: boolean;
}

/** The properties that every codec owes: round trip, no throw on mutated, cut or random bytes, and a reason for each drop. */
export function codecProperties<T>(name: string, codec: CodecUnderTest<T>): void {
  const decodeCounting = (bytes: Uint8Array) => {
    const reasons: DropReason[] = [];
    const packet = codec.decode(bytes, (reason) => {
      reasons.push(reason);
      return undefined;
    });
    return { packet, reasons };
  };

  const expectPacketOrReason = (bytes: Uint8Array) => {
    const { packet, reasons } = decodeCounting(bytes);
    if (packet === undefined) expect(reasons.length).toBe(1);
    else expect(reasons).toEqual([]);
    return packet;
  };

  /** What decodes must encode to something that decodes to the same: a decoder takes no bytes that it does not understand. */
  const expectStable = (packet: T | undefined) => {
    if (packet !== undefined) expect(expectPacketOrReason(codec.encode(packet))).toEqual(packet);
  };

  describe(name, () => {
    it("decodes what it encodes", () => {
      fc.assert(
        fc.property(codec.arbitrary, (packet) => {
          expect(expectPacketOrReason(codec.encode(packet))).toEqual(packet);
        }),
      );
    });

    it("takes or drops mutated packets, with one reason and without throwing", () => {
      const mutations = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(codec.arbitrary, mutations, (packet, changes) => {
          const bytes = codec.encode(packet).slice();
          for (const [at, flip] of changes) {
            const index = at % bytes.length;
            bytes[index] = (bytes[index] ?? 0) ^ flip;
          }
          expectStable(expectPacketOrReason(bytes));
        }),
      );
    });

    it("drops packets cut short", () => {
      fc.assert(
        fc.property(codec.arbitrary, fc.nat(), (packet, cut) => {
          const bytes = codec.encode(packet);
          const cutPacket = expectPacketOrReason(bytes.subarray(0, cut % bytes.length));
          if (codec.variableLength) expectStable(cutPacket);
          else expect(cutPacket).toBeUndefined();
        }),
      );
    });

    it("takes or drops noise without throwing", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 2048 }), (bytes) => {
          expectStable(expectPacketOrReason(bytes));
        }),
      );
    });
  });
}
