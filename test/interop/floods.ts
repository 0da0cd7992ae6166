import { expect } from "vitest";
import type { Tox } from "../../src/index.ts";

/** For all of a flood, on a machine that may be busy. */
export const FLOOD_PATIENCE_MS = 200_000;

/** Keeps what comes; `first` resolves to all of it, once there are `count`. */
export function hears(tox: Tox): { first(count: number): Promise<string[]> } {
  const texts: string[] = [];
  let look = () => {};
  tox.on("message", ({ text }) => {
    texts.push(text);
    look();
  });
  return {
    first: (count) =>
      new Promise((resolve) => {
        look = () => {
          if (texts.length >= count) resolve([...texts]);
        };
        look();
      }),
  };
}

/** The messages `flood 0`, `flood 1`, ... in their order. */
export function expectFlood(texts: string[]): void {
  // Not `toEqual` over all of them: of 40,000 lines that differ nobody reads the list.
  const wrong = texts.findIndex((text, i) => text !== `flood ${i}`);
  expect(wrong < 0 ? undefined : `${texts[wrong]} in place ${wrong}`).toBeUndefined();
}
