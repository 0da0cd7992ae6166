import { randomFillSync } from "node:crypto";
import type { Random } from "../env/random.ts";

/** The system's strong randomness. */
export const nodeRandom: Random = {
  fill(into) {
    randomFillSync(into);
  },
};
