import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RtpHeader, SrtpSession } from "werift";
import { AudioRow, FIRST_SEQUENCE } from "../../../src/webrtc/audio_row.ts";

/** Places of frames of 20 ms, as steps from the first: of numbers, and of ms. */
function steps(...frames: [number: number, timestamp: number][]): [number, number][] {
  const row = new AudioRow({ sequence: 65_535, timestamp: 2 ** 32 - 100 });
  const places = frames.map(([number, timestamp]) =>
    row.placeOf({ number, timestamp, duration: 20, data: new Uint8Array() }),
  );
  const [first] = places;
  return places.map(({ sequence, timestamp }) => [
    ((sequence - (first?.sequence ?? 0)) << 16) >> 16,
    ((timestamp - (first?.timestamp ?? 0)) | 0) / 48,
  ]);
}

/** How often the numbers went round before each packet: as werift seals it, and as a page takes it (RFC 3711, section 3.3.1). */
class Rounds {
  readonly #session: SrtpSession;
  #highest: number | undefined;
  #round = 0;

  constructor() {
    const key = Buffer.alloc(16);
    const salt = Buffer.alloc(14);
    const keys = { localMasterKey: key, localMasterSalt: salt, remoteMasterKey: key, remoteMasterSalt: salt };
    this.#session = new SrtpSession({ keys, profile: 1 });
  }

  sealed(sequenceNumber: number): number {
    this.#session.encrypt(Buffer.alloc(1), new RtpHeader({ sequenceNumber, ssrc: 5 }));
    return this.#session.localContext.srtpSSRCStates[5]?.rolloverCounter ?? -1;
  }

  taken(sequence: number): number {
    const highest = this.#highest ?? sequence;
    const isBefore = highest < 0x8000 && sequence - highest > 0x8000;
    const isBehind = highest >= 0x8000 && highest - 0x8000 > sequence;
    const round = this.#round + (isBehind ? 1 : 0) - (isBefore ? 1 : 0);
    if (round > this.#round || (round === this.#round && sequence >= highest)) {
      this.#highest = sequence;
      this.#round = round;
    }
    return round;
  }
}

describe("sound in RTP", () => {
  it("follows without a gap, though the friend's clock is uneven", () => {
    expect(steps([7, 1_000], [8, 1_019.7], [9, 1_041.2])).toEqual([
      [0, 0],
      [1, 20],
      [2, 40],
    ]);
  });

  it("has room where frames are missing, and for one that comes late", () => {
    expect(steps([7, 1_000], [10, 1_060], [8, 1_020])).toEqual([
      [0, 0],
      [3, 60],
      [1, 20],
    ]);
  });

  it("has a silence where the friend has one", () => {
    expect(steps([7, 1_000], [8, 3_000], [9, 3_020])).toEqual([
      [0, 0],
      [1, 2_000],
      [2, 2_020],
    ]);
  });

  it("goes on when the friend begins anew, with whatever times", () => {
    expect(steps([70_000, 1_000], [3, 0], [4, 20], [9_000, 1e15])).toEqual([
      [0, 0],
      [1, 20],
      [2, 40],
      [3, 1_040],
    ]);
  });

  it("can be decrypted however much is lost or late", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(FIRST_SEQUENCE, 65_000),
        fc.array(fc.oneof(fc.integer({ min: -120, max: 200 }), fc.constantFrom(1, -48, 48, 47, 0)), { minLength: 200 }),
        (sequence, jumps) => {
          const row = new AudioRow({ sequence, timestamp: 0 });
          const rounds = new Rounds();
          let number = 0;
          for (const jump of [0, ...jumps]) {
            const place = row.placeOf({ number: number + jump, timestamp: 0, duration: 20, data: new Uint8Array() });
            number = Math.max(number, number + jump);
            expect(rounds.sealed(place.sequence)).toBe(rounds.taken(place.sequence));
          }
        },
      ),
    );
  });
});
