import { randomFillSync } from "node:crypto";
import type { Random } from "../env/random.ts";

/** The system's strong randomness. */
export const nodeRandom: Random = {
  fill(into) {
    randomFillSync(into);
  },
};

const SUPPLY_SIZE = 4096;
/** Keys are this long, and never lie in the supply before they are made. */
const LARGE = 32;

/**
 * The same randomness fetched ahead for nonces and the like: asking the system for 24 bytes costs more than encrypting a
 * small packet with them. What has been given out is overwritten at once.
 */
export function suppliedRandom(source: Random = nodeRandom): Random {
  const supply = new Uint8Array(SUPPLY_SIZE);
  let at = SUPPLY_SIZE;
  return {
    fill(into) {
      const { length } = into;
      if (length >= LARGE) {
        source.fill(into);
        return;
      }
      if (at + length > SUPPLY_SIZE) {
        source.fill(supply);
        at = 0;
      }
      for (let i = 0; i < length; i++, at++) {
        into[i] = supply[at] ?? 0;
        supply[at] = 0;
      }
    },
  };
}
