import { describe, expect, it } from "vitest";
import { TEST_PICTURE_LUMA, testPicture, toneSource } from "../../../src/node/media/index.ts";
import {
  barPosition,
  channelOf,
  dominantFrequency,
  longestGap,
  meanLuma,
  movement,
  toneToNoise,
} from "../../support/recognise.ts";

describe("what recognises sound", () => {
  it("finds a tone among noise", async () => {
    for (const hertz of [50, 440, 1000.5, 7000]) {
      const pcm = (await toneSource(hertz).read(24_000)) ?? new Int16Array();
      let state = 7;
      const noisy = pcm.map((sample) => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
        return sample + (state % 2000) - 1000;
      });
      expect(Math.abs(dominantFrequency(noisy, 48_000) - hertz)).toBeLessThan(1);
      expect(toneToNoise(pcm, 48_000, hertz)).toBeGreaterThan(50);
      expect(toneToNoise(noisy, 48_000, hertz)).toBeLessThan(40);
      expect(toneToNoise(noisy, 48_000, hertz + 500)).toBeLessThan(0);
    }
  });

  it("hears nothing in silence", () => {
    expect(dominantFrequency(new Int16Array(4096), 48_000)).toBe(0);
  });

  it("measures the longest gap, and takes a tone's own zeros for none", async () => {
    const pcm = (await toneSource(440).read(48_000)) ?? new Int16Array();
    expect(longestGap(pcm, 48_000)).toBeLessThan(1);
    pcm.fill(0, 10_000, 12_400).fill(3, 30_000, 30_500);
    expect(longestGap(pcm, 48_000)).toBeCloseTo(50, 0);
  });

  it("takes channels apart", () => {
    expect([...channelOf(Int16Array.of(1, 2, 3, 4), 1, 2)]).toEqual([2, 4]);
  });
});

describe("what recognises pictures", () => {
  it("finds the bar of the test picture wherever it is, and which way it goes", async () => {
    const source = testPicture({ width: 320, height: 240, frameRate: 10 });
    let before = await source.read();
    for (let i = 1; i < 60; i++) {
      const picture = await source.read();
      if (!before || !picture) throw new Error("The test picture has an end.");
      expect(movement(before, picture)).toBeCloseTo(1 / 30, 2);
      expect(barPosition(picture)).toBeCloseTo((i / 30 + 1 / 16) % 1, 1);
      expect(meanLuma(picture)).toBe(TEST_PICTURE_LUMA);
      before = picture;
    }
  });
});
