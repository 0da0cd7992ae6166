import { describe, expect, it } from "vitest";
import { playKillings } from "./killings.ts";

/** `TOX_KILLINGS=1-2000` plays as many seeds as that, `TOX_KILLINGS=7` one. */
const [first = 1, last = first] = (process.env.TOX_KILLINGS ?? "1-8").split("-").map(Number);
const seeds = Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("two of ours, each killed again and again at any instant", () => {
  const kinds = [
    ["a fast disk, quick listeners", 0, 0],
    ["a fast disk, slow listeners", 0, 400],
    ["a slow disk, quick listeners", 30, 0],
    ["a slow disk, slow listeners", 30, 400],
  ] as const;
  describe.each(kinds)("%s", (_, disk, handling) => {
    it.each(seeds)(
      "lose nothing that was answered for and show nothing twice that was handled (seed %i)",
      async (seed) => {
        expect(await playKillings({ seed, disk, handling, kills: 12 })).toEqual([]);
      },
    );
  });
});
